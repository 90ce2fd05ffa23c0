import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AuditLog } from '../audit-log/index.ts';
import { AUDIT_HEAD_FILE } from '../audit-log/options.ts';
import type { Config } from '../config/index.ts';
import type { Fact } from '../core/audit/index.ts';
import { systemClock } from '../engine/index.ts';
import { createHealth, createLogger } from '../observe/index.ts';
import type { Store } from '../storage/index.ts';
import type { Secrets } from '../vault/index.ts';
import { Refusal } from './report.ts';

/** A command says what went wrong on the terminal; it writes no log. */
export const silentLog = createLogger({
  name: 'wardline',
  level: 'error',
  destination: { write: () => {} },
  format: 'json',
});

/** As `attestAll`, for one. */
export function attestOnce(config: Config, store: Store, secrets: Secrets, fact: Fact): Promise<void> {
  return attestAll(config, store, secrets, [fact]);
}

/** Puts facts of a command on record, also while the house is up. What cannot be recorded is not done. */
export async function attestAll(config: Config, store: Store, secrets: Secrets, facts: readonly Fact[]): Promise<void> {
  if (facts.length === 0) return;
  const audit = await AuditLog.open({
    store: store.chain,
    headPath: join(config.data, AUDIT_HEAD_FILE),
    spoolPath: null,
    headKey: secrets.auditHeadKey,
    seal: (text) => secrets.phi.seal(text),
    bootId: randomUUID(),
    clock: systemClock,
    logger: silentLog,
    health: createHealth(),
    signing: null,
  });
  await audit.attest(facts.map((fact) => ({ at: systemClock.now(), callId: null, fact })));
  const { unwritten } = await audit.close();
  if (unwritten > 0) throw new Refusal('the audit could not take this, so it was not done: check the disk, try again');
}
