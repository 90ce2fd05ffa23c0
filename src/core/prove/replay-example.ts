import type { CallFact } from '../audit/index.ts';
import type { CompiledPlan } from '../dialplan/index.ts';
import { never } from '../never.ts';
import type { CompiledRoster, PersonId } from '../oncall/index.ts';
import { type Story, tellStory } from '../simulate/index.ts';
import { isAlwaysThere, isStaffed } from './findings.ts';
import type { CounterExample, Fault } from './model.ts';

/** The call of a counter-example, told by the call machine itself. */
export function tellExample(plan: CompiledPlan, roster: CompiledRoster, example: CounterExample): Story {
  const { from, number, trunk, to, at, keys, unregistered, machines, answers } = example;
  const rings = { kind: 'noAnswer', afterMs: null } as const;
  const rung: string[] = [];
  const outcomeOf = (phone: string) => {
    const before = rung.filter((one) => one === phone).length;
    rung.push(phone);
    const machine = machines.find((one) => one.phone === phone);
    return machine === undefined || before < machine.ringsBefore
      ? rings
      : ({ kind: 'machine', afterMs: machine.afterMs } as const);
  };
  const isRegistered = (extension: string) => !unregistered.includes(extension);
  const waiting = [...answers];
  const answerOf = () => waiting.shift()?.answer;
  const supposed = { from, number, ...(trunk === null ? {} : { trunk }), to, at, isRegistered, outcomeOf, answerOf };
  return tellStory(plan, roster, supposed, { keys, urgency: null });
}

/** Whether the call runs into what the fault says. A fault that no call runs into is no fault. */
export function isShown(plan: CompiledPlan, roster: CompiledRoster, { kind, example }: Fault): boolean {
  const { facts: all, end } = tellExample(plan, roster, example);
  const key = all.findLastIndex(({ fact }) => isKeyPressed(fact));
  const facts = all.slice(key + 1);
  const chain = facts.slice(facts.findIndex(({ fact }) => fact.fact === 'escalationStarted'));
  const staffed = facts.find(({ fact }) => isStaffedLeg(plan, roster, fact));
  const { step, limitMs, service } = example.about;
  switch (kind) {
    case 'loop':
      return end.kind === 'over' && end.cause === 'internalError';
    case 'deadEnd':
      return end.kind === 'over' && staffed === undefined;
    case 'noStaffedLastResort':
      return end.kind === 'message' && staffed === undefined;
    case 'unconfirmedAnswer':
      return end.kind === 'human' && end.person === '' && staffed === undefined;
    case 'tooLate': {
      const isOfChain = service !== null;
      const begins = isOfChain ? chain[0]!.at : (all[key]?.at ?? example.at);
      const begun = isOfChain ? undefined : facts.find(({ fact }) => fact.fact === 'escalationStarted');
      return (begun ?? staffed ?? { at: example.at + end.afterMs }).at - begins > (limitMs ?? 0);
    }
    case 'nobodyRings':
      return chain.every(({ fact }) => fact.fact !== 'legRung');
    case 'coverageGap':
      return considered(chain, step).some(({ person }) => person === '');
    case 'stepCannotRing': {
      const own = considered(chain, step);
      return own.length > 0 && own.every(({ verdict }) => verdict === 'skipped');
    }
    default:
      return never(kind);
  }
}

type Considered = Extract<CallFact, { fact: 'considered' }>;

/** `step` from 0. */
function considered(facts: Story['facts'], step: number | null): readonly Considered[] {
  return facts.flatMap(({ fact }) => (fact.fact === 'considered' && fact.step === (step ?? 0) + 1 ? [fact] : []));
}

function isKeyPressed(fact: CallFact): boolean {
  if (fact.fact === 'digitsKeyed') return fact.digits.reveal() !== '';
  return fact.fact === 'keyPressed' && fact.key !== '';
}

function isStaffedLeg(plan: CompiledPlan, roster: CompiledRoster, fact: CallFact): boolean {
  if (fact.fact !== 'legRung') return false;
  const { person: id, target } = fact;
  const person = roster.person(id as PersonId);
  if (person && isStaffed(plan, person)) return true;
  return target.kind === 'extension' && isAlwaysThere(plan, roster, target.extension);
}
