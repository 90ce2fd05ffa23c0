import { instant } from '../core/time/index.ts';
import type { CommonOptions, Commands, Group } from './command-line.ts';
import { done, Refusal, table } from './report.ts';
import { siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';

const mostShown = 500;

/** What was told, or is to be told, to programs of the house and the mail server. */
export function noticeCommands(voicemail: Group, answer: Commands['answer']): void {
  const notice = voicemail.group('notice', 'who is told by pager, SMS or e-mail that a message waits');
  notice('list')
    .description(`those that are not sent yet, the newest first, ${mostShown} at most`)
    .option('--all', 'also those that were sent or given up ("wardline audit search --mailbox" tells which)')
    .action(
      answer(async (options: CommonOptions & { all?: boolean }) => {
        const config = siteConfig(options);
        const { store } = await siteStore(config, 'reader');
        try {
          const clock = await siteClock(config, store);
          const notices = store.notices.list(options.all ? 'all' : 'waiting', mostShown);
          const rows = notices.map(({ messageId, mailbox, hook, to, tries, madeAt, dueAt, outcome }) => [
            messageId,
            mailbox,
            hook || 'e-mail',
            to,
            clock.show(madeAt),
            String(tries),
            dueAt === null || outcome !== null ? 'over' : clock.show(dueAt),
          ]);
          return done(
            rows.length === 0
              ? ['No notice waits to be sent.']
              : [...table(['MESSAGE', 'MAILBOX', 'BY', 'TO', 'MADE', 'TRIES', 'NEXT TRY'], rows), clock.note],
            {
              notices: notices.map(({ madeAt, dueAt, begunAt, ...rest }) => ({
                ...rest,
                madeAt: new Date(madeAt).toISOString(),
                dueAt: dueAt === null ? null : new Date(dueAt).toISOString(),
                unsureSince: begunAt === null ? null : new Date(begunAt).toISOString(),
              })),
            },
          );
        } finally {
          await store.close();
        }
      }),
    );

  notice('retry <message>')
    .description('try the notices of a message now instead of later; one that was sent is not sent again')
    .action(
      answer(async (messageId: string, options: CommonOptions) => {
        const { store } = await siteStore(siteConfig(options), 'guest');
        try {
          const tried = store.notices.hurry(messageId, instant(Date.now()));
          if (tried === 0) {
            throw new Refusal(`message ${messageId} has no notice that waits: "wardline voicemail notice list --all"`);
          }
          return done([`${tried} of message ${messageId}: tried as soon as the house looks.`], { messageId, tried });
        } finally {
          await store.close();
        }
      }),
    );
}
