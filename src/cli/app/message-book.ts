import type { Fact } from '../../core/audit/index.ts';
import type { CallId } from '../../core/call/index.ts';
import type { Instant } from '../../core/time/index.ts';
import type { AuditPort } from '../../engine/ports.ts';

/** What the list of messages needs to keep; the sound is the sealed file at `path`. */
export interface Message {
  readonly messageId: string;
  readonly mailbox: string;
  readonly callId: string | null;
  readonly at: Instant;
  readonly durationMs: number;
  readonly isUrgent: boolean;
  readonly path: string;
  readonly exportedAt: Instant | null;
}

export interface MessageBookParts {
  readonly audit: AuditPort;
  readonly save: (message: Message) => Promise<void>;
  readonly pathOf: (messageId: string) => string;
  /** Length of what is in a sealed file; 0 when there is none or nothing in it. */
  readonly measure: (path: string) => Promise<number>;
  readonly onTrouble: (error: unknown, messageId: string) => void;
}

/**
 * The audit says when a recording started and ended; the list of messages follows from that. So it stands between the
 * engine and the audit, lets every fact pass, and enters a message once its end is on record.
 */
export function messageBook({ audit, save, pathOf, measure, onTrouble }: MessageBookParts): AuditPort {
  const open = new Map<string, Omit<Message, 'messageId' | 'durationMs' | 'path' | 'exportedAt'>>();

  async function enter(messageId: string, said: number): Promise<void> {
    const started = open.get(messageId);
    open.delete(messageId);
    if (started === undefined) return;
    const path = pathOf(messageId);
    // A media server that was lost cannot say how long it recorded; what it sealed is there all the same.
    const durationMs = said > 0 ? said : await measure(path);
    if (durationMs > 0) await save({ messageId, durationMs, path, exportedAt: null, ...started });
  }

  /** Recordings that are over with this fact, and how long the recorder says they are; 0 if it says nothing. */
  function overWith(fact: Fact, callId: string | null): readonly (readonly [messageId: string, saidMs: number])[] {
    if (fact.fact === 'recordingEnded') return [[fact.messageId, fact.durationMs]];
    // A recorder that never answered, or a call that failed: what was sealed until then is a message all the same.
    if (fact.fact !== 'ended') return [];
    return [...open].flatMap(([messageId, started]) => (started.callId === callId ? [[messageId, 0] as const] : []));
  }

  return {
    attest: async (entries) => {
      for (const { at, callId, fact } of entries) {
        if (fact.fact !== 'recordingStarted') continue;
        open.set(fact.messageId, { mailbox: fact.mailbox, isUrgent: fact.urgent, callId, at });
      }
      const how = await audit.attest(entries);
      for (const { fact, callId } of entries) {
        for (const [messageId, saidMs] of overWith(fact, callId)) {
          enter(messageId, saidMs).catch((error: unknown) => onTrouble(error, messageId));
        }
      }
      return how;
    },
  };
}

/** Recordings of a call that a dead process left open: their sound is sealed and safe, only the entry is missing. */
export function unfinishedRecordings(
  callId: CallId,
  facts: readonly { readonly at: Instant; readonly fact: Fact }[],
): readonly Omit<Message, 'durationMs' | 'path'>[] {
  const ended = new Set(facts.flatMap(({ fact }) => (fact.fact === 'recordingEnded' ? [fact.messageId] : [])));
  return facts.flatMap(({ at, fact }) => {
    if (fact.fact !== 'recordingStarted' || ended.has(fact.messageId)) return [];
    const { messageId, mailbox, urgent } = fact;
    return [{ messageId, mailbox, isUrgent: urgent, callId, at, exportedAt: null }];
  });
}
