import { z } from 'zod';
import { configSchema } from './schema.ts';
import { unwrap } from './schema-walk.ts';

/** The text of docs/reference/configuration.md, made from the schema. */
export function configurationReference(): string {
  return [
    '# Configuration',
    '',
    'Made from the schema by `npm run docs`; do not edit it here.',
    '',
    'Nothing has to be set. Values come from, the later one winning:',
    '',
    '1. a YAML file: `--config FILE`, or `wardline.yaml` in the folder where the command is typed;',
    '2. the environment: `WARDLINE_`, then the key with two underscores for each dot, in capitals',
    '   (`WARDLINE_SIGNALLING__PORT=9022`);',
    '3. the command line: `--set signalling.port=9022`, as often as needed; `--data DIR` is short for `--set data=DIR`.',
    '',
    'A key that does not exist is refused with its place and the nearest one that does. A relative folder counts from',
    'the file that names it, or from where the command is typed; a default one lies in the folder of Wardline.',
    '',
    'Without `signalling.servers` Wardline starts its own signalling daemon, sipd; without `media.servers` its own media',
    'daemon, mediad. With them nothing of that kind is started, and the keys for our own daemon do not count. Lists are',
    'written in the file, or as one line:',
    '',
    '```yaml',
    'signalling:',
    '  servers:',
    '    - { host: 10.0.0.11, secretFile: /etc/wardline/drachtio.secret }',
    'media:',
    '  servers:',
    '    - host: 10.0.0.21',
    '      secretFile: /etc/wardline/event-socket.secret',
    '      listenHost: 10.0.0.5',
    '```',
    '',
    '`N` stands for the place in such a list.',
    '',
    '| key | default | value | meaning |',
    '|---|---|---|---|',
    ...rows(configSchema, []),
    '',
  ].join('\n');
}

function rows(schema: z.core.$ZodType, path: readonly string[]): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape).flatMap(([key, value]) => rows(value as z.core.$ZodType, [...path, key]));
  }
  if (inner instanceof z.ZodRecord && unwrap(inner.valueType) instanceof z.ZodObject) {
    return rows(inner.valueType, [...path, 'NAME']);
  }
  if (inner instanceof z.ZodArray && unwrap(inner.element) instanceof z.ZodObject) {
    return [row(schema, path, 'list'), ...rows(inner.element, [...path, 'N'])];
  }
  return [row(schema, path, kind(inner))];
}

function row(schema: z.core.$ZodType, path: readonly string[], value: string): string {
  const meaning = (schema instanceof z.ZodType ? schema.description : undefined) ?? '';
  return `| \`${path.join('.')}\` | ${shownDefault(schema)} | ${value} | ${meaning} |`;
}

function shownDefault(schema: z.core.$ZodType): string {
  const { success, data } = z.safeParse(schema, undefined);
  return success && data !== undefined ? `\`${JSON.stringify(data)}\`` : 'none';
}

function kind(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodRecord) return `by name, ${kind(unwrap(schema.valueType))}`;
  const described = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' });
  if (described.enum) return described.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (described.type === 'array') return `list of ${kind(unwrap((schema as z.ZodArray).element))}`;
  if (described.type === 'integer') {
    const isOpen = described.maximum === undefined || described.maximum >= Number.MAX_SAFE_INTEGER;
    const least = described.minimum ?? Number(described.exclusiveMinimum ?? 0) + 1;
    return isOpen ? `at least ${least}` : `${least} to ${described.maximum}`;
  }
  if (described.type === 'boolean') return '`true` or `false`';
  return described.anyOf?.some((option) => typeof option === 'object' && option.format === 'ipv4')
    ? 'IP address'
    : 'text';
}
