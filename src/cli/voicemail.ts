import type { Config } from '../config/index.ts';
import { instant } from '../core/time/index.ts';
import type { Message, Store } from '../storage/index.ts';
import { exportWav, openMessage } from '../vault/index.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { writeNew } from './new-file.ts';
import { onMessage } from './on-message.ts';
import { done, Refusal, table } from './report.ts';
import { knownDocuments, siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';
import { chaseCommands } from './voicemail-chases.ts';
import { greetingCommands } from './voicemail-greetings.ts';
import { keepCommands } from './voicemail-keep.ts';
import { noticeCommands } from './voicemail-notices.ts';
import { pinCommands } from './voicemail-pin.ts';

export function voicemailCommands({ group, answer }: Commands): void {
  const voicemail = group('voicemail', 'messages that callers left');
  pinCommands(voicemail, answer);
  keepCommands(voicemail, answer);
  chaseCommands(voicemail, answer);
  greetingCommands(voicemail, answer);
  noticeCommands(voicemail, answer);
  voicemail('list')
    .description('urgent ones first, then the oldest first')
    .option('--mailbox <id>', 'of one mailbox only')
    .option('--deleted', 'those that were deleted and can still be brought back')
    .action(
      answer(async (options: CommonOptions & { mailbox?: string; deleted?: boolean }) => {
        const config = siteConfig(options);
        const { store } = await siteStore(config, 'reader');
        try {
          const clock = await siteClock(config, store);
          const isWanted = ({ state, shreddedAt }: Message) =>
            shreddedAt === null && (state === 'deleted') === (options.deleted ?? false);
          const messages = (await store.messages.list(options.mailbox)).filter(isWanted);
          if (messages.length === 0 && options.mailbox !== undefined) await mustBeKnown(options.mailbox, config, store);
          const rows = messages.map((message) => [
            message.messageId,
            [...(message.isUrgent ? ['URGENT'] : []), ...(message.isPrivate ? ['private'] : [])].join(' '),
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
                private: message.isPrivate,
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
    .option('--reason <words>', 'why, for the record', '')
    .action(
      answer((messageId: string, options: CommonOptions & { out?: string; reason: string }) =>
        onMessage(messageId, options, async (message, { store, openKeys, attest, by }) => {
          const opened = await openKeys().opening({ messageId, use: 'exported', by }, attest, (identities) =>
            openMessage(message.path, identities),
          );
          if (opened.kind === 'refused') {
            throw new Refusal(`message ${messageId} cannot be opened (${opened.reason}): ${message.path}`);
          }
          const out = options.out ?? `${messageId}.wav`;
          // Who listened is on record before there is something to listen to.
          const { reason } = options;
          if (reason.length > 200) throw new Refusal('--reason takes 200 characters at most: nothing was written', 2);
          await attest({ fact: 'messageExported', messageId, by, device: 'command line', reason });
          await writeNew(out, (file) => exportWav(opened, file));
          await store.messages.exported(messageId, instant(Date.now()));
          const damagedSeconds = (opened.damaged.length * opened.segmentMs) / 1000;
          const faults = [
            ...(opened.ending === 'complete' ? [] : ['Its end is missing: the recording was cut off.']),
            ...(damagedSeconds === 0 ? [] : [`${damagedSeconds} seconds are damaged and silent.`]),
          ];
          return done(
            [
              `${out}: ${seconds(message.durationMs)} of sound. It is NOT sealed: delete it when you have heard it.`,
              ...faults,
            ],
            { messageId, out, ending: opened.ending, damagedSeconds },
          );
        }),
      ),
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
