import { type Instant, instant } from '../core/time/index.ts';
import type { GreetingKind } from '../core/voicemail/index.ts';
import type { Greeting } from '../storage/index.ts';
import { shredSealed } from '../vault/index.ts';
import { attestOnce } from './attest-once.ts';
import type { CommonOptions, Commands, Group } from './command-line.ts';
import { dataFolders } from './folders.ts';
import { sealedPath } from './app/sealed-path.ts';
import { done, Refusal, table } from './report.ts';
import { knownDocuments, siteClock } from './site-documents.ts';
import { instantFrom, siteConfig, siteStore } from './site.ts';
import { whoTypes } from './who-types.ts';

interface WithReason extends CommonOptions {
  readonly reason: string;
}

/** What callers hear before the tone, as far as it was recorded by phone. */
export function greetingCommands(voicemail: Group, answer: Commands['answer']): void {
  const greeting = voicemail.group(
    'greeting',
    'what callers hear before the tone; they are recorded by phone (*97, 9, 4)',
  );
  greeting('list')
    .description('the recorded ones: usual, closed (out of hours), absence')
    .option('--mailbox <id>', 'of one mailbox only')
    .action(
      answer(async (options: CommonOptions & { mailbox?: string }) => {
        const config = siteConfig(options);
        const { store } = await siteStore(config, 'reader');
        try {
          const clock = await siteClock(config, store);
          const greetings = store.greetings.list(options.mailbox);
          const rows = greetings.map(({ mailbox, kind, setAt, setBy, endsAt }) => [
            mailbox,
            kind,
            clock.show(setAt),
            setBy,
            endsAt === null ? '' : clock.show(endsAt),
          ]);
          return done(
            rows.length === 0
              ? ['None was recorded: callers hear what the house says.']
              : [...table(['MAILBOX', 'KIND', 'RECORDED', 'BY', 'UNTIL'], rows), clock.note],
            {
              greetings: greetings.map(({ setAt, endsAt, ...rest }) => ({
                ...rest,
                setAt: new Date(setAt).toISOString(),
                endsAt: endsAt === null ? null : new Date(endsAt).toISOString(),
              })),
            },
          );
        } finally {
          await store.close();
        }
      }),
    );

  greeting('delete <mailbox> <kind>')
    .description('kind: usual, closed or absence; callers hear the next best, and its sound is shredded')
    .requiredOption('--reason <words>', 'why, for the record')
    .action(
      answer((mailbox: string, kind: string, options: WithReason) =>
        onGreeting(mailbox, kind, options, async ({ known, store, folders, attest, by }) => {
          await attest({ how: 'deleted' });
          store.greetings.set(mailbox, known.kind, null, { at: instant(Date.now()), by });
          await shredSealed(sealedPath(folders, known.greetingId));
          return done([`The greeting (${kind}) of mailbox ${mailbox} is gone.`], { mailbox, kind, deleted: true });
        }),
      ),
    );

  greeting('until <mailbox> <time>')
    .description('when the absence greeting ends, as "2026-12-01 08:00", or "open" for no end')
    .requiredOption('--reason <words>', 'why, for the record')
    .action(
      answer((mailbox: string, time: string, options: WithReason) =>
        onGreeting(mailbox, 'absence', options, async ({ store, attest, zone, show }) => {
          const endsAt = time === 'open' ? null : instantFrom(time, zone, undefined, '<time>');
          if (endsAt !== null && endsAt <= Date.now()) {
            throw new Refusal(`<time> ${time} is over already: give one to come, or "open"; nothing was changed`, 2);
          }
          await attest({ how: 'endSet', endsAt });
          store.greetings.setAbsenceEnd(mailbox, endsAt);
          const until = endsAt === null ? 'has no end' : `ends at ${show(endsAt)}`;
          return done([`The absence greeting of mailbox ${mailbox} ${until}.`], {
            mailbox,
            endsAt: endsAt === null ? null : new Date(endsAt).toISOString(),
          });
        }),
      ),
    );
}

interface Hands {
  readonly known: Greeting;
  readonly store: Awaited<ReturnType<typeof siteStore>>['store'];
  readonly folders: ReturnType<typeof dataFolders>;
  readonly attest: (
    what: { readonly how: 'deleted' } | { readonly how: 'endSet'; readonly endsAt: Instant | null },
  ) => Promise<void>;
  readonly by: string;
  /** Of the site. */
  readonly zone: string;
  readonly show: (at: Instant) => string;
}

async function onGreeting<T>(
  mailbox: string,
  kind: string,
  options: WithReason,
  work: (hands: Hands) => Promise<T>,
): Promise<T> {
  if (!isKind(kind)) throw new Refusal(`there is no greeting "${kind}": usual, closed or absence`, 2);
  if (options.reason.trim() === '' || options.reason.length > 200) {
    throw new Refusal('--reason takes 1 to 200 characters, and no names of patients', 2);
  }
  const config = siteConfig(options);
  const { store, secrets } = await siteStore(config, 'guest');
  try {
    const known = store.greetings.list(mailbox).find((one) => one.kind === kind);
    if (known === undefined) {
      throw new Refusal(
        `mailbox ${mailbox} has no recorded greeting (${kind}): "wardline voicemail greeting list" shows those that there are`,
      );
    }
    const by = whoTypes();
    const clock = await siteClock(config, store);
    const { greetingId } = known;
    const fact = { fact: 'greetingChanged', mailbox, kind, greetingId, durationMs: 0 } as const;
    const who = { person: by, device: 'command line', reason: options.reason };
    return await work({
      known,
      store,
      folders: dataFolders(config.data),
      attest: (what) => attestOnce(config, store, secrets, { ...fact, ...who, ...what }),
      by,
      zone: (await knownDocuments(config, store))?.plan.source.zone ?? 'UTC',
      show: (at) => clock.show(at),
    });
  } finally {
    await store.close();
  }
}

function isKind(kind: string): kind is GreetingKind {
  return kind === 'usual' || kind === 'closed' || kind === 'absence';
}
