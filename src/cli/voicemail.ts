import type { Config } from '../config/index.ts';
import { instant } from '../core/time/index.ts';
import type { Store } from '../storage/index.ts';
import { exportWav, openMessage } from '../vault/index.ts';
import { attestOnce } from './attest-once.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { writeNew } from './new-file.ts';
import { done, Refusal, table } from './report.ts';
import { knownDocuments, siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';
import { keepCommands } from './voicemail-keep.ts';
import { pinCommands } from './voicemail-pin.ts';
import { whoTypes } from './who-types.ts';

export function voicemailCommands({ group, answer }: Commands): void {
  const voicemail = group('voicemail', 'messages that callers left');
  pinCommands(voicemail, answer);
  keepCommands(voicemail, answer);
  voicemail('list')
    .description('urgent ones first, then the oldest first')
    .option('--mailbox <id>', 'of one mailbox only')
    .action(
      answer(async (options: CommonOptions & { mailbox?: string }) => {
        const config = siteConfig(options);
        const { store } = await siteStore(config, 'reader');
        try {
          const clock = await siteClock(config, store);
          const messages = (await store.messages.list(options.mailbox)).filter(({ state }) => state !== 'deleted');
          if (messages.length === 0 && options.mailbox !== undefined) await mustBeKnown(options.mailbox, config, store);
          const rows = messages.map((message) => [
            message.messageId,
            message.isUrgent ? 'URGENT' : '',
            message.claimed === null ? (message.heard === null ? 'new' : 'heard') : `claimed by ${message.claimed.by}`,
            message.mailbox,
            clock.show(message.at),
            seconds(message.durationMs),
            message.exportedAt === null ? 'never' : clock.show(message.exportedAt),
          ]);
          return done(
            rows.length === 0
              ? ['No messages.']
              : [...table(['MESSAGE', '', 'STATE', 'MAILBOX', 'LEFT', 'LENGTH', 'EXPORTED'], rows), clock.note],
            {
              messages: messages.map((message) => ({
                messageId: message.messageId,
                mailbox: message.mailbox,
                callId: message.callId,
                durationMs: message.durationMs,
                urgent: message.isUrgent,
                at: new Date(message.at).toISOString(),
                exportedAt: isoOf(message.exportedAt),
                state: message.state,
                heard: doneOf(message.heard),
                claimed: doneOf(message.claimed),
              })),
            },
          );
        } finally {
          await store.close();
        }
      }),
    );

  voicemail('export <message>')
    .description('write a message as a WAV file, readable by you alone; the audit notes who did it')
    .option('--out <file>', 'where to (default: <message>.wav here)')
    .action(
      answer(async (messageId: string, options: CommonOptions & { out?: string }) => {
        const config = siteConfig(options);
        const { store, secrets } = await siteStore(config, 'guest');
        try {
          const message = await store.messages.find(messageId);
          if (message === null) {
            throw new Refusal(`there is no message ${messageId}: "wardline voicemail list" shows those that there are`);
          }
          const opened = await openMessage(message.path, [secrets.voicemailIdentity]);
          if (opened.kind === 'refused') {
            throw new Refusal(`message ${messageId} cannot be opened (${opened.reason}): ${message.path}`);
          }
          const out = options.out ?? `${messageId}.wav`;
          const by = whoTypes();
          // Who listened is on record before there is something to listen to.
          await attestOnce(config, store, secrets, { fact: 'messageExported', messageId, by });
          await writeNew(out, (file) => exportWav(opened, file));
          await store.messages.exported(messageId, instant(Date.now()));
          const faults = [
            ...(opened.ending === 'complete' ? [] : ['Its end is missing: the recording was cut off.']),
            ...(opened.damaged.length === 0 ? [] : [`${opened.damaged.length} seconds are damaged and silent.`]),
          ];
          return done(
            [
              `${out}: ${seconds(message.durationMs)} of sound. It is NOT sealed: delete it when you have heard it.`,
              ...faults,
            ],
            { messageId, out, ending: opened.ending, damagedSeconds: opened.damaged.length },
          );
        } finally {
          await store.close();
        }
      }),
    );
}

/** A slip of the pen must not read like an empty mailbox. A mailbox that was given up may still hold messages. */
async function mustBeKnown(mailbox: string, config: Config, store: Store): Promise<void> {
  const known = (await knownDocuments(config, store))?.plan.source.mailboxes.map(({ id }) => id);
  if (known === undefined || known.includes(mailbox)) return;
  throw new Refusal(`--mailbox ${mailbox}: there is no such mailbox; there are ${known.join(', ')}`, 2);
}

function isoOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function doneOf(done: { readonly at: number; readonly by: string } | null) {
  return done === null ? null : { at: isoOf(done.at), by: done.by };
}

function seconds(ms: number): string {
  const whole = Math.round(ms / 1000);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
