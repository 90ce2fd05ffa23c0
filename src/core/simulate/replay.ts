import type { CallFact } from '../audit/index.ts';
import type { CompiledPlan } from '../dialplan/index.ts';
import type { CompiledRoster, PersonId, RosterInTime } from '../oncall/index.ts';
import type { PhoneOutcome, StoryEnd, Supposed } from './model.ts';
import { type RecordedFact, retrace } from './retrace.ts';
import { type CallerPresses, tellStory } from './tell-story.ts';

/** A past call under other documents. */

export interface Documents {
  readonly plan: CompiledPlan;
  /** With the overrides that were known when the call came, and while it ran. */
  readonly roster: RosterInTime;
}

export type Replayed =
  /** Every fact would be the same. */
  | { readonly kind: 'same' }
  /** Decided otherwise, and it comes to the same person no later. */
  | { readonly kind: 'alike'; readonly then: StoryEnd; readonly now: StoryEnd }
  | {
      readonly kind: 'somebodyElse' | 'later' | 'nobody' | 'somebody';
      readonly then: StoryEnd;
      readonly now: StoryEnd;
    };

/**
 * What would have come of a call. Phones do what they did; a phone that was not rung is supposed to be answered. Both
 * sides are told by the simulator, so that prompts, which take no time there, make no difference.
 */
export function replay(recorded: readonly RecordedFact[], before: Documents, proposed: Documents): Replayed {
  if (retrace(proposed.plan, proposed.roster, recorded).kind === 'same') return { kind: 'same' };
  const { at } = recorded[0]!;
  const { supposed, presses } = suppositions(recorded, before.roster.at(at));
  const endUnder = ({ plan, roster }: Documents): StoryEnd => {
    return tellStory(plan, roster.at(at), { ...supposed, rosterAt: roster.at }, presses).end;
  };
  const [then, now] = [endUnder(before), endUnder(proposed)];
  return { kind: verdict(then, now), then, now };
}

function verdict(then: StoryEnd, now: StoryEnd): Exclude<Replayed['kind'], 'same'> {
  if (now.kind !== 'human') {
    if (then.kind === 'human') return 'nobody';
    return now.kind === then.kind && now.afterMs <= then.afterMs ? 'alike' : now.kind === 'over' ? 'nobody' : 'later';
  }
  if (then.kind !== 'human') return 'somebody';
  if (now.person !== then.person) return 'somebodyElse';
  return now.afterMs > then.afterMs ? 'later' : 'alike';
}

/** How long somebody takes who was not rung in the real call. */
const usualAnswer: PhoneOutcome = { kind: 'answers', afterMs: null };

function suppositions(
  recorded: readonly RecordedFact[],
  roster: CompiledRoster,
): { readonly supposed: Supposed; readonly presses: CallerPresses } {
  const facts = recorded.map(({ fact }) => fact);
  const [arrived] = facts;
  if (arrived?.fact !== 'arrived') throw new RangeError('a call that has not arrived cannot be replayed');
  const { from, number, dialled } = arrived;
  const isOutside = from.startsWith('trunk ');
  const outcomes = outcomesOf(recorded);
  const unregistered = new Set(
    facts.flatMap((fact) => {
      if (fact.fact !== 'considered' || fact.verdict !== 'skipped' || fact.device !== 'desk') return [];
      const desk = roster.person(fact.person as PersonId)?.desk ?? fact.person;
      return /is not registered|no phone is registered/.test(fact.because) ? [desk] : [];
    }),
  );
  return {
    supposed: {
      from: isOutside ? null : from,
      ...(isOutside ? { trunk: from.slice('trunk '.length), number: number?.reveal() ?? null } : {}),
      to: typeof dialled === 'string' ? dialled : dialled.reveal(),
      at: recorded[0]!.at,
      isRegistered: (extension) => !unregistered.has(extension),
      outcomeOf: (phone) => outcomes.get(phone) ?? usualAnswer,
      answerOf: answersIn(facts),
    },
    presses: { keys: keysIn(facts), urgency: null },
  };
}

function keysIn(facts: readonly CallFact[]): CallerPresses['keys'] {
  return facts.flatMap((fact) => {
    if (fact.fact === 'keyPressed') return [{ key: fact.key, afterMs: 0 }];
    return fact.fact === 'digitsKeyed' ? [{ key: fact.digits.reveal(), afterMs: 0 }] : [];
  });
}

function answersIn(facts: readonly CallFact[]): (hook: string) => string | null | undefined {
  const waiting = facts.flatMap((fact) => (fact.fact === 'lookupAnswered' ? [fact] : []));
  return (hook) => {
    const next = waiting.findIndex((fact) => fact.hook === hook);
    if (next < 0) return undefined;
    const { answer } = waiting.splice(next, 1)[0]!;
    return answer === '' ? null : answer;
  };
}

function outcomesOf(recorded: readonly RecordedFact[]): ReadonlyMap<string, PhoneOutcome> {
  const outcomes = new Map<string, PhoneOutcome>();
  for (const { at: since, fact: rung } of recorded) {
    if (rung.fact !== 'legRung' || rung.target.kind === 'dialled') continue;
    const { target, leg } = rung;
    const own = recorded.filter(({ fact }) => 'leg' in fact && fact.leg === leg);
    outcomes.set(target.kind === 'extension' ? target.extension : target.e164, outcomeOf(own, since));
  }
  return outcomes;
}

function outcomeOf(own: readonly RecordedFact[], since: number): PhoneOutcome {
  const answered = own.find(({ fact }) => fact.fact === 'legAnswered');
  if (answered) {
    const afterMs = answered.at - since;
    const says = own.flatMap(({ fact }) => (fact.fact === 'challengeAnswered' ? [fact.result] : []));
    if (says.includes('declined')) return { kind: 'declines', afterMs };
    const isHuman = own.some(({ fact }) => fact.fact === 'accepted' || fact.fact === 'bridged');
    return { kind: isHuman ? 'answers' : 'machine', afterMs };
  }
  const ended = own.find(({ fact }) => fact.fact === 'legEnded');
  const afterMs = (ended?.at ?? since) - since;
  const result = ended?.fact.fact === 'legEnded' ? ended.fact.result.kind : 'stoodDown';
  switch (result) {
    case 'busy':
    case 'unreachable':
      return { kind: result, afterMs };
    case 'declined':
      return { kind: 'declines', afterMs };
    case 'noAnswer':
      return { kind: 'noAnswer', afterMs };
    case 'notRegistered':
    case 'trunkUnavailable':
    case 'mediaFailed':
      return { kind: 'unreachable', afterMs };
    default:
      // It rang until the house stopped it: nobody knows what would have come.
      return { kind: 'noAnswer', afterMs: null };
  }
}
