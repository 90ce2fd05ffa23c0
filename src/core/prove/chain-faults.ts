import type { Candidate } from '../escalation/index.ts';
import type { EscalationChain, EscalationStep } from '../oncall/index.ts';
import { type Instant, plusMs } from '../time/index.ts';
import type { CallInto } from './call-into.ts';
import { type Broken, askedAt, type ChainAt, chainExample, type Duties } from './chain-at.ts';
import type { TierOf } from './chain-pieces.ts';
import { machineAt } from './example.ts';
import type { CounterExample, House } from './model.ts';

/** What can be wrong with a chain, and what to do about it. */

interface Where {
  readonly chain: EscalationChain;
  readonly step: number;
  readonly instant: Instant;
}

/** Tiers of a step that nobody holds. One without rules is empty by design: a chain that other services use may name it. */
function gapsOf(
  { terrain: { roster } }: Duties,
  { service }: ChainAt,
  step: EscalationStep,
  instant: Instant,
): readonly { readonly of: TierOf; readonly because: string }[] {
  return step.targets.flatMap((target) => {
    if (target.kind !== 'tier') return [];
    const of: TierOf = { tier: target.tier, service: target.service ?? service.id };
    if ((roster.service(of.service)?.tiers[of.tier] ?? []).length === 0) return [];
    const result = roster.whoIsOnCall(of.service, of.tier, instant);
    return result.kind === 'nobodyOnCall' ? [{ of, because: result.because }] : [];
  });
}

export function faultsOf(
  duties: Duties,
  at: ChainAt,
  { chain, step, instant }: Where,
  candidates: readonly Candidate[],
): readonly Broken[] {
  const { service } = at;
  const broken: Broken[] = [];
  for (const { of, because } of gapsOf(duties, at, chain.steps[step]!, instant)) {
    broken.push({
      fault: {
        kind: 'coverageGap',
        document: 'roster',
        path: `services.${of.service}.${of.tier}`,
        on: 'key',
        reason: `nobody is ${of.tier} of ${of.service}: ${because}`,
        remedy: 'let a rule behind it name somebody for that time, or take the tier away',
      },
      step,
      example: (call) => chainExample(duties, at, call, step),
    });
  }
  const cannot = candidates.filter((candidate) => candidate.person !== null && !isPossible(duties.house, candidate));
  const isAnyTried = candidates.some((candidate) => candidate.verdict === 'skipped' && candidate.alreadyTried);
  const isAnyRung = candidates.some((candidate) => isPossible(duties.house, candidate));
  if (cannot.length > 0 && !isAnyRung && !isAnyTried) {
    const who = [...new Set(cannot.map(({ person }) => person!.name))].join(' and ');
    broken.push({
      fault: {
        kind: 'stepCannotRing',
        document: 'roster',
        path: `chains.${chain.id}.steps.${step}`,
        on: 'value',
        reason: `step ${step + 1} for ${service.id} is to ring ${who}, and no phone can: ${[...new Set(cannot.map(whyNot))].join('; ')}`,
        remedy: 'add a device to on:, a number to the person, or the phone to the house (wardline phone add)',
      },
      step,
      example: (call) => ({
        ...chainExample(duties, at, call, step),
        unregistered: cannot.flatMap((one) => (one.verdict === 'rung' && one.device === 'desk' ? [one.phone] : [])),
      }),
    });
  }
  return broken;
}

/** Whether a phone rings, as far as the documents and the house can tell. */
function isPossible(house: House | null, candidate: Candidate): boolean {
  if (candidate.verdict === 'skipped') return false;
  return house === null || candidate.device !== 'desk' || house.phones.has(candidate.phone);
}

function whyNot(candidate: Candidate): string {
  return candidate.verdict === 'skipped'
    ? candidate.because
    : `the house has no phone for extension ${candidate.phone}`;
}

export function nobodyRings(duties: Duties, at: ChainAt, chain: EscalationChain): Broken {
  return {
    fault: {
      kind: 'nobodyRings',
      document: 'roster',
      path: `services.${at.service.id}.chains.${at.urgency}`,
      on: 'value',
      reason: `the chain ${chain.id} rings nobody for ${at.service.id}`,
      remedy: 'give the tiers of its steps people, or add a step with a post',
    },
    step: null,
    example: (call) => chainExample(duties, at, call),
  };
}

export function tooLate(
  duties: Duties,
  at: ChainAt,
  chain: EscalationChain,
  { endMs, limitMs, staffed }: { readonly endMs: number; readonly limitMs: number; readonly staffed: number },
): Broken {
  const what = staffed >= 0 ? `the staffed step ${staffed + 1} begins` : 'the message begins';
  return {
    fault: {
      kind: 'tooLate',
      document: 'roster',
      path: `chains.${chain.id}`,
      on: 'key',
      reason: `${what} up to ${endMs / 1000} s after the chain; ${limitMs / 1000} s are allowed for ${at.urgency === 'stat' ? 'STAT' : at.urgency} calls`,
      remedy: 'shorten its steps, put a staffed post further up, or allow more with within:',
    },
    step: null,
    example: (call) => {
      const example = chainExample(duties, at, call);
      return {
        ...example,
        machines: staffed >= 0 ? [] : machinesOf(duties, at, chain, call),
        about: { ...example.about, limitMs },
      };
    },
  };
}

/** Mobiles of the last step that rings any, picked up by something as late as can be. */
function machinesOf(
  duties: Duties,
  at: ChainAt,
  chain: EscalationChain,
  { use, arrival }: CallInto,
): CounterExample['machines'] {
  let begins = plusMs(arrival, use.playedMs);
  const tried: string[] = [];
  let last: CounterExample['machines'] = [];
  for (const step of chain.steps) {
    const ends = plusMs(begins, step.dwellMs);
    const mobiles: CounterExample['machines'][number][] = [];
    let isAnyRung = false;
    // Whoever comes on duty while others ring is rung as well.
    for (let asked: Instant | null = begins; asked !== null && asked < ends; ) {
      const { candidates, nextBoundary } = askedAt(duties, at, step, asked, tried);
      for (const one of candidates) {
        if (one.verdict !== 'rung') continue;
        isAnyRung = true;
        tried.push(one.phone);
        if (one.device === 'mobile') mobiles.push(machineAt(use, one.phone, ends - asked - 1));
      }
      asked = isAnyRung && nextBoundary !== null && nextBoundary > asked ? nextBoundary : null;
    }
    if (mobiles.length > 0) last = mobiles;
    if (isAnyRung) begins = ends;
  }
  return last;
}
