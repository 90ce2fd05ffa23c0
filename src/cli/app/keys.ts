import { join } from 'node:path';
import type { CompiledPlan } from '../../core/dialplan/index.ts';
import type { CompiledRoster } from '../../core/oncall/index.ts';
import { systemClock } from '../../engine/index.ts';
import type { Clock } from '../../engine/ports.ts';
import { OwnerLock } from '../../storage/index.ts';
import type { KeyOwner } from '../../vault/index.ts';
import { houseOwner, masterKeyMeanwhile } from '../house-keys.ts';
import { makeKeys, retireKeys, rewrapMessages, ROTATION_LOCK } from '../rewrap-messages.ts';
import { unitOfMailbox } from '../unit-of.ts';
import type { Closing } from './closing.ts';
import { type Foundation, tellKeys } from './foundation.ts';

type Documents = { readonly plan: CompiledPlan; readonly roster: CompiledRoster };

/** How late this process may learn that a command has made other keys. */
const lookEveryMs = 5_000;
/** Old keys go this long after their successors came: by then nobody seals to them who was started before. */
const retireAfterMs = 60 * 60_000;

/**
 * Keeps the keys of voicemail in step with the plan: each mailbox and unit gets its own, what was sealed to others is wrapped
 * anew, also where a rotation was interrupted, and old keys that nothing is sealed to any more are shredded.
 */
export function watchKeys(
  {
    config,
    secrets,
    store,
    log,
    health,
    folders,
    keys,
    audit,
  }: Pick<Foundation, 'config' | 'secrets' | 'store' | 'log' | 'health' | 'folders' | 'keys' | 'audit'>,
  parts: { readonly documents: () => Documents; readonly clock: Clock },
  closing: Closing,
): void {
  const { documents, clock } = parts;
  let isClosed = false;
  let timer: { cancel(): void } | null = null;
  let working: Promise<void> = Promise.resolve();
  let settled = '';
  const rewrapping = {
    keys,
    folder: folders.messages,
    store,
    by: 'system',
    isClosed: () => isClosed,
    unitOf: (mailbox: string) => unitOfMailbox(documents(), mailbox),
    attest: (facts: Parameters<Parameters<typeof makeKeys>[0]['attest']>[0]) =>
      audit.attest(facts.map((fact) => ({ at: systemClock.now(), callId: null, fact }))),
  };

  /** Where it comes from may be away for a while: a network, a smart card, a service of keys. */
  const unlock = async (): Promise<void> => {
    try {
      keys.ring.unlock(await masterKeyMeanwhile(config, secrets));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      // A wrong one opens nothing, but some of them may be right.
      if (!keys.ring.hasMasterKey)
        health.failing('voicemail keys', `messages are taken, and nobody can hear any: ${why}`);
      return;
    }
    tellKeys(keys.ring, health);
    if (keys.ring.foreign().length === 0) log.info({}, 'master key of voicemail is here');
  };

  const look = async (): Promise<void> => {
    keys.ring.refresh();
    const owners = ownersOf(documents());
    const isRight = () => keys.ring.hasMasterKey && keys.ring.foreign().length === 0;
    // Without the right master key nothing can be made or opened.
    if (!isRight()) await unlock();
    if (!isRight()) return;
    const without = [houseOwner, ...owners].filter((owner) => keys.ring.newest(owner) === undefined);
    await makeKeys(rewrapping, without);
    const now = clock.now();
    // What is put into the list late, with its mailbox, was sealed to the house.
    const hour = Math.floor(now / 3_600_000);
    const due = keys.ring.keys.some((key) => {
      const next = keys.ring.newest(key);
      return next !== undefined && next.keyId !== key.keyId && now - next.madeAt >= retireAfterMs;
    });
    const state = JSON.stringify([owners, keys.ring.keys.map(({ keyId }) => keyId), due, hour]);
    if (state === settled) return;
    const lock = OwnerLock.tryTake(join(folders.secrets, ROTATION_LOCK));
    // A command is at it.
    if (lock === null) return;
    try {
      const done = await rewrapMessages(rewrapping);
      const gone = await retireKeys(rewrapping, done, { now, leastAgeMs: retireAfterMs });
      for (const one of done.left) log.error(one, 'sealed file could not be wrapped to the keys of now');
      if (done.rewrapped + gone.length > 0) {
        log.info({ rewrapped: done.rewrapped, retired: gone.length }, 'sealed files wrapped anew');
      }
      settled = state;
    } finally {
      lock.release();
    }
  };
  const again = (): void => {
    working = look().catch((error: unknown) => {
      if (!isClosed) log.error({ err: error }, 'keys of voicemail could not be looked after');
    });
    void working.then(() => {
      if (!isClosed) timer = clock.after(lookEveryMs, again);
    });
  };
  again();
  closing.add('keys', () => {
    isClosed = true;
    timer?.cancel();
    return working;
  });
}

/** Who is to have a key. */
function ownersOf(documents: Documents): readonly KeyOwner[] {
  const mailboxes = documents.plan.source.mailboxes.map(({ id }) => id);
  const units = new Set(mailboxes.flatMap((id) => unitOfMailbox(documents, id) ?? []));
  return [
    ...mailboxes.map((id) => ({ kind: 'mailbox', id }) as const),
    ...[...units].map((id) => ({ kind: 'unit', id }) as const),
  ];
}
