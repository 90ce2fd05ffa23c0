import { plusMs } from '../../core/time/index.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Message, Store } from '../../storage/index.ts';
import { exportWav, openMessage, sealText, shredSealed } from '../../vault/index.ts';
import { textPath } from '../text-path.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';
import type { Transcriber } from './transcriber.ts';

const everyMs = 2_000;
const mostTries = 3;
const againMs = 60_000;
/** Who switches it on has the messages of today read, not those of a year. */
const looksBackMs = 24 * 3_600_000;

/**
 * Makes text of one message after the other. The text is sealed beside the sound and shredded with it; it is in no log and no fact, and
 * what goes wrong leaves the message as it was.
 */
export function makeTranscripts(
  { log, keys, record }: Pick<Foundation, 'log' | 'keys' | 'record'>,
  parts: {
    readonly store: Pick<Store, 'messages' | 'transcripts'>;
    readonly transcribe: Transcriber;
    /** null: the mailbox belongs to none. */
    readonly unitOf: (mailbox: string) => string | null;
    readonly clock: Clock;
  },
  closing: Pick<Closing, 'add'>,
): void {
  const { store, transcribe, unitOf, clock } = parts;
  const stop = new AbortController();
  let timer: { cancel(): void } | null = null;

  const make = async ({ messageId, mailbox, path }: Message): Promise<void> => {
    const opened = await keys.opening({ messageId, use: 'transcribed', by: 'system' }, record, (identities) =>
      openMessage(path, identities),
    );
    if (opened.kind === 'refused') throw new Error(`it cannot be opened (${opened.reason})`);
    try {
      const text = (await transcribe((to) => exportWav(opened, to), stop.signal)).trim();
      const there = textPath(path);
      await sealText(there, text, keys.recipientsFor(mailbox, unitOf(mailbox)));
      // Deleted meanwhile: its text is not to outlive it.
      const now = await store.messages.find(messageId);
      if (now === null || now.shreddedAt !== null) await shredSealed(there);
    } finally {
      opened.audio.fill(0);
    }
  };

  const next = async (): Promise<void> => {
    const at = clock.now();
    const due = store.transcripts.due(at, plusMs(at, -looksBackMs));
    if (due === null) return;
    const { messageId, mailbox } = due.message;
    const tries = due.tries + 1;
    const why = await make(due.message).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    // A house that stops has not tried.
    if (stop.signal.aborted && why !== null) return;
    const dueAt = why === null || tries >= mostTries ? null : plusMs(clock.now(), againMs * tries);
    store.transcripts.tried(messageId, tries, dueAt);
    if (why === null) await record({ fact: 'messageTranscribed', messageId, mailbox, tries });
    else if (dueAt === null) await record({ fact: 'transcriptGivenUp', messageId, mailbox, tries, because: why });
    else log.warn({ message: messageId, tries, why }, 'no text was made of a message, it is tried again');
  };

  let working: Promise<void> = Promise.resolve();
  const look = (): void => {
    working = next()
      .catch((error: unknown) => log.error({ err: error }, 'text could not be made of messages, it is tried again'))
      .then(() => {
        if (!stop.signal.aborted) timer = clock.after(everyMs, look);
      });
  };
  look();
  closing.add('transcripts', () => {
    stop.abort();
    timer?.cancel();
    return working;
  });
}
