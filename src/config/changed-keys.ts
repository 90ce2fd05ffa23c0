import { createHash } from 'node:crypto';
import { type Config, configSchema } from './schema.ts';

/** Which keys are not as they come, and a hash that tells this configuration from others: for the record, without values. */
export function identityOf(config: Config): { readonly hash: string; readonly set: readonly string[] } {
  const defaults = new Map(leaves(configSchema.parse({})));
  const ours = leaves(config).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(ours)).digest('hex');
  const set = ours.filter(([key, value]) => defaults.get(key) !== value).map(([key]) => key);
  return { hash: `sha256:${hash}`, set };
}

function leaves(value: unknown, path = ''): [key: string, value: string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, member]) => leaves(member, path === '' ? key : `${path}.${key}`));
}
