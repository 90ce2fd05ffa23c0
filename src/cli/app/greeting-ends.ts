import type { Fact } from '../../core/audit/index.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Greeting, Store } from '../../storage/index.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';

const everyMs = 60_000;

export interface GreetingEndParts {
  readonly greetings: Pick<Store['greetings'], 'list' | 'set'>;
  readonly clock: Clock;
  readonly log: Pick<Foundation['log'], 'error'>;
  readonly attest: (fact: Fact) => Promise<unknown>;
  /** Rejects when it cannot. */
  readonly shred: (greetingId: string) => Promise<unknown>;
}

/**
 * Takes absence greetings away that have come to their end. Callers hear the usual one from that second on without this;
 * here it is put on record, and the sound is shredded.
 */
export function watchGreetingEnds(parts: GreetingEndParts, closing: Pick<Closing, 'add'>): void {
  const { greetings, clock, log, attest, shred } = parts;
  let isClosed = false;
  let timer: { cancel(): void } | null = null;
  let looking: Promise<void> = Promise.resolve();

  const end = async ({ mailbox, kind, greetingId, endsAt }: Greeting): Promise<void> => {
    const fact = { fact: 'greetingChanged', how: 'ended', mailbox, kind, greetingId, durationMs: 0 } as const;
    await attest({ ...fact, person: 'system', device: 'Wardline', endsAt });
    // Somebody may have recorded another one while the audit took its time.
    const isStill = greetings.list(mailbox).some((one) => one.greetingId === greetingId && one.endsAt === endsAt);
    if (!isStill) return;
    greetings.set(mailbox, kind, null, { at: clock.now(), by: 'system' });
    await shred(greetingId);
  };
  const look = async (): Promise<void> => {
    for (const greeting of greetings.list()) {
      if (isClosed) return;
      if (greeting.endsAt !== null && greeting.endsAt <= clock.now()) await end(greeting);
    }
  };
  const again = (): void => {
    looking = look().catch((error: unknown) =>
      log.error({ err: error }, 'greetings at their end stay, it is tried again'),
    );
    void looking.then(() => {
      if (!isClosed) timer = clock.after(everyMs, again);
    });
  };
  again();
  closing.add('greetings', () => {
    isClosed = true;
    timer?.cancel();
    return looking;
  });
}
