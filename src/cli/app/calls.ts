import type { CallFact } from '../../core/audit/index.ts';
import type { CallId } from '../../core/call/index.ts';
import { instant } from '../../core/time/index.ts';
import { PhoneDirectory } from '../../directory/index.ts';
import type { LiveDocuments } from '../../documents/index.ts';
import { type AuditPort, Engine, engineSchema, type Recorded, systemClock, systemRandom } from '../../engine/index.ts';
import { Telephony } from '../../telephony/index.ts';
import { HttpLookups } from '../../webhooks/index.ts';
import { auditReader } from '../audit-reader.ts';
import { unitOf, unitOfMailbox } from '../unit-of.ts';
import { version } from '../version.ts';
import { callMetrics } from './call-metrics.ts';
import { watchChases } from './chases.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';
import { lampsOf, mailboxesOf, messageKey } from './mailboxes.ts';
import { type Links, refuseWellKnownSecrets, telephonyOptions } from './links.ts';
import { plainSealer } from './plain-recordings.ts';
import { followServerOrders } from './server-orders.ts';
import type { PatientWriter } from './patient-writer.ts';
import { openSideLines } from './side-lines.ts';
import { serverMetrics } from './server-metrics.ts';
import { StatNumbers } from './stat-numbers.ts';

/** The engine gives the calls it must end itself 6 s to say so. */
const ENGINE_GRACE_MS = 7_000;

export interface Calls {
  readonly directory: PhoneDirectory;
  readonly telephony: Telephony;
  readonly isDraining: () => boolean;
}

/** Phones, engine and telephony. When this resolves, calls are taken; when it is closed, running ones may end first. */
export async function openCalls(
  foundation: Foundation,
  parts: {
    readonly documents: LiveDocuments;
    readonly audit: AuditPort;
    readonly links: Links;
    readonly writer: PatientWriter;
    readonly drainMs: number;
  },
  closing: Closing,
): Promise<Calls> {
  const { config, log, metrics, secrets, store, record } = foundation;
  const { documents, audit, links, drainMs } = parts;
  const outside = { clock: systemClock, random: systemRandom, log };
  const directory = await PhoneDirectory.open(
    {
      ...outside,
      phones: store.phones,
      audit,
      logger: log,
      realm: config.sip.realm,
      isExtension: (extension) => documents.current().plan.extension(extension) !== undefined,
    },
    { watch: true },
  );
  closing.add('directory', () => directory.close());
  const options = telephonyOptions(config, secrets, links);
  refuseWellKnownSecrets(options);
  const sealTo = (mailbox: string) =>
    foundation.keys.recipientsFor(mailbox, unitOfMailbox(documents.current(), mailbox));
  const telephony = new Telephony({
    ...outside,
    options,
    credentials: directory,
    bindings: store.bindings(),
    sealRecipients: sealTo,
    plainSealer,
    lamps: lampsOf(foundation, () => documents.current().plan),
    logins: {
      right: (extension, sourceIp) => foundation.logins.right('phone', extension, sourceIp),
      wrong: (extension, sourceIp) => foundation.logins.wrong('phone', extension, sourceIp),
    },
    messageKey: (messageId) => messageKey(foundation, messageId),
  });
  directory.onGone((extension) => telephony.forget(extension));
  const stat = new StatNumbers(() => documents.current().plan);
  closing.add('STAT numbers', async () => stat.close());
  const engine = new Engine({
    ...outside,
    options: engineSchema.parse({ drainMs }),
    audit,
    index: store.calls,
    documents,
    reachability: telephony.reachability,
    mailboxes: mailboxesOf(foundation, parts.writer, { plan: () => documents.current().plan, sealTo }),
    houseCalls: telephony.houseCalls,
    keeping: { canKeep: () => foundation.audit.canKeep, isStat: (dialled) => stat.isStat(dialled) },
    lookups: new HttpLookups({ clock: systemClock, options: config.webhooks }),
    observer: callMetrics(metrics, (from) => unitOf(documents.current(), from)),
  });
  await engine.recover(await recordsOf(telephony.talking, foundation));
  await record({ fact: 'started', version: version(), node: process.version });
  // Before it starts: a start that fails half way has sockets to close too.
  closing.add('telephony', () => telephony.close());
  followServerOrders({ foundation, telephony, options }, closing);
  await telephony.start(engine);
  openSideLines({ options: options.signalling, telephony, stat }, closing);
  let isDraining = false;
  const drain = async (): Promise<void> => {
    isDraining = true;
    await engine.drain(drainMs);
    // Behind "stopped" the house says nothing: otherwise the next start would take it for one that was killed.
    foundation.logins.close();
    await record({ fact: 'stopped', because: 'told to stop' });
  };
  closing.add('calls', drain, drainMs + ENGINE_GRACE_MS);
  watchChases(foundation, { engine, documents, audit, reachability: telephony.reachability }, closing);

  metrics.gaugeOf('wardline_calls_running', 'Calls that run now.', () => engine.liveCalls.length);
  metrics.gaugeOf('wardline_phones_registered', 'Contacts that can be rung now.', () => telephony.bindings.length);
  serverMetrics(metrics, telephony);
  return { directory, telephony, isDraining: () => isDraining };
}

/** What is on record of calls, in order. */
async function recordsOf(
  calls: readonly CallId[],
  { config, store, secrets }: Foundation,
): Promise<Map<CallId, Recorded>> {
  const records = new Map<CallId, Recorded>();
  const reader = auditReader(config, store, secrets);
  for (const callId of calls) {
    const entries = await reader.ofCall(callId);
    records.set(
      callId,
      entries.map(({ at, fact }) => ({ at: instant(at), fact: fact as CallFact })),
    );
  }
  return records;
}
