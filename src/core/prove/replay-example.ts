import type { CallFact } from '../audit/index.ts';
import type { CompiledPlan } from '../dialplan/index.ts';
import { never } from '../never.ts';
import type { CompiledRoster, PersonId } from '../oncall/index.ts';
import { type Story, tellStory } from '../simulate/index.ts';
import { isAlwaysThere, isStaffed } from './findings.ts';
import type { CounterExample, Fault } from './model.ts';

/** The call of a counter-example, told by the call machine itself. */
export function tellExample(plan: CompiledPlan, roster: CompiledRoster, example: CounterExample): Story {
  const { from, number, trunk, to, at, keys, unregistered, machines } = example;
  const rings = { kind: 'noAnswer', afterMs: null } as const;
  const outcomeOf = (phone: string) => {
    const machine = machines.find((one) => one.phone === phone);
    return machine === undefined ? rings : ({ kind: 'machine', afterMs: machine.afterMs } as const);
  };
  const isRegistered = (extension: string) => !unregistered.includes(extension);
  return tellStory(
    plan,
    roster,
    { from, number, ...(trunk === null ? {} : { trunk }), to, at, isRegistered, outcomeOf },
    { keys, urgency: null },
  );
}

/** Whether the call runs into what the fault says. A fault that no call runs into is no fault. */
export function isShown(plan: CompiledPlan, roster: CompiledRoster, { kind, example }: Fault): boolean {
  const { facts, end } = tellExample(plan, roster, example);
  const { step, limitMs } = example.about;
  switch (kind) {
    case 'loop':
      return end.kind === 'over' && end.cause === 'internalError';
    case 'deadEnd':
      return end.kind === 'over' && !hasStaffed(plan, roster, facts);
    case 'noStaffedLastResort':
      return end.kind === 'message' && !hasStaffed(plan, roster, facts);
    case 'unconfirmedAnswer':
      return end.kind === 'human' && end.person === '';
    case 'tooLate': {
      const begins = sinceOf(facts, 'escalationStarted') ?? example.at;
      const resort = facts.find(({ fact }) => isStaffedLeg(plan, roster, fact))?.at ?? example.at + end.afterMs;
      return resort - begins > (limitMs ?? 0);
    }
    case 'nobodyRings':
      return facts.every(({ fact }) => fact.fact !== 'legRung');
    case 'coverageGap':
      return facts.some(
        ({ fact }) => fact.fact === 'considered' && fact.person === '' && fact.step === (step ?? 0) + 1,
      );
    case 'stepCannotRing':
      return (
        facts.some(({ fact }) => fact.fact === 'stepStarted' && fact.step === (step ?? 0) + 1) &&
        facts.every(
          ({ fact }) => fact.fact !== 'considered' || fact.step !== (step ?? 0) + 1 || fact.verdict === 'skipped',
        )
      );
    default:
      return never(kind);
  }
}

function sinceOf(facts: Story['facts'], name: CallFact['fact']): number | undefined {
  return facts.find(({ fact }) => fact.fact === name)?.at;
}

function hasStaffed(plan: CompiledPlan, roster: CompiledRoster, facts: Story['facts']): boolean {
  return facts.some(({ fact }) => isStaffedLeg(plan, roster, fact));
}

function isStaffedLeg(plan: CompiledPlan, roster: CompiledRoster, fact: CallFact): boolean {
  if (fact.fact !== 'legRung') return false;
  const { person: id, target } = fact;
  const person = roster.person(id as PersonId);
  if (person && isStaffed(plan, person)) return true;
  return target.kind === 'extension' && isAlwaysThere(plan, roster, target.extension);
}
