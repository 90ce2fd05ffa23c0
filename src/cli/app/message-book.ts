import type { Fact } from '../../core/audit/index.ts';
import type { CallId } from '../../core/call/index.ts';
import type { Instant } from '../../core/time/index.ts';
import type { AuditPort, Clock } from '../../engine/ports.ts';
import type { MessageRow } from '../../storage/index.ts';
import { type Identities, openMessage, soundMs } from '../../vault/index.ts';

export interface MessageBookParts {
  readonly audit: AuditPort;
  readonly save: (message: MessageRow) => Promise<void>;
  readonly find: (messageId: string) => Promise<Pick<MessageRow, 'exportedAt'> | null>;
  readonly clock: Pick<Clock, 'after'>;
  readonly pathOf: (messageId: string) => string;
  /** Shreds what nobody is to hear. Rejects when it cannot. */
  readonly discard: (path: string) => Promise<unknown>;
  /** Milliseconds of sound in a sealed file; 0 when there is none. Rejects when it cannot be looked into. */
  readonly measure: (path: string) => Promise<number>;
  readonly onTrouble: (error: unknown, messageId: string) => void;
}

export interface MessageBook {
  /** Stands between the engine and the audit, and lets every fact pass. */
  readonly audit: AuditPort;
  /**
   * Enters the recordings that a dead process left open: their sound is sealed and safe, only the entry is missing. The
   * media server may go on recording meanwhile: they are looked at again until they have stopped growing.
   */
  recover(callId: CallId, facts: readonly { readonly at: Instant; readonly fact: Fact }[]): Promise<void>;
  /**
   * Enters recordings that nobody knows of, in a moment: what an earlier process has spooled for the audit is to be in it
   * by then, and a recording of a call that is recovered to be in the list. `about` says where one belongs.
   */
  adopt(messageIds: readonly string[], about: (messageId: string) => Promise<Begun>): void;
  /** Resolves when every message whose end is on record is in the list. */
  close(): Promise<void>;
}

const growsWithinMs = 3000;

/** What is known of a message when its recording begins. */
export type Begun = Pick<
  MessageRow,
  'callId' | 'mailbox' | 'isUrgent' | 'isPrivate' | 'callBack' | 'service' | 'urgency' | 'sentBy' | 'at'
>;

/**
 * The list of messages follows from the audit, which says when a recording started and ended: a message is entered once
 * its end is on record, or that of its call, or when the process that had it recorded is dead.
 */
export function messageBook(parts: MessageBookParts): MessageBook {
  const { audit, save, find, clock, pathOf, measure, onTrouble } = parts;
  const open = new Map<string, Begun>();
  const entering = new Set<Promise<void>>();
  const looks = new Set<{ cancel(): void }>();
  let isClosed = false;

  /** `saidMs`: 0 when nobody could say how long it is. Never rejects. */
  async function enter(messageId: string, started: Begun, saidMs: number): Promise<void> {
    try {
      const path = pathOf(messageId);
      // A media server that was lost cannot say how long it recorded; what it sealed is there all the same.
      const durationMs = saidMs > 0 ? saidMs : await measure(path);
      if (durationMs > 0) await save({ messageId, durationMs, path, exportedAt: null, copyOf: null, ...started });
    } catch (error) {
      onTrouble(error, messageId);
    }
  }

  /** Not waited for: the list is no reason to hold up a call. */
  function ended(messageId: string, saidMs: number, marks: Marks = {}): void {
    const started = open.get(messageId);
    open.delete(messageId);
    if (started === undefined) return;
    const entered = enter(messageId, { ...started, ...marks }, saidMs);
    entering.add(entered);
    void entered.then(() => entering.delete(entered));
  }

  function discarded(messageId: string): void {
    open.delete(messageId);
    const gone = parts.discard(pathOf(messageId)).then(
      () => {},
      (error: unknown) => onTrouble(error, messageId),
    );
    entering.add(gone);
    void gone.then(() => entering.delete(gone));
  }

  /** Enters a recording that somebody else may still be writing, until it is as long as at the last look. Never rejects. */
  async function follow(messageId: string, started: Begun, knownMs: number): Promise<void> {
    try {
      const path = pathOf(messageId);
      const durationMs = await measure(path);
      if (isClosed || durationMs === knownMs) return;
      const exportedAt = (await find(messageId))?.exportedAt ?? null;
      if (durationMs > 0) await save({ messageId, durationMs, path, exportedAt, copyOf: null, ...started });
      lookLater(() => follow(messageId, started, durationMs));
    } catch (error) {
      onTrouble(error, messageId);
    }
  }

  function lookLater(work: () => Promise<void>): void {
    const look = clock.after(growsWithinMs, () => {
      looks.delete(look);
      void work();
    });
    looks.add(look);
  }

  /** Never rejects. */
  async function adopt(messageId: string, about: (messageId: string) => Promise<Begun>): Promise<void> {
    try {
      if (isClosed || (await find(messageId)) !== null) return;
      // Nothing was said into it.
      if ((await measure(pathOf(messageId))) === 0) return;
      await follow(messageId, await about(messageId), -1);
    } catch (error) {
      onTrouble(error, messageId);
    }
  }

  return {
    audit: {
      attest: async (entries) => {
        for (const { at, callId, fact } of entries) {
          if (fact.fact === 'recordingStarted') open.set(...begun(at, callId, fact, open));
        }
        const how = await audit.attest(entries);
        for (const { fact, callId } of entries) {
          if (fact.fact === 'messageMarked') mark(open, fact);
          if (fact.fact === 'recordingEnded') ended(fact.messageId, fact.durationMs, marksOf(fact));
          if (fact.fact === 'recordingDiscarded') discarded(fact.messageId);
          // A call that failed cannot say any more what became of its recording.
          if (fact.fact === 'ended') for (const messageId of recordingsOf(callId)) ended(messageId, 0);
        }
        return how;
      },
    },
    async recover(callId, facts) {
      const left = new Map<string, Begun>();
      for (const { at, fact } of facts) {
        if (fact.fact === 'recordingStarted') left.set(...begun(at, callId, fact, left));
        if (fact.fact === 'messageMarked') mark(left, fact);
        if (fact.fact === 'recordingEnded' || fact.fact === 'recordingDiscarded') left.delete(fact.messageId);
      }
      for (const [messageId, started] of left) await follow(messageId, started, -1);
    },
    adopt(messageIds, about) {
      if (messageIds.length === 0) return;
      lookLater(async () => {
        // One after the other: each is read whole.
        for (const messageId of messageIds) await adopt(messageId, about);
      });
    },
    async close() {
      isClosed = true;
      for (const look of looks) look.cancel();
      await Promise.all(entering);
    },
  };

  function recordingsOf(callId: CallId | null): readonly string[] {
    return [...open].filter(([, started]) => started.callId === callId).map(([messageId]) => messageId);
  }
}

type Marks = Partial<Pick<Begun, 'isUrgent' | 'isPrivate' | 'callBack'>>;

/** What a caller says of a message with keys, at once or with its end. */
export function marksOf({
  urgent,
  private: isPrivate,
  callBack,
}: Extract<Fact, { fact: 'recordingEnded' | 'messageMarked' }>): Marks {
  return {
    ...(urgent ? { isUrgent: true } : {}),
    ...(isPrivate ? { isPrivate } : {}),
    ...(callBack === undefined ? {} : { callBack }),
  };
}

function mark(open: Map<string, Begun>, fact: Extract<Fact, { fact: 'messageMarked' }>): void {
  const known = open.get(fact.messageId);
  if (known !== undefined) open.set(fact.messageId, { ...known, ...marksOf(fact) });
}

function begun(
  at: Instant,
  callId: CallId | null,
  fact: Extract<Fact, { fact: 'recordingStarted' }>,
  open: ReadonlyMap<string, Begun>,
): [string, Begun] {
  const { messageId, mailbox, urgent: isUrgent, service = null, urgency = null, sentBy = null } = fact;
  // Marks count for every take that follows; the take before is open until this one is over.
  const before = [...open].find(([id, one]) => one.callId === callId && firstTake(id) === firstTake(messageId))?.[1];
  const { isPrivate, callBack } = before ?? { isPrivate: false, callBack: null };
  return [messageId, { callId, mailbox, isUrgent, isPrivate, callBack, service, urgency, sentBy, at }];
}

function firstTake(messageId: string): string {
  return messageId.replace(/-\d$/, '');
}

/** Milliseconds of sound in a sealed file, up to the last second that was sealed; 0 when nothing was recorded. */
export async function messageLength(path: string, identities: Identities): Promise<number> {
  let opened: Awaited<ReturnType<typeof openMessage>>;
  try {
    opened = await openMessage(path, identities);
  } catch (error) {
    const { cause } = error as { cause?: { code?: unknown } };
    if (cause?.code === 'ENOENT') return 0;
    throw error;
  }
  if (opened.kind === 'refused') {
    if (opened.reason === 'truncated') return 0;
    throw new Error(`${path} cannot be opened: ${opened.reason}`);
  }
  return soundMs(opened);
}
