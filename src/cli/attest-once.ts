import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AuditLog } from '../audit-log/index.ts';
import { AUDIT_HEAD_FILE } from '../audit-log/options.ts';
import type { Config } from '../config/index.ts';
import type { ChainStore, Fact } from '../core/audit/index.ts';
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
  if (facts.length > 0) await attestOn(store.chain, { config, secrets, facts, begun: () => {} });
}

/** A change to the store that is only made when nobody was faster. */
export interface Change {
  readonly isCurrent: () => boolean;
  readonly apply: () => void;
}

/**
 * Facts and the change they tell of, in one commit: whatever happens, both are there or neither is. False, and neither is
 * there, when the change is not current any more.
 */
export async function attestChange(
  { config, store, secrets }: { readonly config: Config; readonly store: Store; readonly secrets: Secrets },
  facts: readonly Fact[],
  change: Change,
): Promise<boolean> {
  let state: 'opening' | 'ready' | 'applied' | 'overtaken' = 'opening';
  const { chain } = store;
  const together: ChainStore = {
    head: () => chain.head(),
    read: (after, limit) => chain.read(after, limit),
    ofCall: (callId, limit) => chain.ofCall(callId, limit),
    faults: () => chain.faults(),
    append: async (after, rows) => {
      if (state === 'opening' || state === 'applied') return chain.append(after, rows);
      const result = store.appendWith(after, rows, change);
      if (result === null) state = 'overtaken';
      if (result === null) throw new Error('somebody else was faster');
      if (result.kind === 'appended') state = 'applied';
      return result;
    },
  };
  const begun = () => {
    state = 'ready';
  };
  const isOvertaken = (): boolean => state === 'overtaken';
  try {
    await attestOn(together, { config, secrets, facts, begun });
  } catch (error) {
    if (isOvertaken()) return false;
    throw error;
  }
  return true;
}

async function attestOn(
  store: ChainStore,
  parts: {
    readonly config: Config;
    readonly secrets: Secrets;
    readonly facts: readonly Fact[];
    /** The chain was compared with its certified head; what comes now is ours. */
    readonly begun: () => void;
  },
): Promise<void> {
  const { config, secrets, facts, begun } = parts;
  const audit = await AuditLog.open({
    store,
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
  begun();
  await audit.attest(facts.map((fact) => ({ at: systemClock.now(), callId: null, fact })));
  const { unwritten } = await audit.close();
  if (unwritten > 0) throw new Refusal('the audit could not take this, so it was not done: check the disk, try again');
}
