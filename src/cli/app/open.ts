import { basename, join } from 'node:path';
import { startAdmin } from '../../admin/index.ts';
import type { CompiledPlan } from '../../core/dialplan/index.ts';
import { instant } from '../../core/time/index.ts';
import { systemClock } from '../../engine/index.ts';
import { auditReader } from '../audit-reader.ts';
import { type Identities, shredSealed } from '../../vault/index.ts';
import { HttpPosts } from '../../webhooks/index.ts';
import { noticesOf } from '../../core/voicemail/index.ts';
import { examplePhones, worthDialling } from '../example-phones.ts';
import type { Remembered } from '../remembered.ts';
import { Refusal } from '../report.ts';
import { readJson } from '../supervise/run-files.ts';
import { version } from '../version.ts';
import type { BannerFacts } from './banner.ts';
import { calendarsOf } from './calendars.ts';
import { type Calls, openCalls } from './calls.ts';
import { Closing } from './closing.ts';
import { openDocuments } from './documents.ts';
import { watchFeeds } from './feeds.ts';
import { type Foundation, openFoundation } from './foundation.ts';
import { readLinks } from './links.ts';
import { mailerOf } from './mailer.ts';
import { hostAndPort, reachable } from './reachable.ts';
import { watchKeys } from './keys.ts';
import { messageBook, type MessageBook, messageLength } from './message-book.ts';
import { PatientWriter } from './patient-writer.ts';
import { sealLeftovers } from './plain-recordings.ts';
import { watchGreetingEnds } from './greeting-ends.ts';
import { sendNotices } from './notices.ts';
import { readinessOf, starting } from './readiness.ts';
import { sealedPath } from './sealed-path.ts';
import { watchRetention } from './retention.ts';
import { unitOfMailbox } from '../unit-of.ts';
import { transcriberOf } from './transcriber.ts';
import { makeTranscripts } from './transcripts.ts';
import { strayDrafts, strayMessages, whatIsKnown } from './stray-messages.ts';

export interface App {
  /** As `ready.json` tells it: "udp/127.0.0.1:5060" for each transport served, and the address of the admin server. */
  readonly serves: { readonly sip: readonly string[]; readonly admin: string };
  readonly banner: BannerFacts;
  /** No new calls, running ones may end for a while; then everything is written and closed. May be called twice. */
  close(): Promise<void>;
}

/**
 * Builds the house: store and secrets, documents, messages, admin, calls, in that order, and closes it the other way
 * round. Rejects with Refusal or PortError that names what is wrong and what to do; then nothing is left open.
 */
export async function openApp(configFile: string, terminal: (line: string) => void): Promise<App> {
  const closing = new Closing();
  try {
    return await build(readJson(configFile) as Remembered, terminal, closing);
  } catch (error) {
    await closing.close();
    throw error;
  }
}

async function build(house: Remembered, terminal: (line: string) => void, closing: Closing): Promise<App> {
  const { config, advertised, drainMs } = house;
  const foundation = await openFoundation(config, terminal, closing);
  const documents = await openDocuments(foundation, closing);
  watchFeeds(foundation, documents, closing);
  const writer = patientWriter(foundation, closing);
  const plan = () => documents.current().plan;
  const messages = await openMessages(foundation, plan, writer, closing);
  const posts = new HttpPosts({ clock: systemClock, options: config.webhooks });
  const { store, log, record } = foundation;
  sendNotices(
    { book: store.notices, posts, mailer: mailerOf(config.mail), plan, clock: systemClock, log, record },
    closing,
  );
  const transcribe = transcriberOf(config.transcription, posts);
  const unitOf = (mailbox: string) => unitOfMailbox(documents.current(), mailbox);
  if (transcribe !== null) makeTranscripts(foundation, { store, transcribe, unitOf, clock: systemClock }, closing);
  watchRetention(foundation, { plan, clock: systemClock }, closing);
  watchGreetingEnds(
    {
      greetings: store.greetings,
      clock: systemClock,
      log,
      attest: (fact) => foundation.audit.attest([{ at: systemClock.now(), callId: null, fact }]),
      shred: (greetingId) => shredSealed(sealedPath(foundation.folders, greetingId)),
    },
    closing,
  );
  watchKeys(foundation, { documents: () => documents.current(), clock: systemClock }, closing);
  const links = readLinks(config);
  // Before the calls, so that it is closed after them: whoever watches a house that is stopping sees that it does.
  let calls: Calls | null = null;
  const admin = await openAdmin(foundation, () => calls, closing);
  calls = await openCalls(foundation, { documents, audit: messages.audit, links, writer, drainMs }, closing);

  const { roster } = documents.current();
  const examples = await examplePhones({
    file: foundation.folders.examplePhones,
    plan: plan(),
    roster,
    directory: calls.directory,
    at: systemClock.now(),
  });
  foundation.store.callsBegin();
  const sip = links.sipd?.sip ?? calls.telephony.health().serves;
  return {
    serves: { sip, admin },
    banner: {
      version: version(),
      site: plan().source.site,
      sip: sip.map((text) => reachable(text, advertised)),
      phones: examples.map(({ extension, password }) => {
        return { extension, password, name: plan().extension(extension)?.name ?? '' };
      }),
      numbers: worthDialling(plan(), examples),
      data: config.data,
      admin,
    },
    async close() {
      const troubles = await closing.close();
      if (troubles.length > 0) throw new Error(troubles.join('; '));
    },
  };
}

/** For messages and what people do with them. */
function patientWriter({ log }: Foundation, closing: Closing): PatientWriter {
  const writer = new PatientWriter({
    clock: systemClock,
    onTrouble: (error, what) => log.error({ err: error, what }, 'not written yet, it is tried again'),
  });
  closing.add('messages waiting for the store', () => writer.close());
  return writer;
}

/** The list of messages, with those that a process which was killed did not enter any more. */
async function openMessages(
  foundation: Foundation,
  plan: () => CompiledPlan,
  writer: PatientWriter,
  closing: Closing,
): Promise<MessageBook> {
  const { config, folders, log, secrets, keys, store, audit, record } = foundation;
  const opening = <T>(messageId: string, work: (identities: Identities) => Promise<T>) =>
    keys.opening({ messageId, use: 'measured', by: 'system' }, record, work);
  const pathOf = (messageId: string): string => join(folders.messages, `${messageId}.sealed`);
  const leftovers = await sealLeftovers({
    folders: config.media.servers.flatMap(({ plain }) => plain ?? []),
    pathOf,
    recipients: keys.recipientsFor(null, null),
    onTrouble: (error, file) => log.error({ err: error, file }, 'what was recorded could not be sealed'),
  });
  closing.add('plain recordings', () => leftovers.close());
  const book = messageBook({
    audit,
    save: (message) =>
      writer.write(`message ${message.messageId}`, () => store.saveMessage(message, noticesOf(plan(), message))),
    find: (messageId) => store.messages.find(messageId),
    clock: systemClock,
    pathOf,
    discard: (path) => shredSealed(path),
    measure: (path) => opening(basename(path, '.sealed'), (identities) => messageLength(path, identities)),
    onTrouble: (error, message) => log.error({ err: error, message }, 'message could not be entered in the list'),
  });
  const listed = new Set((await store.messages.list()).map(({ messageId }) => messageId));
  const strays = await strayMessages(folders.messages, listed);
  // Nobody is heard in these before calls are taken.
  const inUse = new Set([...store.greetings.ids(), ...listed]);
  for (const id of await strayDrafts(folders.messages, inUse)) await shredSealed(pathOf(id));
  const reader = auditReader(config, store, secrets);
  for (const callId of store.calls.unfinished()) {
    const facts = (await reader.ofCall(callId)).map(({ at, fact }) => ({ at: instant(at), fact }));
    await book.recover(callId, facts);
  }
  book.adopt(strays, async (messageId) => {
    const known = await opening(messageId, (identities) =>
      whatIsKnown({ messageId, path: pathOf(messageId) }, identities, reader),
    );
    log.warn({ message: messageId, mailbox: known.mailbox }, 'a message that was in no list is entered');
    return known;
  });
  closing.add('messages', () => book.close());
  return book;
}

/** Resolves with the address that it serves. */
async function openAdmin(foundation: Foundation, calls: () => Calls | null, closing: Closing): Promise<string> {
  const { config, metrics, health } = foundation;
  const admin = await startAdmin(config.admin, {
    calendar: calendarsOf(foundation, closing),
    readiness: () => {
      const open = calls();
      return open === null ? starting : readinessOf(open.telephony.health(), open.isDraining(), health);
    },
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
  });
  if (admin.kind === 'refused') throw new Refusal(admin.problem);
  closing.add('admin', () => admin.close());
  return hostAndPort(config.admin.listen, admin.port);
}
