import { ById } from './by-id.ts';
import type { Problems } from './problem.ts';
import type { Urgency } from './vocabulary.ts';

export const urgencies: readonly Urgency[] = ['stat', 'urgent', 'routine'];

const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
const E164 = /^\+[1-9][0-9]{6,14}$/;
const EXTENSION = /^[0-9]{2,15}$/;

export function isE164(text: string): boolean {
  return E164.test(text);
}

export function isExtensionNumber(text: string): boolean {
  return EXTENSION.test(text);
}

export function isId(text: string): boolean {
  return ID.test(text);
}

/** Names what stands at a key, not what stands behind it. */
export const KEY = { on: 'key' } as const;

export function checkId(id: string, at: string, problems: Problems): void {
  if (isId(id)) return;
  problems.add(at, `"${id}" cannot be an id`, 'use small letters, digits and hyphens, at most 64: dr-ames', KEY);
}

/** The entries of a section by id; twice the same id, or one that is none, is a problem. */
export function byId<Entry extends { readonly id: string }>(
  section: string,
  entries: readonly Entry[],
  problems: Problems,
): ById<Entry> {
  for (const { id } of entries) if (!isId(id)) checkId(id, `${section}.${id}`, problems);
  return new ById(entries, ({ id }) => {
    problems.add(`${section}.${id}`, `${id} is defined twice`, 'give one of them another id', KEY);
  });
}
