import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startAdmin } from '../../admin/index.ts';
import { AuditLog } from '../../audit-log/index.ts';
import { AUDIT_HEAD_FILE, AUDIT_SPOOL_FILE } from '../../audit-log/options.ts';
import { type Config, parseListen } from '../../config/index.ts';
import type { SystemFact } from '../../core/audit/index.ts';
import { instant } from '../../core/time/index.ts';
import { LiveDocuments, showProblem } from '../../documents/index.ts';
import { Engine, engineSchema, systemClock, systemRandom } from '../../engine/index.ts';
import { createHealth, createLogger, createMetrics } from '../../observe/index.ts';
import { openStore } from '../../storage/index.ts';
import { Telephony } from '../../telephony/index.ts';
import { type TelephonyOptions, telephonySchema } from '../../telephony/options.ts';
import { ensureSecrets, openMessage, type Secrets } from '../../vault/index.ts';
import { auditReader } from '../audit.ts';
import { dataFolders } from '../folders.ts';
import { promptIds } from '../prompt-ids.ts';
import { Refusal } from '../report.ts';
import { promptFolders } from '../supervise/daemon-options.ts';
import { readJson } from '../supervise/run-files.ts';
import { version } from '../version.ts';
import { callMetrics } from './call-metrics.ts';
import { logTo } from './log.ts';
import { messageBook, unfinishedRecordings } from './message-book.ts';
import { readinessOf } from './readiness.ts';
import type { Remembered } from '../remembered.ts';
import { banner } from './banner.ts';
import { examplePhones, worthDialling } from '../example-phones.ts';
import { PhoneDirectory } from '../../directory/index.ts';
import type { DaemonRecord } from '../supervise/launch-plan.ts';

export interface App {
  /** As `ready.json` tells it: "udp/127.0.0.1:5060" for each transport served, and the address of the admin server. */
  readonly serves: { readonly sip: readonly string[]; readonly admin: string };
  readonly banner: readonly string[];
  /** No new calls, running ones may end for a while; then everything is written and closed. May be called twice. */
  close(): Promise<void>;
}

/**
 * Builds the house: store and secrets, documents, engine, telephony, admin, in that order, and closes it the other way
 * round. Rejects with Refusal or PortError that names what is wrong and what to do; then nothing is left open.
 */
export async function openApp(configFile: string, terminal: (line: string) => void): Promise<App> {
  const { config, advertised, drainMs } = readJson(configFile) as Remembered;
  const folders = dataFolders(config.data);
  const closers: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    return await build();
  } catch (error) {
    await closeAll();
    throw error;
  }

  async function build(): Promise<App> {
    const file = logTo(join(folders.log, 'app.log'), terminal);
    closers.push(() => file.close());
    const log = createLogger({ name: 'wardline', level: config.log.level, destination: file, format: 'json' });
    const health = createHealth();
    const metrics = createMetrics();

    const secrets = await ensureSecrets(folders.secrets);
    const store = await openStore(folders.store, { as: 'owner', sealer: secrets.phi });
    closers.push(() => store.close());
    // Its writing thread takes longer to come up than the audit waits for a commit; so it is up before the first fact.
    await store.chain.append(await store.chain.head(), []);
    const audit = await AuditLog.open({
      store: store.chain,
      headPath: join(config.data, AUDIT_HEAD_FILE),
      spoolPath: join(config.data, AUDIT_SPOOL_FILE),
      headKey: secrets.auditHeadKey,
      seal: (text) => secrets.phi.seal(text),
      bootId: randomUUID(),
      clock: systemClock,
      logger: log,
      health,
      metrics,
    });
    closers.push(() => audit.close());
    let recorded: Promise<unknown> = Promise.resolve();
    const record = (fact: SystemFact): Promise<unknown> => {
      recorded = audit.attest([{ at: systemClock.now(), callId: null, fact }]);
      return recorded;
    };

    const activations = metrics.counter('wardline_document_activations_total', 'Times that documents came into force.');
    const documents = new LiveDocuments({
      options: { dialplans: config.dialplans, oncall: config.oncall, pollMs: 500 },
      prompts: promptIds(),
      versions: store.documents,
      clock: systemClock,
      onActivated: (version, changed) => {
        activations.inc();
        health.ok('documents');
        if (changed.length === 0) terminal('documents are good again: what was in force stays so');
        for (const kind of changed) {
          const files = version.files.filter((document) => document.kind === kind).map(({ path }) => path);
          void record({ fact: 'documentActivated', kind, version: version[kind], files });
          log.info({ kind, version: version[kind] }, 'document activated');
          terminal(`${kind} in force: ${files.join(', ')}`);
        }
      },
      onRefused: (problems) => {
        const lines = problems.map(showProblem);
        health.failing('documents', `the files cannot be used; the last good version is in force: ${lines[0] ?? ''}`);
        void record({ fact: 'documentRefused', problems: lines });
        log.info({ problems: lines }, 'document refused');
        for (const line of ['documents refused, the last good version stays in force:', ...lines]) terminal(line);
      },
      onClockImplausible: (now) => {
        log.error({ now: new Date(now).toISOString() }, 'clock is wrong: nobody is rung by schedule until it is set');
      },
    });
    const started = await documents.start();
    if (started.kind === 'refused') {
      throw new Refusal(['the documents cannot be used:', ...started.problems.map(showProblem)].join('\n'));
    }
    closers.push(() => documents.close());
    // What comes next keeps this thread busy for a moment, and an answer it cannot read in time counts as late.
    await recorded;

    const pathOf = (messageId: string) => join(folders.messages, `${messageId}.sealed`);
    const measure = (path: string) => lengthOf(path, secrets.voicemailIdentity);
    const saveMessage = store.messages.save.bind(store.messages);
    const links = readLinks(folders.run);
    const reader = auditReader(config, store, secrets);
    for (const callId of store.calls.unfinished()) {
      const facts = (await reader.ofCall(callId)).map(({ at, fact }) => ({ at: instant(at), fact }));
      for (const recording of unfinishedRecordings(callId, facts)) {
        const path = pathOf(recording.messageId);
        const durationMs = await measure(path);
        if (durationMs > 0) await saveMessage({ ...recording, path, durationMs });
      }
    }

    const directory = await PhoneDirectory.open(
      {
        phones: store.phones,
        audit,
        clock: systemClock,
        random: systemRandom,
        logger: log,
        realm: config.sip.realm,
        isExtension: (extension) => documents.current().plan.extension(extension) !== undefined,
      },
      { watch: true },
    );
    closers.push(() => directory.close());
    const telephony = new Telephony({
      options: telephonyOptions(config, secrets, links),
      credentials: directory,
      bindings: store.bindings(),
      sealRecipients: (mailbox) => secrets.sealRecipients(mailbox),
      clock: systemClock,
      random: systemRandom,
      log,
    });
    const engine = new Engine({
      options: engineSchema.parse({ drainMs }),
      audit: messageBook({
        audit,
        pathOf,
        measure,
        save: saveMessage,
        onTrouble: (error, message) => log.error({ err: error, message }, 'message could not be entered in the list'),
      }),
      index: store.calls,
      documents,
      reachability: telephony.reachability,
      clock: systemClock,
      random: systemRandom,
      log,
      observer: callMetrics(metrics),
    });
    await engine.recover();
    await record({ fact: 'started', version: version(), node: process.version });
    await telephony.start(engine);
    closers.push(() => telephony.close());
    let isDraining = false;
    closers.push(async () => {
      isDraining = true;
      await engine.drain(drainMs);
      await record({ fact: 'stopped', because: 'told to stop' });
    });

    metrics.gaugeOf('wardline_calls_running', 'Calls that run now.', () => engine.liveCalls.length);
    metrics.gaugeOf('wardline_phones_registered', 'Contacts that can be rung now.', () => telephony.bindings.length);
    const admin = await startAdmin(config.admin, {
      readiness: () => readinessOf(telephony.health(), isDraining, health),
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    });
    if (admin.kind === 'refused') throw new Refusal(admin.problem);
    closers.push(() => admin.close());

    const { plan, roster } = documents.current();
    const examples = await examplePhones({
      file: folders.examplePhones,
      plan,
      roster,
      directory,
      at: systemClock.now(),
    });
    const serves = { sip: links.sip, admin: hostAndPort(config.admin.listen, admin.port) };
    return {
      serves,
      banner: banner({
        version: version(),
        site: plan.source.site,
        sip: links.sip.map((text) => reachable(text, advertised)),
        phones: examples.map(({ extension, password }) => {
          return { extension, password, name: plan.extension(extension)?.name ?? '' };
        }),
        numbers: worthDialling(plan, examples),
        data: config.data,
        admin: serves.admin,
      }),
      close: closeAll,
    };
  }
}

/** Where the daemons are, as they said themselves when they got ready. */
interface Links {
  readonly controlPort: number;
  readonly eventSocketPort: number;
  /** "udp/0.0.0.0:5060" */
  readonly sip: readonly string[];
}

function readLinks(run: string): Links {
  const sipd = (readJson(join(run, 'sipd.json')) as DaemonRecord).ready as unknown as {
    control: { port: number };
    sip: readonly string[];
  };
  const mediad = (readJson(join(run, 'mediad.json')) as DaemonRecord).ready as unknown as {
    eventSocket: { port: number };
  };
  return { controlPort: sipd.control.port, eventSocketPort: mediad.eventSocket.port, sip: sipd.sip };
}

function telephonyOptions(config: Config, secrets: Secrets, links: Links): TelephonyOptions {
  const { realm, minExpires, maxExpires, maxContacts, probeSeconds, digests } = config.sip;
  return telephonySchema.parse({
    signalling: { port: links.controlPort, secret: secrets.controlSecret },
    media: {
      port: links.eventSocketPort,
      secret: secrets.eventSocketSecret,
      listenPort: config.media.listenPort,
      promptsDirs: promptFolders,
      recordingsDir: dataFolders(config.data).messages,
    },
    sip: { realm, minExpires, maxExpires, maxContacts, probeSeconds, digests },
    trunks: config.trunks,
  });
}

/** The address a softphone is given: one that listens on every address is reached by the advertised one. */
function reachable(text: string, advertised: string): { transport: 'udp' | 'tcp'; address: string } {
  const listen = parseListen(text);
  if (listen === null) return { transport: 'udp', address: text };
  const isAny = listen.host === '0.0.0.0' || listen.host === '::';
  return { transport: listen.transport, address: hostAndPort(`${isAny ? advertised : listen.host}:`, listen.port) };
}

function hostAndPort(listen: string, port: number): string {
  return `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`;
}

/** Milliseconds of sound in a sealed file; 0 when there is none. */
async function lengthOf(path: string, identity: string): Promise<number> {
  try {
    const opened = await openMessage(path, [identity]);
    if (opened.kind === 'refused') return 0;
    const { rate, channels, encoding } = opened.format;
    return Math.round((opened.audio.length * 1000) / (rate * channels * (encoding === 'L16' ? 2 : 1)));
  } catch {
    // No such file: nothing was recorded.
    return 0;
  }
}
