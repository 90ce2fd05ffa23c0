import { rename } from 'node:fs/promises';
import { PortError } from '../engine/ports.ts';
import { openMessage } from './message.ts';
import { SealedFile } from './sealed-file.ts';
import type { RefusalReason } from './sealed-parts.ts';
import { SealedWriter } from './sealed-writer.ts';
import type { Identities } from './wrap-key.ts';
import { shredSealed } from './shred.ts';

/** Text lies in the same container as sound, its UTF-8 in place of the samples, and this in the description. */
const HOLDS_TEXT = { holds: 'text' } as const;
const format = { encoding: 'PCMU', rate: 8000, channels: 1 } as const;

/** Seals a text like the sound it belongs to; one that was there is shredded. Rejects when the disk does not take it. */
export async function sealText(path: string, text: string, recipients: readonly string[]): Promise<void> {
  // Whoever reads finds the whole of it or nothing.
  const draft = `${path}.part`;
  await shredSealed(draft);
  const sink = await SealedFile.create(draft);
  try {
    const writer = await SealedWriter.open({ sink, recipients, format, metadata: HOLDS_TEXT });
    const bytes = Buffer.from(text, 'utf8');
    writer.push(bytes);
    bytes.fill(0);
    await writer.close();
  } catch (error) {
    await sink.close().catch(() => {});
    await shredSealed(draft);
    throw error;
  }
  await shredSealed(path);
  await rename(draft, path);
}

/** null: there is no such file. Rejects with PortError storeUnavailable when it cannot be read at all. */
export async function openText(
  path: string,
  identities: Identities,
): Promise<
  | { readonly kind: 'opened'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: RefusalReason }
  | null
> {
  let opened: Awaited<ReturnType<typeof openMessage>>;
  try {
    opened = await openMessage(path, identities);
  } catch (error) {
    const { cause } = error as { cause?: { code?: unknown } };
    if (error instanceof PortError && cause?.code === 'ENOENT') return null;
    throw error;
  }
  if (opened.kind === 'refused') return opened;
  if (opened.metadata['holds'] !== HOLDS_TEXT.holds) return { kind: 'refused', reason: 'notSealed' };
  if (opened.ending !== 'complete') return { kind: 'refused', reason: 'truncated' };
  if (opened.damaged.length > 0) return { kind: 'refused', reason: 'damaged' };
  return { kind: 'opened', text: Buffer.from(opened.audio).toString('utf8') };
}
