import type { SystemFact } from '../../core/audit/index.ts';
import type { CompiledPlan } from '../../core/dialplan/index.ts';
import { nextTry, type Notice, noticeText } from '../../core/voicemail/index.ts';
import type { Clock, Log, NoticeBook } from '../../engine/ports.ts';
import type { Mailer } from '../../mail/index.ts';
import type { HttpPosts } from '../../webhooks/index.ts';
import type { Closing } from './closing.ts';

const everyMs = 2_000;
const atOnce = 8;

export interface NoticeParts {
  readonly book: NoticeBook;
  readonly posts: Pick<HttpPosts, 'post'>;
  readonly mailer: Pick<Mailer, 'send'>;
  readonly plan: () => CompiledPlan;
  readonly clock: Clock;
  readonly log: Log;
  readonly record: (fact: SystemFact) => Promise<unknown>;
}

/**
 * Tells programs of the house and the mail server that messages wait, until each has answered with 2xx or 250. What is sent but not yet
 * written down when the process dies is sent again with the same `Idempotency-Key` or Message-ID, by which it is known.
 */
export function sendNotices(parts: NoticeParts, closing: Pick<Closing, 'add'>): void {
  const { book, plan, posts, mailer, clock, log, record } = parts;
  let isClosed = false;
  let timer: { cancel(): void } | null = null;
  let sending: Promise<unknown> = Promise.resolve();
  /** What became of notices while the store could not take it. */
  const unwritten = new Map<string, string | null>();

  const send = async (notice: Notice & { readonly tries: number }): Promise<void> => {
    const { id, messageId, mailbox, hook } = notice;
    const known = unwritten.get(id);
    const why = known === undefined ? await failure(notice) : known;
    // What was delivered is written down in any case: the next process would send it again.
    if (isClosed && why !== null) return;
    unwritten.set(id, why);
    const at = clock.now();
    const dueAt = why === null ? null : nextTry(notice, notice.tries + 1, at);
    const tries = notice.tries + 1;
    // Written down first: a fact that comes twice is no harm, a notice that does is.
    book.tried(id, dueAt);
    unwritten.delete(id);
    if (why === null) await record({ fact: 'noticeSent', messageId, mailbox, hook, tries });
    else if (dueAt === null) await record({ fact: 'noticeGivenUp', messageId, mailbox, hook, tries, because: why });
    else log.warn({ message: messageId, hook, tries, why }, 'notice not delivered, it is tried again');
  };

  /** null: it is delivered. */
  const failure = async (notice: Notice): Promise<string | null> => {
    const { id, mailbox, hook, to, isUrgent, madeAt } = notice;
    const inForce = plan();
    const text = noticeText(inForce, notice);
    if (hook === '') {
      const subject = `${inForce.source.site}: ${isUrgent ? 'an urgent message' : 'a message'} waits`;
      const letter = await mailer.send({ id, to, subject, text, at: madeAt });
      return letter.kind === 'taken' ? null : letter.why;
    }
    const known = inForce.source.hooks?.find((one) => one.id === hook);
    if (known === undefined) return `the plan has no hook ${hook} any more`;
    const about = { notice: id, event: 'messageLeft', site: inForce.source.site, mailbox, urgent: isUrgent, text };
    const told = { ...about, at: new Date(madeAt).toISOString(), ...(to === '' ? {} : { to }) };
    const posted = await posts.post(known.url, told, known.waitMs, { 'idempotency-key': id });
    if (posted.kind === 'failed') return posted.why;
    return posted.status >= 200 && posted.status < 300 ? null : `it answered with status ${posted.status}`;
  };

  const failed = (error: unknown): void => log.error({ err: error }, 'notices could not be sent, it is tried again');

  const look = (): void => {
    // All of them are waited for: one that is still being sent would be due again.
    sending = (async () => Promise.all(book.due(clock.now(), atOnce).map((one) => send(one).catch(failed))))()
      .catch(failed)
      .then(() => {
        if (!isClosed) timer = clock.after(everyMs, look);
      });
  };
  look();
  closing.add('notices', () => {
    isClosed = true;
    timer?.cancel();
    return sending;
  });
}
