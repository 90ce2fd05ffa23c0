import type { SystemFact } from '../../core/audit/index.ts';
import type { CompiledPlan } from '../../core/dialplan/index.ts';
import { nextTry, noticeText } from '../../core/voicemail/index.ts';
import type { Clock, DueNotice, Log, NoticeBook } from '../../engine/ports.ts';
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

type Ended = { readonly kind: 'taken' } | { readonly kind: 'failed'; readonly why: string; readonly isUnsure: boolean };

/**
 * Tells programs of the house and the mail server that messages wait, until each has answered with 2xx or 250. Before anything leaves
 * the house the store knows that it may have; so whenever this process ends, the next one loses none, and sends again only what may not
 * have arrived: with the same `Idempotency-Key` or Message-ID, by which it is known, and with a fact that says so.
 *
 *   made -> begun -> answered: over -> on record
 *             |          not taken: made, due later
 *             no answer, or this process died: noticeRepeated, begun again
 */
export function sendNotices(parts: NoticeParts, closing: Pick<Closing, 'add'>): void {
  const { book, plan, posts, mailer, clock, log, record } = parts;
  let isClosed = false;
  let timer: { cancel(): void } | null = null;
  let sending: Promise<unknown> = Promise.resolve();
  /** What became of notices while the store could not take it. */
  const unwritten = new Map<string, Ended>();

  const send = async (notice: DueNotice): Promise<void> => {
    if (notice.outcome !== null) return tell(notice, notice.outcome);
    const known = unwritten.get(notice.id);
    const ended = known ?? (await attempt(notice));
    unwritten.set(notice.id, ended);
    const tries = known === undefined ? notice.tries + 1 : notice.tries;
    const dueAt = ended.kind === 'taken' ? null : nextTry(notice, tries, clock.now());
    const because = ended.kind === 'taken' ? '' : ended.why;
    // What was delivered is written down also while the house stops: the next process would send it again.
    if (ended.kind === 'taken' || dueAt === null) book.over(notice.id, because);
    else book.failed(notice.id, dueAt, ended.isUnsure);
    unwritten.delete(notice.id);
    if (dueAt === null) return tell({ ...notice, tries }, because);
    const { messageId, hook } = notice;
    log.warn({ message: messageId, hook, tries, why: because }, 'notice not delivered, it is tried again');
  };

  /** A fact that comes twice is no harm, one that is missing is: it is owed until the store has noted that it is told. */
  const tell = async ({ id, messageId, mailbox, hook, tries }: DueNotice, because: string): Promise<void> => {
    const about = { messageId, mailbox, hook, tries };
    await record(because === '' ? { fact: 'noticeSent', ...about } : { fact: 'noticeGivenUp', ...about, because });
    book.recorded(id);
  };

  const attempt = async (notice: DueNotice): Promise<Ended> => {
    const { id, messageId, mailbox, hook, tries } = notice;
    if (notice.begunAt !== null) await record({ fact: 'noticeRepeated', messageId, mailbox, hook, tries });
    book.begun(id, clock.now());
    return hook === '' ? byMail(notice) : byHook(notice);
  };

  const byMail = ({ id, to, madeAt, ...notice }: DueNotice): Promise<Ended> => {
    const text = noticeText(plan(), { id, to, madeAt, ...notice });
    const subject = `${plan().source.site}: ${notice.isUrgent ? 'an urgent message' : 'a message'} waits`;
    return mailer.send({ id, to, subject, text, at: madeAt });
  };

  const byHook = async (notice: DueNotice): Promise<Ended> => {
    const { id, mailbox, hook, to, isUrgent, madeAt } = notice;
    const { site, hooks } = plan().source;
    const known = hooks?.find((one) => one.id === hook);
    if (known === undefined) return refused(`the plan has no hook ${hook} any more`);
    const text = noticeText(plan(), notice);
    const about = { notice: id, event: 'messageLeft', site, mailbox, urgent: isUrgent, text };
    const told = { ...about, at: new Date(madeAt).toISOString(), ...(to === '' ? {} : { to }) };
    const posted = await posts.post(known.url, told, known.waitMs, { 'idempotency-key': id });
    if (posted.kind === 'failed') return posted;
    const isTaken = posted.status >= 200 && posted.status < 300;
    return isTaken ? { kind: 'taken' } : refused(`it answered with status ${posted.status}`);
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

function refused(why: string): Ended {
  return { kind: 'failed', why, isUnsure: false };
}
