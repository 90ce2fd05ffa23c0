import t from 'tap';
import { WaitingRoom } from '../../src/sip/transport/waiting-room.ts';
import { CallRate, lookEveryMs } from '../../src/sipd/admission/call-rate.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/*
 * A server on the virtual clock: calls come evenly, wait in one line, and are begun at `capacity` a second. A call to a reserved number
 * asks nobody and takes its place in the same line.
 */
interface Second {
  readonly begun: number;
  readonly refused: number;
  readonly longestWaitMs: number;
}

function serve(rate: CallRate, told: { capacity: number; offered: number; reserved?: number; seconds: number }) {
  const { capacity, offered, reserved = 0, seconds } = told;
  const line: { readonly atMs: number; readonly isNew: boolean }[] = [];
  const each: Second[] = [];
  let [due, dueReserved, time] = [0, 0, 0];
  const start = clockMs;
  for (let second = 0; second < seconds; second++) {
    let [begun, refused, longestWaitMs] = [0, 0, 0];
    for (let ms = 0; ms < 1_000; ms++) {
      clockMs++;
      for (due += offered / 1_000; due >= 1; due--)
        if (rate.admits(clockMs, 'a trunk')) line.push({ atMs: clockMs, isNew: true });
        else refused++;
      for (dueReserved += reserved / 1_000; dueReserved >= 1; dueReserved--) line.push({ atMs: clockMs, isNew: false });
      for (time += capacity / 1_000; time >= 1 && line.length > 0; time--) {
        const call = line.shift();
        longestWaitMs = Math.max(longestWaitMs, clockMs - (call?.atMs ?? 0));
        if (call?.isNew) rate.begun();
        begun++;
      }
      // Whoever has nothing to do saves nothing up.
      if (line.length === 0) time = Math.min(time, 1);
      if (clockMs % lookEveryMs === 0) rate.look(clockMs, line[0] === undefined ? 0 : clockMs - line[0].atMs);
    }
    each.push({ begun, refused, longestWaitMs });
  }
  t.equal(clockMs - start, seconds * 1_000);
  return each;
}
let clockMs = 0;

const sum = (each: readonly Second[], of: keyof Second) => each.reduce((all, second) => all + second[of], 0);
const longest = (each: readonly Second[]) => Math.max(...each.map(({ longestWaitMs }) => longestWaitMs));

void t.test('nobody is refused below what can be done', (t) => {
  const each = serve(new CallRate(150), { capacity: 300, offered: 270, seconds: 30 });
  t.equal(sum(each, 'refused'), 0);
  t.end();
});

for (const times of [1.2, 2, 5, 10]) {
  void t.test(`at ${times} times what can be done, nearly all of that is done and nobody waits long`, (t) => {
    const each = serve(new CallRate(150), { capacity: 300, offered: 300 * times, seconds: 40 });
    const steady = each.slice(10);
    t.ok(sum(steady, 'begun') > 0.9 * 300 * steady.length, `${sum(steady, 'begun') / steady.length} a second`);
    t.ok(longest(steady) < 500, `waited up to ${longest(steady)} ms`);
    t.end();
  });
}

void t.test('calls that ask nobody leave the others what is over, and the least', (t) => {
  const each = serve(new CallRate(150), { capacity: 300, offered: 2_000, reserved: 240, seconds: 40 });
  const steady = each.slice(15);
  t.ok(longest(steady) < 500, `waited up to ${longest(steady)} ms`);
  t.ok(sum(steady, 'begun') > 0.9 * 300 * steady.length);
  t.end();
});

void t.test('what slows down is followed, and what gets faster', (t) => {
  const rate = new CallRate(150);
  serve(rate, { capacity: 300, offered: 900, seconds: 10 });
  const slow = serve(rate, { capacity: 100, offered: 900, seconds: 30 }).slice(10);
  t.ok(longest(slow) < 600, `waited up to ${longest(slow)} ms`);
  t.ok(sum(slow, 'begun') > 0.85 * 100 * slow.length);
  const fast = serve(rate, { capacity: 300, offered: 900, seconds: 30 }).slice(15);
  t.ok(sum(fast, 'begun') > 0.85 * 300 * fast.length, `${sum(fast, 'begun') / fast.length} a second`);
  t.end();
});

void t.test('when it is over, everybody gets in', (t) => {
  const rate = new CallRate(150);
  serve(rate, { capacity: 300, offered: 3_000, seconds: 20 });
  t.not(rate.perSecond, Number.POSITIVE_INFINITY);
  const after = serve(rate, { capacity: 300, offered: 150, seconds: 5 });
  t.equal(sum(after.slice(1), 'refused'), 0);
  t.equal(rate.perSecond, Number.POSITIVE_INFINITY);
  t.end();
});

void t.test('a single pause refuses none of a few calls', (t) => {
  const rate = new CallRate(150);
  for (const lateMs of [0, 0, 900, 0, 0]) rate.look((clockMs += lookEveryMs), lateMs);
  for (let call = 0; call < 10; call++) t.equal(rate.admits(clockMs, `phone ${call}`), true);
  t.equal(rate.admits(clockMs, 'phone 10'), false);
  clockMs += 100;
  t.equal(rate.admits(clockMs, 'phone 11'), true, 'ten a second at the least');
  t.end();
});

void t.test('somebody who guesses passwords a hundred times a second keeps no phone out', (t) => {
  const rate = new CallRate(150);
  let admitted = 0;
  for (let ms = 0; ms < 60_000; ms++) {
    clockMs++;
    // Now and then it is late, so that the limit stays.
    if (clockMs % lookEveryMs === 0) rate.look(clockMs, ms % 3_000 < 300 ? 400 : 0);
    if (ms % 10 === 0 && rate.admits(clockMs, 'a guesser') && rate.perSecond !== Number.POSITIVE_INFINITY) admitted++;
    if (ms % 700 === 350) t.equal(rate.admits(clockMs, 'a phone'), true, `after ${ms} ms`);
  }
  t.ok(admitted > 0 && admitted < 60 * 100, `${admitted} guesses`);
  t.end();
});

void t.test('new calls wait until everything else has been read, and no longer than their phones do', (t) => {
  const clock = new VirtualClock();
  const room = new WaitingRoom(clock);
  const served: string[] = [];
  let isPressed = true;
  const enter = (text: string, costsMs = 0, isSaidAgain = true) => {
    const serve = () => {
      served.push(text);
      clock.spend(costsMs);
    };
    room.enter({ bytes: Buffer.from(text), isSaidAgain, serve }, (bytes) => isPressed && !bytes.includes('911'));
  };
  const now = () => served.splice(0);
  for (const text of ['INVITE 1', 'BYE 2', 'INVITE 911', 'ACK 3', 'SIP/2.0 200 OK']) enter(text);
  t.same(now(), ['BYE 2', 'INVITE 911', 'ACK 3', 'SIP/2.0 200 OK']);
  enter('CANCEL 1');
  enter('INVITE 4');
  t.same([now(), room.size], [[], 3]);
  clock.advance(1);
  t.same(now(), ['INVITE 1', 'CANCEL 1', 'INVITE 4'], 'in their order');
  enter('CANCEL 4');
  t.same(now(), ['CANCEL 4'], 'nobody waits before it');

  for (let call = 0; call < 5; call++) enter(`INVITE ${call}`, 2);
  clock.advance(0);
  t.equal(now().length, 2, 'in turns, with a look at the socket between them');
  clock.advance(100);
  t.equal(now().length, 3);
  enter('INVITE a', 500);
  enter('INVITE b');
  enter('CANCEL b');
  clock.advance(1_000);
  t.same(now(), ['INVITE a', 'CANCEL b'], 'what has waited too long comes again by itself');
  t.equal(room.stale, 1);
  for (let call = 0; call < 5_100; call++) enter('INVITE x');
  t.same([room.size, room.stale], [5_000, 101]);
  clock.advance(1_000);
  now();

  enter('INVITE a', 500);
  enter('INVITE by TCP', 0, false);
  enter('INVITE b');
  clock.advance(1_000);
  t.same(now(), ['INVITE a', 'INVITE by TCP'], 'who would not say it again is served however long it took');
  enter('INVITE by TCP', 0, false);
  for (let call = 0; call < 4_999; call++) enter('INVITE x');
  t.same(now(), []);
  enter('INVITE x');
  t.same([now(), room.size], [['INVITE by TCP'], 5_000], 'nor is it thrown away when there is no room');
  clock.advance(1_000);
  now();
  const large = `INVITE ${'x'.repeat(1024 * 1024)}`;
  for (let call = 0; call < 17; call++) enter(large);
  t.equal(room.size, 15, 'nor may they fill the memory');

  clock.advance(1_000);
  now();
  isPressed = false;
  enter('INVITE z');
  t.equal(now()[0], 'INVITE z', 'it is over');
  room.close();
  clock.advance(1_000);
  t.same([now(), room.size, clock.pending], [[], 0, 0]);
  t.end();
});
