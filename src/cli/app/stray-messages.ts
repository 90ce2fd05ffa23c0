import { readdir, stat } from 'node:fs/promises';
import type { AuditReader, AuditRecord } from '../../audit-log/index.ts';
import type { Fact } from '../../core/audit/index.ts';
import type { CallId } from '../../core/call/index.ts';
import { type Instant, instant, plusMs } from '../../core/time/index.ts';
import { COMMENT_NAME, COPY_NAME, GREETING_NAME } from '../../core/voicemail/index.ts';
import { type Identities, openMessage } from '../../vault/index.ts';
import { type Begun, marksOf } from './message-book.ts';

/** Recordings below `folder` that are not in the list: whoever should have entered them was killed before it could. */
export async function strayMessages(folder: string, listed: ReadonlySet<string>): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names.flatMap((name) => {
    const messageId = /^([A-Za-z0-9-]{1,64})\.sealed$/.exec(name)?.[1];
    const isMessage = messageId !== undefined && !drafts.some((name) => messageId.startsWith(name));
    return !isMessage || listed.has(messageId) ? [] : [messageId];
  });
}

const drafts = [GREETING_NAME, COMMENT_NAME, COPY_NAME];

/**
 * Greetings, comments and copies that are not in use: whoever made one hung up before it was, or the process died; nobody was
 * told that it is done.
 */
export async function strayDrafts(folder: string, inUse: ReadonlySet<string>): Promise<readonly string[]> {
  const ids = (await readdir(folder)).flatMap((name) => /^([A-Za-z0-9-]{1,64})\.sealed$/.exec(name)?.[1] ?? []);
  return ids.filter((id) => !inUse.has(id) && drafts.some((name) => id.startsWith(name)));
}

/**
 * Where a stray message belongs. The audit says so; where the audit has lost it the container's own description gives the
 * time, and it counts as urgent until somebody has heard it. Rejects when the file cannot be opened.
 */
export async function whatIsKnown(
  message: { readonly messageId: string; readonly path: string },
  identities: Identities,
  audit: Pick<AuditReader, 'list' | 'ofCall'>,
): Promise<Begun> {
  const at = await begunAt(message.path, identities);
  const record = await recordingStarted(message.messageId, at, audit);
  if (record === null) {
    return { callId: null, mailbox: UNKNOWN_MAILBOX, isUrgent: true, ...unmarked, service: null, urgency: null, at };
  }
  const { callId, mailbox, urgent, service = null, urgency = null, sentBy = null } = record;
  const begun: Begun = { callId, mailbox, isUrgent: urgent, ...unmarked, service, urgency, sentBy, at: record.at };
  const facts = callId === null ? [] : (await audit.ofCall(callId)).map(({ fact }) => fact);
  return { ...begun, ...marksIn(facts, message.messageId) };
}

/** At the keys, and with its end: a process may die between either and the list. */
function marksIn(facts: readonly Fact[], messageId: string): ReturnType<typeof marksOf> {
  return Object.assign(
    {},
    ...facts.flatMap((fact) => {
      const isMark = fact.fact === 'messageMarked' || fact.fact === 'recordingEnded';
      return isMark && fact.messageId === messageId ? [marksOf(fact)] : [];
    }),
  ) as ReturnType<typeof marksOf>;
}

const unmarked = { isPrivate: false, callBack: null, sentBy: null } as const;
const UNKNOWN_MAILBOX = 'unknown';

async function begunAt(path: string, identities: Identities): Promise<Instant> {
  const opened = await openMessage(path, identities);
  if (opened.kind === 'refused') throw new Error(`${path} cannot be opened: ${opened.reason}`);
  const said = Date.parse(String(opened.metadata['startedAt']));
  return instant(Number.isNaN(said) ? Math.floor((await stat(path)).mtimeMs) : said);
}

/** The fact is attested just before the recorder starts. */
const LOOKS_BACK_MS = 60_000;
const LOOKS_ON_MS = 5_000;
const PAGE = 1000;

async function recordingStarted(messageId: string, at: Instant, audit: Pick<AuditReader, 'list'>) {
  let afterSeq = await lastBefore(plusMs(at, -LOOKS_BACK_MS), audit);
  for (;;) {
    const page = await audit.list({ afterSeq, limit: PAGE });
    for (const { fact, callId, at } of page) {
      if (fact.fact === 'recordingStarted' && fact.messageId === messageId) {
        return { ...fact, callId: callId as CallId | null, at: instant(at) };
      }
    }
    const last = page.at(-1);
    if (last === undefined || last.at > at + LOOKS_ON_MS) return null;
    afterSeq = last.seq;
  }
}

/** Number of the last entry that is older than `at`; 0 when none is. Entries stand in the order of time. */
async function lastBefore(at: Instant, audit: Pick<AuditReader, 'list'>): Promise<number> {
  const entryBehind = async (afterSeq: number): Promise<AuditRecord | undefined> =>
    (await audit.list({ afterSeq, limit: 1 }))[0];
  let older = 0;
  // Doubling finds an end, halving the place.
  let step = 1;
  for (
    let entry = await entryBehind(step);
    entry !== undefined && entry.at < at;
    entry = await entryBehind(older + step)
  ) {
    older = entry.seq;
    step *= 2;
  }
  for (; step >= 1; step = Math.floor(step / 2)) {
    const entry = await entryBehind(older + step - 1);
    if (entry !== undefined && entry.at < at) older = entry.seq;
  }
  return older;
}
