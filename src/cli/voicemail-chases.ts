import { chasedOf } from '../core/voicemail/index.ts';
import type { CommonOptions, Commands, Group } from './command-line.ts';
import { done, Refusal, table } from './report.ts';
import { knownDocuments, siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';

/** Urgent messages that somebody has to take. */
export function chaseCommands(voicemail: Group, answer: Commands['answer']): void {
  voicemail('chases')
    .description('urgent messages that nobody has taken yet, and how far down the chain they are')
    .action(
      answer(async (options: CommonOptions) => {
        const config = siteConfig(options);
        const { store } = await siteStore(config, 'reader');
        try {
          const clock = await siteClock(config, store);
          const known = await knownDocuments(config, store);
          if (known === null) throw new Refusal('there are no documents yet: start the house once with "wardline up"');
          const open = store.chases.open().flatMap(({ left, chase, claimedBy, isGone }) => {
            const about = chase?.name === 'chasing' ? chase.about : chasedOf(known.roster, left);
            if (about === null || claimedBy !== null || isGone) return [];
            const step = chase?.name === 'chasing' ? chase.step : null;
            const until = chase?.name === 'chasing' ? chase.stepEndsAt : null;
            const steps =
              about.service === null
                ? 1
                : (known.roster.service(about.service)?.chains[about.urgency].steps.length ?? 0);
            return [{ ...about, step, steps, until, told: chase?.name === 'chasing' ? chase.told : [] }];
          });
          const rows = open.map(({ messageId, mailbox, urgency, leftAt, step, steps, until, told }) => [
            messageId,
            mailbox,
            urgency === 'stat' ? 'STAT' : urgency,
            clock.show(leftAt),
            step === null ? 'not begun' : step >= steps ? 'house supervisor' : `step ${step + 1} of ${steps}`,
            until === null ? '' : clock.show(until),
            String(told.length),
          ]);
          return done(
            rows.length === 0
              ? ['No urgent message waits for anybody.']
              : [...table(['MESSAGE', 'MAILBOX', '', 'LEFT', 'WITH', 'UNTIL', 'PHONES CALLED'], rows), clock.note],
            {
              chases: open.map(({ messageId, mailbox, service, urgency, leftAt, step, steps, until, told }) => ({
                messageId,
                mailbox,
                service,
                urgency,
                leftAt: new Date(leftAt).toISOString(),
                step: step === null ? null : step + 1,
                isSupervisors: step !== null && step >= steps,
                stepEndsAt: until === null ? null : new Date(until).toISOString(),
                phonesCalled: told.length,
              })),
            },
          );
        } finally {
          await store.close();
        }
      }),
    );
}
