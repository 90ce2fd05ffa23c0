import type { Candidate } from '../escalation/index.ts';
import { type EscalationChain, type EscalationStep, numberOf } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';
import { type Broken, candidatesOf, type ChainAt, type Duties } from './chain-at.ts';
import { faultsOf, nobodyRings, tooLate } from './chain-faults.ts';
import { isStaffed } from './findings.ts';
import { budgetsMs } from './model.ts';
import type { Terrain } from './terrain.ts';

/** When each step asks who is on duty; `successors`: who is asked as well, for it still rings when duty passes on. */
export interface Course {
  readonly at: (step: number) => Instant;
  readonly successors: (step: number) => Instant | null;
}

export interface Looked {
  readonly broken: readonly Broken[];
  /** When each step begins at the latest, counted from the beginning of the chain; the end of the last one behind them. */
  readonly beginsMs: readonly number[];
}

/** The chain when nobody takes the call, with the people who hold its tiers as the call comes by. */
export function lookAt(duties: Duties, at: ChainAt, chain: EscalationChain, course: Course): Looked {
  const broken: Broken[] = [];
  const tried: string[] = [];
  const beginsMs: number[] = [];
  const staffed = staffedStep(duties.terrain, chain);
  const longest = new LongestTime();
  let playedMs = 0;
  let resortMs: number | null = null;
  for (const [i, step] of chain.steps.entries()) {
    const asked = course.at(i);
    const candidates = candidatesOf(duties, at, step, asked, tried);
    broken.push(...faultsOf(duties, at, { chain, step: i, instant: asked }, candidates));
    beginsMs.push(playedMs);
    if (i === staffed) resortMs = longest.ms;
    const rung = phonesOf(candidates);
    const anyRung = longest.isSure ? candidates : candidatesOf(duties, at, step, asked, []);
    longest.add(step, anyRung);
    tried.push(...rung);
    if (rung.length > 0) playedMs += step.dwellMs;
    const passesAt = course.successors(i);
    if (passesAt !== null) tried.push(...phonesOf(candidatesOf(duties, at, step, passesAt, tried)));
  }
  if (tried.length === 0) broken.push(nobodyRings(duties, at, chain));
  const limitMs = limitOf(at, chain);
  const endMs = resortMs ?? Math.max(longest.ms, longest.askedMs);
  if (endMs > limitMs) broken.push(tooLate(duties, at, chain, { endMs, limitMs, staffed }));
  return { broken, beginsMs: [...beginsMs, playedMs] };
}

function phonesOf(candidates: readonly Candidate[]): readonly string[] {
  return candidates.flatMap((candidate) => (candidate.verdict === 'rung' ? [candidate.phone] : []));
}

export function limitOf({ urgency }: Pick<ChainAt, 'urgency'>, { withinMs }: EscalationChain): number {
  return withinMs ?? budgetsMs[urgency];
}

/** Adds up the time that steps take at most. */
class LongestTime {
  ms = 0;
  /** Until then somebody may be asked on a mobile. */
  askedMs = 0;
  /**
   * Which phones were tried is known: false behind a step with preferred phones, of which others may be preferred at
   * another minute.
   */
  isSure = true;

  add({ devices, dwellMs }: EscalationStep, candidates: readonly Candidate[]): void {
    const isPreferred = devices.includes('preferred');
    if (isPreferred) this.isSure = false;
    const rung = candidates.filter(({ verdict }) => verdict === 'rung');
    if (rung.length === 0) return;
    this.ms += dwellMs;
    if (isPreferred || rung.some(({ device }) => device === 'mobile')) this.askedMs = this.ms + askingMs;
  }
}

/** The first step that rings somebody who is always there; -1 when none does. */
export function staffedStep({ plan, roster }: Terrain, { steps }: EscalationChain): number {
  return steps.findIndex(({ targets, devices }) =>
    targets.some((target) => {
      if (target.kind !== 'person') return false;
      const person = roster.person(target.person);
      if (person === undefined || !isStaffed(plan, person)) return false;
      return devices.some((device) => device === 'preferred' || numberOf(person, device) !== undefined);
    }),
  );
}

/** So long a mobile is asked at most, also one that was picked up in the last moment of its step. */
export const askingMs = 30_000;
