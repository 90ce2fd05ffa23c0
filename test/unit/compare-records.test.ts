import t from 'tap';
import { differences } from '../real/compare-records.ts';
import type { CallRecord } from '../support/records.ts';

// What `npm run test:real` calls a difference, and what it does not.

function call(...facts: CallRecord['facts']): CallRecord {
  return { from: '2101', dialled: '7011', facts };
}

void t.test('ids, times and addresses may differ, and the order of different telephones', async (t) => {
  const one = call(
    { fact: 'arrived', peer: '127.0.0.1:40001/udp', sipCallId: 'a' },
    { fact: 'legRung', leg: '1', target: { trunk: 'carrier', why: 'sip:127.0.0.1:5070 answers' } },
    { fact: 'legRinging', leg: '1', sipStatus: 180 },
    { fact: 'legRinging', leg: '2', sipStatus: 180 },
    { fact: 'ended', cause: 'callerHungUp', talkedMs: 812 },
  );
  const other = call(
    { fact: 'arrived', peer: '127.0.0.1:50002/udp', sipCallId: 'b' },
    { fact: 'legRung', leg: '1', target: { trunk: 'carrier', why: 'sip:127.0.0.1:6070 answers' } },
    { fact: 'legRinging', leg: '2', sipStatus: 180 },
    { fact: 'legRinging', leg: '1', sipStatus: 180 },
    { fact: 'ended', cause: 'callerHungUp', talkedMs: 1020 },
  );
  t.same(differences([one], [other]), []);
});

void t.test('every other field counts', async (t) => {
  const base = call({ fact: 'legRinging', leg: '1', sipStatus: 180 }, { fact: 'ended', cause: 'callerHungUp' });
  const table: readonly (readonly [CallRecord[], RegExp])[] = [
    [[], /1 calls here, 0 there/],
    [
      [call({ fact: 'legRinging', leg: '1', sipStatus: 183 }, { fact: 'ended', cause: 'callerHungUp' })],
      /leg 1: .*183/,
    ],
    [[call({ fact: 'ended', cause: 'callerHungUp' })], /leg 1: fact 1 here: .*180.*; there: none/],
    [
      [call({ fact: 'legRinging', leg: '1', sipStatus: 180 }, { fact: 'ended', cause: 'busy' })],
      /2101 to 7011\): .*busy/,
    ],
  ];
  for (const [theirs, says] of table) {
    const found = differences([base], theirs);
    t.equal(found.length, 1);
    t.match(found[0], says);
  }
});
