import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { type Checked, check } from './check.ts';
import { type Layer, type Path, readEnvironmentLayer, readFileLayer, readSetLayer } from './layers.ts';
import { type Config, configSchema } from './schema.ts';
import { schemaAt, knownKeys } from './schema-walk.ts';

/** Where values come from, weakest first: the file, the environment, `--set`; `--data` is short for `--set data=`. */
export interface Sources {
  readonly file?: string;
  readonly set: readonly string[];
  readonly data?: string;
}

const FOLDERS = ['data', 'dialplans', 'oncall'] as const;
/** Read when it exists and no other file was named. */
const USUAL_FILE = 'wardline.yaml';

/** The folder that Wardline was cloned or installed into; the default folders lie there. */
export const installedIn = fileURLToPath(new URL('../..', import.meta.url));

/** One frozen, checked value from file, environment and command line, or every problem with its place. */
export function loadConfig(sources: Sources, environment: NodeJS.ProcessEnv = process.env): Checked<Config> {
  const file = sources.file ?? (existsSync(USUAL_FILE) ? USUAL_FILE : null);
  const layers: Layer[] = [
    ...(file === null ? [] : [fromItsFolder(readFileLayer(file), dirname(file))]),
    fromItsFolder(readEnvironmentLayer(environment, spellAsKnown), '.'),
    fromItsFolder(readSetLayer([...sources.set, ...(sources.data === undefined ? [] : [`data=${sources.data}`])]), '.'),
  ];
  const checked = check(configSchema, layers);
  if (checked.kind === 'bad') return checked;
  const problems = contradictions(checked.value);
  if (problems.length > 0) return { kind: 'bad', problems };
  const value: Config = { ...checked.value };
  for (const key of FOLDERS) value[key] = resolve(installedIn, value[key]);
  return { kind: 'good', value: freeze(value) };
}

/** A relative folder means: from the file that names it, or from where the command was typed. */
function fromItsFolder(layer: Layer, base: string): Layer {
  if (layer.kind === 'broken') return layer;
  const isFolder = (path: Path) => path.length === 1 && FOLDERS.some((key) => key === path[0]);
  const settings = layer.settings.map((setting) => {
    const typed = setting.text ?? setting.value;
    if (!isFolder(setting.path) || typeof typed !== 'string' || typed === '' || isAbsolute(typed)) return setting;
    const absolute = resolve(join(base, typed));
    return { ...setting, value: absolute, ...(setting.text === undefined ? {} : { text: absolute }) };
  });
  return { kind: 'read', settings };
}

/** SIP, CONTROLPORT or CONTROL_PORT: the known key that reads the same without case and underscores, else lower case. */
function spellAsKnown(words: readonly string[]): Path {
  const path: string[] = [];
  for (const word of words) {
    const parent: z.core.$ZodType | null = schemaAt(configSchema, path);
    const keys = parent === null ? [] : Object.keys(knownKeys(parent) ?? {});
    const plain = word.replaceAll('_', '').toLowerCase();
    path.push(keys.find((key) => key.toLowerCase() === plain) ?? word.toLowerCase());
  }
  return path;
}

/** What no single key is wrong about. */
function contradictions(config: Config): string[] {
  const problems: string[] = [];
  const { rtpFirst, rtpLast, sipPort, eventSocketPort, dialBackPort } = config.media;
  if (rtpLast - rtpFirst < 9) {
    problems.push(
      `configuration: media.rtpLast: ${rtpLast} leaves fewer than ten ports after media.rtpFirst ${rtpFirst}: give a wider range`,
    );
  }
  const ports: readonly (readonly [string, number])[] = [
    ['sip.port', config.sip.port],
    ['sip.controlPort', config.sip.controlPort],
    ['media.sipPort', sipPort],
    ['media.eventSocketPort', eventSocketPort],
    ['media.dialBackPort', dialBackPort],
    ['admin.port', config.admin.port],
  ];
  for (const [i, [key, port]] of ports.entries()) {
    const other = ports.slice(0, i).find(([, taken]) => taken === port && port !== 0);
    if (other) problems.push(`configuration: ${key}: ${port} is also ${other[0]}: give each its own port`);
    if (port >= rtpFirst && port <= rtpLast) {
      problems.push(
        `configuration: ${key}: ${port} lies in the range for sound, media.rtpFirst to media.rtpLast: move one of them`,
      );
    }
  }
  return problems;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}
