import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { SigningKey, VerifyingKey } from './signing-key.ts';

/**
 * What this house puts its name to: "entry `seq` of my chain has this hash, and these were the entries before it".
 * docs/reference/audit-chain.md is its specification.
 */
export interface Checkpoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The first entry that is covered; the one behind the last checkpoint. */
  readonly from: number;
  /** Hash of entry `seq`, hex. */
  readonly hash: string;
  readonly key: string;
  /** SHA-256 of the marks, hex. */
  readonly marksHash: string;
  /** SHA-256 of the signed text of the checkpoint before, hex; '' for the first one. */
  readonly prev: string;
  /** The last entry that is covered. */
  readonly seq: number;
  readonly sig: string;
  /** The first 8 bytes of the hash of each entry, base64: they tell which entry it was. Not in what is sent outside. */
  readonly marks?: string;
}

export const MARK_BYTES = 8;
/** The most entries under one checkpoint. */
export const MAX_MARKS = 4096;

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const shape = z.strictObject({
  at: z.int(),
  from: z.int().min(1),
  hash: hex,
  key: z.string().max(64),
  marksHash: hex,
  prev: z.union([hex, z.literal('')]),
  seq: z.int().min(1),
  sig: z.string().max(128),
  marks: z
    .base64()
    .max((MAX_MARKS * MARK_BYTES * 4) / 3 + 4)
    .exactOptional(),
});

/** What is signed, byte for byte. */
export function checkpointText({ at, from, hash, key, marksHash, prev, seq }: Omit<Checkpoint, 'sig'>): string {
  return `wardline audit checkpoint 1\n${JSON.stringify({ at, from, hash, key, marksHash, prev, seq })}`;
}

export function signCheckpoint(
  key: SigningKey,
  covers: Pick<Checkpoint, 'at' | 'from' | 'seq' | 'prev'> & {
    readonly hash: Uint8Array;
    readonly marks: Uint8Array;
  },
): Checkpoint {
  const { at, from, seq, prev, marks } = covers;
  const hash = Buffer.from(covers.hash).toString('hex');
  const unsigned = { at, from, hash, key: key.id, marksHash: digest(marks), prev, seq };
  return { ...unsigned, sig: key.sign(checkpointText(unsigned)), marks: Buffer.from(marks).toString('base64') };
}

/** null for what is no checkpoint at all: a torn line, another file. */
export function parseCheckpoint(line: string): Checkpoint | null {
  try {
    return shape.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** Whether the owner of the key has made it, marks and all. */
export function isGenuine(checkpoint: Checkpoint, key: VerifyingKey): boolean {
  const { marks, marksHash, sig, from, seq } = checkpoint;
  if (marks !== undefined) {
    const bytes = Buffer.from(marks, 'base64');
    if (digest(bytes) !== marksHash || bytes.length !== (seq - from + 1) * MARK_BYTES) return false;
  }
  return checkpoint.key === key.id && key.verify(checkpointText(checkpoint), sig);
}

/** What the next checkpoint calls `prev`. */
export function digestOf(checkpoint: Checkpoint): string {
  return digest(checkpointText(checkpoint));
}

/** One line for places outside: without the marks. */
export function anchorLine({ at, from, hash, key, marksHash, prev, seq, sig }: Checkpoint): string {
  return JSON.stringify({ at, from, hash, key, marksHash, prev, seq, sig });
}

function digest(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
