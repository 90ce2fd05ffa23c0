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
    { fact: 'soundMeasured', leg: '1', mosHundredths: 439 },
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

void t.test('documents that hold an address have another id; which of them was used still counts', async (t) => {
  const used = (first: string, second: string) =>
    [first, second].map((of) => call({ fact: 'documentsUsed', plan: `sha256:${of.repeat(64)}` }));
  t.same(differences(used('a', 'a'), used('b', 'b')), []);
  t.same(differences(used('a', 'b'), used('c', 'd')), []);
  t.match(differences(used('a', 'b'), used('c', 'c')), [/call 2 .*<document 2>.*<document 1>/]);
});

void t.test('who of two wins is a matter of time, not that one does', async (t) => {
  const race = (winner: string, loser: string, then = 'stoodDown') =>
    call(
      { fact: 'legRung', leg: '1', person: 'dr-bell', target: { kind: 'number', e164: '+12025550112' } },
      { fact: 'legRung', leg: '2', person: 'dr-ames', target: { kind: 'number', e164: '+12025550111' } },
      { fact: 'challengeAnswered', leg: winner, result: 'accepted' },
      { fact: 'challengeAnswered', leg: loser, result: 'tooLate' },
      { fact: 'legEnded', leg: loser, result: { kind: then } },
    );
  t.same(differences([race('1', '2')], [race('2', '1')]), []);
  t.match(differences([race('1', '2')], [race('2', '1', 'mediaLost')]), [/leg too late 1: .*stoodDown.*mediaLost/]);
  const alone = (leg: string) => call({ fact: 'challengeAnswered', leg, result: 'accepted' });
  t.equal(differences([alone('1')], [alone('2')]).length, 2, 'without a race it counts who accepted');
});
