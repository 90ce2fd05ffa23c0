import { readFile, stat } from 'node:fs/promises';
import { PortError } from '../engine/ports.ts';
import { openSealed, type OpenResult } from './open-sealed.ts';
import type { Identities } from './wrap-key.ts';

/** 24 h of telephone audio is 691 MB; a message is minutes. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Opens a sealed file. One of `identities` must belong to a recipient. A file that is damaged, cut
 * or not for these identities is a `refused` or partly opened result; rejects with PortError storeUnavailable only when
 * the file cannot be read at all.
 */
export async function openMessage(path: string, identities: Identities): Promise<OpenResult> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) return { kind: 'refused', reason: 'notSealed' };
    bytes = await readFile(path);
  } catch (cause) {
    const code = String((cause as { code?: unknown }).code ?? cause);
    const remedy = code === 'ENOENT' ? 'it was deleted or moved' : 'check who owns it';
    throw new PortError('storeUnavailable', { cause, says: `the message ${path} cannot be read (${code}); ${remedy}` });
  }
  return openSealed(bytes, identities);
}
