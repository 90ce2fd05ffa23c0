import { z } from 'zod';
import { LineFile } from './line-file.ts';
import type { SigningKey, VerifyingKey } from './signing-key.ts';

/** Says, signed, that the beginning of the chain was cut off on purpose. The chain begins behind it from then on. */
export interface Receipt {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** All that was cut off is older than this, milliseconds since 1970. */
  readonly before: number;
  readonly by: string;
  readonly from: number;
  /** Hash of entry `to`, hex: it vouches for all entries before it. */
  readonly hash: string;
  readonly key: string;
  readonly to: number;
  readonly sig: string;
}

const shape = z.strictObject({
  at: z.int(),
  before: z.int(),
  by: z.string().max(256),
  from: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  key: z.string().max(64),
  to: z.int().min(1),
  sig: z.string().max(128),
});

/** Durable when it resolves. */
export async function writeReceipt(path: string, key: SigningKey, cut: Omit<Receipt, 'key' | 'sig'>): Promise<void> {
  const unsigned = { ...cut, key: key.id };
  const file = new LineFile(path);
  try {
    await file.append([JSON.stringify({ ...unsigned, sig: key.sign(receiptText(unsigned)) })]);
  } finally {
    await file.close();
  }
}

/** The one that reaches farthest; null when there is none, or none that was signed with this key. */
export async function lastReceipt(path: string, key: VerifyingKey): Promise<Receipt | null> {
  const file = new LineFile(path);
  let last: Receipt | null = null;
  for await (const line of file.lines(await file.size())) {
    const receipt = parse(line);
    if (receipt === null || receipt.key !== key.id || !key.verify(receiptText(receipt), receipt.sig)) continue;
    if (last === null || receipt.to > last.to) last = receipt;
  }
  return last;
}

function receiptText({ at, before, by, from, hash, key, to }: Omit<Receipt, 'sig'>): string {
  return `wardline audit receipt 1\n${JSON.stringify({ at, before, by, from, hash, key, to })}`;
}

function parse(line: string): Receipt | null {
  try {
    return shape.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
