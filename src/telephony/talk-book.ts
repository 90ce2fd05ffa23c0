import { z } from 'zod';
import type { CallId, LegId } from '../core/call/index.ts';
import { markOf, type SrfDialog } from './client-libraries/index.ts';
import { KeptLines } from './kept-lines.ts';
import type { Log } from './ports.ts';
import type { Signalling } from './signalling.ts';

const text = z.string().max(512);
const keptDialog = z.strictObject({
  /** Name of the signalling server that knows it. */
  server: text,
  id: text,
  role: z.enum(['uac', 'uas']),
  callId: text,
  localTag: text,
  remoteTag: text,
  contact: text,
});
const keptTalk = z.strictObject({
  callId: text.transform((id) => id as CallId),
  leg: text.transform((id) => id as LegId),
  caller: keptDialog,
  called: keptDialog,
  /** Those of the media server, where the sound goes through one. */
  media: z.strictObject({ caller: keptDialog, called: keptDialog }).nullable(),
});
const line = z.union([keptTalk, z.strictObject({ over: text })]);

export type KeptDialog = z.output<typeof keptDialog>;

/** Two people who hear each other, and the dialogs that this takes. */
export type KeptTalk = z.output<typeof keptTalk>;

/** Conversations, in a file that outlives this process: the next one goes on with them. */
export class TalkBook {
  /** Of a process before this one; `over` when they are. */
  readonly left: readonly KeptTalk[];
  readonly #running: Map<string, KeptTalk>;
  readonly #lines: KeptLines;
  readonly #signalling: Signalling;

  /** `path` absent: nothing is kept. */
  constructor(path: string | undefined, signalling: Signalling, log: Log) {
    this.#signalling = signalling;
    this.#running = read(KeptLines.read(path));
    this.left = [...this.#running.values()];
    const all = () => [...this.#running.values()].map((talk) => JSON.stringify(talk));
    this.#lines = new KeptLines(path, { what: 'conversations', log, all });
  }

  /** Again for the same call: it goes on over other dialogs. */
  began(
    call: { readonly callId: CallId; readonly leg: LegId },
    phones: { readonly caller: SrfDialog; readonly called: SrfDialog },
    media: { readonly caller: SrfDialog; readonly called: SrfDialog } | null,
  ): void {
    const { callId, leg } = call;
    const [caller, called] = [this.#kept(phones.caller), this.#kept(phones.called)];
    const sound = media === null ? null : { caller: this.#kept(media.caller), called: this.#kept(media.called) };
    const isWhole = caller !== null && called !== null && (sound === null || (sound.caller && sound.called));
    const talk = isWhole ? keptTalk.safeParse({ callId, leg, caller, called, media: sound }) : undefined;
    // One side is hanging up in this moment, or has a Call-ID that nobody would want to keep.
    if (talk?.success !== true) return this.over(callId);
    this.#running.set(callId, talk.data);
    this.#lines.write(JSON.stringify(talk.data));
  }

  /** May be called for any call, and twice. */
  over(callId: CallId): void {
    if (this.#running.delete(callId)) this.#lines.write(JSON.stringify({ over: callId }));
  }

  close(): void {
    this.#lines.close();
  }

  #kept(dialog: SrfDialog): KeptDialog | null {
    const home = this.#signalling.links.find((link) => link.dialogs.has(dialog) || link.mediaDialogs.has(dialog));
    return home === undefined ? null : { server: home.name, ...markOf(dialog) };
  }
}

function read(lines: readonly string[]): Map<string, KeptTalk> {
  const running = new Map<string, KeptTalk>();
  for (const written of lines) {
    const parsed = line.safeParse(asJson(written));
    // The last line may be torn.
    if (!parsed.success) continue;
    if ('over' in parsed.data) running.delete(parsed.data.over);
    else running.set(parsed.data.callId, parsed.data);
  }
  return running;
}

function asJson(written: string): unknown {
  try {
    return JSON.parse(written) as unknown;
  } catch {
    return null;
  }
}
