import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { watchRetention } from '../../src/cli/app/retention.ts';
import type { Closing } from '../../src/cli/app/closing.ts';
import type { SystemFact } from '../../src/core/audit/index.ts';
import { plusMs } from '../../src/core/time/index.ts';
import { shredBecause } from '../../src/core/voicemail/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { shredSealed } from '../../src/vault/index.ts';
import { aPlan, noon } from '../support/lakeside.ts';
import { until } from '../support/processes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const dayMs = 86_400_000;
const log = { info: () => {}, warn: () => {}, error: () => {} } as never;

void t.test('what is held stays, whatever the rules say', async (t) => {
  const message = { messageId: 'M', mailbox: 'x', at: noon, deletedAt: null, isHeld: false };
  const later = (days: number) => plusMs(noon, days * dayMs);
  t.equal(shredBecause(message, 90, later(89)), null);
  t.equal(shredBecause(message, 90, later(90)), 'retention');
  t.equal(shredBecause(message, null, later(9000)), null, 'no rule: for ever');
  t.equal(shredBecause({ ...message, deletedAt: later(3) }, null, later(3.9)), null, 'there is a day to undo it');
  t.equal(shredBecause({ ...message, deletedAt: later(3) }, null, later(4)), 'deleted');
  t.equal(shredBecause({ ...message, deletedAt: later(3), isHeld: true }, 1, later(9000)), null);
});

void t.test('a shredded file leaves its digest and nothing else', async (t) => {
  const path = join(t.testdir({ 'm.sealed': 'wardline-sealed 1\nwrapped key and sound' }), 'm.sealed');
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  t.equal(await shredSealed(path), digest);
  t.notOk(existsSync(path));
  t.equal(await shredSealed(path), null, 'twice does no harm');
  await t.rejects(shredSealed(t.testdirName), { code: 'storeUnavailable' }, 'what cannot be written over is said');
});

void t.test('the house shreds what its rules say, receipt first and last, and keeps what is held', async (t) => {
  const dir = t.testdir();
  const store = await openStore(join(dir, 'wardline.db'));
  const clock = new VirtualClock(noon);
  const left = {
    mailbox: 'office',
    callId: null,
    durationMs: 900,
    isUrgent: false,
    sentBy: null,
    copyOf: null,
    exportedAt: null,
    isPrivate: false,
    callBack: null,
    service: null,
    urgency: null,
  };
  for (const messageId of ['old', 'held', 'gone', 'fresh']) {
    const path = join(dir, `${messageId}.sealed`);
    writeFileSync(path, `sound of ${messageId}`);
    const at = plusMs(noon, (messageId === 'old' || messageId === 'held' ? -31 : -2) * dayMs);
    await store.messages.save({ ...left, messageId, at, path });
  }
  await store.messages.hold('held', { at: noon, by: 'the lawyer' });
  await store.messages.change('gone', 'deleted', { at: plusMs(noon, -dayMs / 2), by: '3101' });
  const facts: SystemFact[] = [];
  const record = async (fact: SystemFact) => {
    if (fact.fact === 'messageShredOrdered') t.ok(existsSync(join(dir, `${fact.messageId}.sealed`)), 'ordered first');
    if (fact.fact === 'messageShredded') t.notOk(existsSync(join(dir, `${fact.messageId}.sealed`)));
    facts.push(fact);
  };
  const plan = aPlan([], {
    mailboxes: [
      { id: 'office', name: 'Office', keepDays: 30 },
      { id: 'cardiology', name: 'C' },
    ],
  });
  let close: () => unknown = () => {};
  const closing = { add: (_what: string, run: () => unknown) => (close = run) } as unknown as Closing;
  watchRetention({ store, log, record }, { plan: () => plan, clock }, closing);
  const shredded = () =>
    facts.flatMap((fact) => (fact.fact === 'messageShredded' ? [`${fact.messageId} ${fact.because}`] : []));
  await until('the first sweep', () => clock.pending > 0);
  t.same(shredded(), ['old retention']);
  clock.advance(dayMs / 2);
  await until('the next sweep', () => shredded().length === 2);
  t.same(shredded(), ['old retention', 'gone deleted']);
  t.match(facts[1], { sha256: createHash('sha256').update('sound of old').digest('hex'), by: 'system' });
  t.match(facts[3], { by: '3101' });
  await store.messages.hold('held', null);
  await until('the sweep after', () => {
    clock.advance(15 * 60_000);
    return shredded().length === 3;
  });
  t.same(
    (await store.messages.unshredded()).map(({ messageId }) => messageId),
    ['fresh'],
  );
  await close();
  await store.close();
});
