import { fc, runs } from '../support/fast-check.ts';
import t from 'tap';
import { faultKinds, isShown, prove } from '../../src/core/prove/index.ts';
import type { PhoneOutcome } from '../../src/core/simulate/index.ts';
import { breachesOf } from '../support/promise.ts';
import { aCall, hospital, span } from '../support/random-hospital.ts';

// The abstraction of the prover against the call machine itself (docs/adr/0023).

const phones = ['3100', '3101', '3102', '3103', '+12025550110', '+12025550111', '+12025550112', '+12025550113'];
const rings: PhoneOutcome = { kind: 'noAnswer', afterMs: null };

function outcomesOf({ outcomes, nobodyAnswers }: { outcomes: readonly PhoneOutcome[]; nobodyAnswers: boolean }) {
  return (phone: string): PhoneOutcome => {
    const outcome =
      outcomes[phones.indexOf(phone)] ?? (phone === '+12025550777' ? { kind: 'answers', afterMs: 1_000 } : rings);
    return nobodyAnswers && outcome.kind === 'answers' ? rings : outcome;
  };
}

void t.test('no call does what the proof says cannot happen', async (t) => {
  const seen = new Map<string, number>();
  let hospitals = 0;
  let proved = 0;
  fc.assert(
    fc.property(hospital, fc.array(aCall, { minLength: 14, maxLength: 14 }), (house, calls) => {
      if (house === null) return;
      const { plan, roster } = house;
      const { faults } = prove(plan, roster, span);
      hospitals += 1;
      if (faults.length === 0) proved += 1;
      const said = new Set(faults.map(({ kind }) => kind));
      for (const { caller, to, at, keys, unregistered, ...more } of calls) {
        const from = to.startsWith('+') ? null : (caller ?? '2101');
        const isRegistered = (extension: string) => !unregistered.includes(extension);
        const supposed = { from, to, at, isRegistered, outcomeOf: outcomesOf(more) };
        for (const breach of breachesOf(plan, roster, supposed, keys)) {
          // A phone that is not registered rings nobody, and is nothing that documents can mend.
          if (breach === 'nobodyRings' && unregistered.length > 0) continue;
          seen.set(breach, (seen.get(breach) ?? 0) + 1);
          if (said.has(breach)) continue;
          const call = JSON.stringify({ from, to, at: new Date(at).toISOString(), keys, unregistered, more });
          throw new Error(`${breach} is not in [${[...said].join(' ')}]: ${call}`);
        }
      }
    }),
    { numRuns: runs(500) },
  );
  t.comment(`${hospitals} hospitals, ${proved} of them proved; ${JSON.stringify([...seen])}`);
  t.ok(hospitals > 100 && proved > 0, 'enough hospitals');
  for (const kind of faultKinds) if (kind !== 'loop') t.ok(seen.has(kind), `${kind} was tried`);
});

void t.test('every fault is shown by its counter-example', async (t) => {
  const shown = new Map<string, number>();
  fc.assert(
    fc.property(hospital, (house) => {
      if (house === null) return;
      for (const fault of prove(house.plan, house.roster, span).faults) {
        if (!isShown(house.plan, house.roster, fault)) {
          throw new Error(`not shown: ${fault.kind} ${fault.path}: ${fault.reason} ${JSON.stringify(fault.example)}`);
        }
        shown.set(fault.kind, (shown.get(fault.kind) ?? 0) + 1);
      }
    }),
    { numRuns: runs(400) },
  );
  t.comment(JSON.stringify([...shown]));
  t.ok(shown.size >= 6, 'most kinds of fault were found');
});
