import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AuditLog, Reserve, signingKey } from '../../audit-log/index.ts';
import {
  AUDIT_CHECKPOINT_FILE,
  AUDIT_HEAD_FILE,
  AUDIT_RESERVE_FILE,
  AUDIT_SPOOL_FILE,
} from '../../audit-log/options.ts';
import { type Config, identityOf } from '../../config/index.ts';
import type { SystemFact } from '../../core/audit/index.ts';
import { Logins } from '../../directory/index.ts';
import { systemClock } from '../../engine/index.ts';
import {
  createHealth,
  createLogger,
  openMetrics,
  type Health,
  type Logger,
  type Metrics,
} from '../../observe/index.ts';
import { openStore, type Store } from '../../storage/index.ts';
import type { Secrets } from '../../vault/index.ts';
import { auditSigningSeed } from '../audit-signing-seed.ts';
import { dataFolders } from '../folders.ts';
import { type HouseKeys, openHouseKeys, voicemailMasterKey } from '../house-keys.ts';
import { houseSecrets } from '../house-secrets.ts';
import type { Closing } from './closing.ts';
import { logLastWords } from './last-words.ts';
import { logTo } from './log.ts';
import { lostTime } from './lost-time.ts';

/** What every other part of the app stands on. */
export interface Foundation {
  readonly config: Config;
  readonly folders: ReturnType<typeof dataFolders>;
  readonly log: Logger;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly secrets: Secrets;
  /** Of voicemail. */
  readonly keys: HouseKeys;
  readonly store: Store;
  readonly audit: AuditLog;
  /** Puts a fact of the system on record. Never rejects. */
  readonly record: (fact: SystemFact) => Promise<unknown>;
  /** Who came in by which door. */
  readonly logins: Logins;
  readonly terminal: (line: string) => void;
}

/** Log, secrets, store and audit, in that order. Rejects with Refusal or PortError. */
export async function openFoundation(
  config: Config,
  terminal: (line: string) => void,
  closing: Closing,
): Promise<Foundation> {
  const folders = dataFolders(config.data);
  const file = logTo(join(folders.log, 'app.log'), terminal);
  closing.add('log', () => file.close());
  const log = createLogger({ name: 'wardline', level: config.log.level, destination: file, format: 'json' });
  logLastWords(log);
  const health = createHealth();
  const metrics = await openMetrics();

  const secrets = await houseSecrets(folders);
  const keys = openHouseKeys(config, folders.secrets, masterKeyOr({ config, secrets, log, health }));
  if (keys.ring.hasMasterKey) {
    tellKeys(keys.ring, health);
    const foreign = keys.ring.foreign().map(({ keyId }) => keyId);
    if (foreign.length > 0) log.error({ keys: foreign }, 'keys of voicemail belong to another master key');
  }
  const store = await openStore(folders.store, { as: 'owner', sealer: secrets.phi });
  closing.add('store', () => store.close());
  // Its writing thread takes longer to come up than the audit waits for a commit; so it is up before the first fact.
  await store.chain.append(await store.chain.head(), []);
  const lost = await lostTime(store.chain, systemClock.now());
  const seed = auditSigningSeed(config, secrets);
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
    reserve: new Reserve({ path: join(config.data, AUDIT_RESERVE_FILE), clock: systemClock, logger: log, health }),
    signing: {
      ...config.audit,
      checkpointPath: join(config.data, AUDIT_CHECKPOINT_FILE),
      seed,
    },
  });
  closing.add('audit', () => audit.close());
  const record = (fact: SystemFact) => audit.attest([{ at: systemClock.now(), callId: null, fact }]);
  if (lost !== null) await record(lost);
  await record({ fact: 'configured', ...identityOf(config) });
  const { id } = signingKey(seed);
  await record({ fact: 'signingKeyUsed', key: id, from: config.audit.signingKey.replace(/^command:.*/s, 'command') });
  const logins = new Logins({ clock: systemClock, record });
  closing.add('logins', async () => logins.close());
  return { config, folders, log, health, metrics, secrets, keys, store, audit, record, logins, terminal };
}

/** Calls go on without it, and messages are taken: they are sealed to keys whose public halves are known. */
function masterKeyOr({
  config,
  secrets,
  log,
  health,
}: Pick<Foundation, 'config' | 'secrets' | 'log' | 'health'>): Uint8Array | null {
  try {
    return voicemailMasterKey(config, secrets);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    health.failing('voicemail keys', `messages are taken, and nobody can hear any: ${why}`);
    log.error({ err: error }, 'master key of voicemail cannot be had, it is asked for again and again');
    return null;
  }
}

/** Whether the master key opens the keys of messages. */
export function tellKeys(ring: HouseKeys['ring'], health: Health): void {
  const foreign = ring.foreign();
  if (foreign.length === 0) return health.ok('voicemail keys');
  health.failing('voicemail keys', `${foreign.length} of ${ring.keys.length} belong to another master key`);
}
