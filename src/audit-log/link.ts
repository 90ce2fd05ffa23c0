import { createHash } from 'node:crypto';
import type { ChainHead, ChainRow } from '../core/audit/index.ts';

/** An entry on its way into the chain. */
export interface Body {
  readonly at: number;
  readonly callId: string | null;
  readonly body: string;
}

export const GENESIS: ChainHead = { seq: 0, hash: new Uint8Array(32) };

/** Chains bodies behind `after`, in order. */
export function link(after: ChainHead, bodies: readonly Body[]): readonly ChainRow[] {
  let { seq, hash: prev } = after;
  return bodies.map(({ at, callId, body }) => {
    seq += 1;
    const row = { seq, at, callId, body, prev, hash: hashOf(prev, body) };
    prev = row.hash;
    return row;
  });
}

/** SHA-256(prev ‖ UTF-8 of body). */
export function hashOf(prev: Uint8Array, body: string): Uint8Array {
  return createHash('sha256').update(prev).update(body, 'utf8').digest();
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
