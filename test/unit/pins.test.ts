import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { phi } from '../../src/core/phi/index.ts';
import { type Instant, plusMs } from '../../src/core/time/index.ts';
import { pausedUntil, pinFault, type PinTries, tried, triedRightly } from '../../src/core/voicemail/index.ts';
import { makePin, Pins } from '../../src/directory/index.ts';
import { systemRandom } from '../../src/engine/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { noon } from '../support/lakeside.ts';

void t.test('a PIN that anybody would guess is refused', async (t) => {
  for (const bad of [
    '12345',
    '111111',
    '123456',
    '987654',
    '121212',
    '123123',
    '271111',
    '93101',
    '993101',
    '101399',
    '27a828',
    '',
  ]) {
    t.ok(pinFault(bad, ['3101']), bad);
  }
  for (const good of ['271828', '30219475', '112358']) t.equal(pinFault(good, ['3101']), null, good);
  for (let i = 0; i < 200; i++) t.equal(pinFault(makePin(systemRandom, ['3101']), ['3101']), null);
});

const hourMs = 3_600_000;

void t.test('whatever the rhythm, no hour sees more than 20 tries', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 * 60_000 }), { minLength: 50, maxLength: 300 }), (gaps) => {
      let at: Instant = noon;
      let tries: PinTries | null = null;
      const looked: Instant[] = [];
      for (const gapMs of gaps) {
        at = plusMs(at, gapMs);
        // Who tries all the time tries at the first moment in which it counts, too.
        const open = pausedUntil(tries, at) ?? at;
        at = gapMs % 2 === 0 ? open : at;
        if (pausedUntil(tries, at) !== null) continue;
        tries = tried(tries, at);
        looked.push(at);
      }
      return looked.every((first, i) => looked.slice(i).filter((one) => one < first + hourMs).length <= 20);
    }),
  );
});

void t.test('a dialler that tries 10,000 PINs in a day has at most 20 an hour looked at', async (t) => {
  let tries: PinTries | null = null;
  const perHour = new Map<number, number>();
  for (let at: number = noon; at < noon + 24 * hourMs; at += 8_640) {
    if (pausedUntil(tries, at as Instant) !== null) continue;
    tries = tried(tries, at as Instant);
    const hour = Math.floor((at - noon) / hourMs);
    perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
  }
  t.ok(Math.max(...perHour.values()) <= 15, [...perHour.values()].join(' '));
  t.ok([...perHour.values()].reduce((sum, n) => sum + n, 0) < 60);
});

void t.test('who knows a right PIN, or guesses where others open, has no more looked at', async (t) => {
  for (const [wrongs, rights] of [
    [4, 1],
    [1, 1],
    [3, 4],
  ] as const) {
    let tries: PinTries | null = null;
    const wrong: number[] = [];
    for (let at = noon as number, n = 0; at < noon + 24 * hourMs; at += 5_000) {
      if (pausedUntil(tries, at as Instant) !== null) continue;
      const before: PinTries | null = tries;
      tries = tried(before, at as Instant);
      if (n++ % (wrongs + rights) < wrongs) wrong.push(at);
      else tries = triedRightly(before, at as Instant);
    }
    const most = Math.max(...wrong.map((from) => wrong.filter((at) => at >= from && at < from + hourMs).length));
    t.ok(most <= 15, `${most} in an hour`);
  }
  t.same(triedRightly({ failures: 4, lastAt: noon }, plusMs(noon, hourMs)), null, 'forgiven');
});

void t.test(
  'tries are counted by mailbox and by source, also when they come together, and survive a restart',
  async (t) => {
    const path = join(t.testdir(), 'wardline.db');
    let at = noon;
    const clock = { now: () => at };
    const store = await openStore(path);
    const pins = new Pins(store.pins, clock);
    await pins.set('3101', '271828', 'an admin', ['3101']);
    await t.rejects(pins.set('3101', '123456', 'an admin', []), /count up/);
    t.equal(await pins.check('3101', phi('271828'), '2101'), 'right');
    t.equal(await pins.check('3102', phi('271828'), '2101'), 'noPin');
    const together = await Promise.all(
      ['000001', '000002', '000003', '000004', '000005', '000006', '271828'].map((pin) =>
        pins.check('3101', phi(pin), `somebody ${pin}`),
      ),
    );
    t.same(together, ['wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'paused', 'paused']);
    await store.close();

    const again = await openStore(path);
    const afterRestart = new Pins(again.pins, clock);
    at = plusMs(noon, 14 * 60_000);
    t.equal(await afterRestart.check('3101', phi('271828'), 'another'), 'paused', 'also the right one');
    at = plusMs(noon, 15 * 60_000);
    t.equal(await afterRestart.check('3101', phi('271828'), 'another'), 'right');
    // One caller who tries one PIN at many mailboxes.
    for (let i = 0; i < 5; i++) t.equal(await afterRestart.check(`32${i}`, phi('271828'), 'a dialler'), 'noPin');
    t.equal(await afterRestart.check('3101', phi('271828'), 'a dialler'), 'paused');
    t.equal(await afterRestart.check('3101', phi('271828'), 'its owner'), 'right');
    // A new PIN ends the pause of the mailbox.
    for (let i = 0; i < 5; i++) await afterRestart.check('3101', phi('999'), `x${i}`);
    t.equal(await afterRestart.check('3101', phi('271828'), 'y'), 'paused');
    await afterRestart.set('3101', '30219475', 'an admin', []);
    t.equal(await afterRestart.check('3101', phi('30219475'), 'y'), 'right');
    // Its owner comes between the guesses, and who guesses opens a mailbox of their own.
    await afterRestart.set('3103', '30219475', 'an admin', []);
    for (let i = 0; i < 4; i++) t.equal(await afterRestart.check('3101', phi(`90${i}171`), 'a colleague'), 'wrong');
    t.equal(await afterRestart.check('3101', phi('30219475'), 'y'), 'right');
    t.equal(await afterRestart.check('3103', phi('30219475'), 'a colleague'), 'right');
    t.equal(await afterRestart.check('3101', phi('904171'), 'another colleague'), 'wrong');
    t.equal(await afterRestart.check('3101', phi('30219475'), 'y'), 'paused', 'of the mailbox');
    t.equal(await afterRestart.check('3103', phi('904171'), 'a colleague'), 'wrong');
    t.equal(await afterRestart.check('3103', phi('30219475'), 'a colleague'), 'paused', 'of who tries');
    await again.close();
  },
);
