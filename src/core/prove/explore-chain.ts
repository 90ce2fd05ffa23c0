import type { World } from '../call/index.ts';
import { HOME } from '../dialplan/index.ts';
import { type Candidate, type Situation, whoToRing } from '../escalation/index.ts';
import {
  type ClinicalService,
  type EscalationChain,
  type EscalationStep,
  numberOf,
  type Urgency,
} from '../oncall/index.ts';
import { type Instant, plusMs, type Span } from '../time/index.ts';
import { type CallInto, callInto } from './call-into.ts';
import { type TierOf, type Tiers, chainPieces } from './chain-pieces.ts';
import { arrivalFor, exampleOf } from './example.ts';
import { aCaller, type Findings, type FoundFault, isClaimed, isStaffed } from './findings.ts';
import { budgetsMs, type CounterExample, type House } from './model.ts';
import type { Terrain } from './terrain.ts';
import type { ChainUse } from './way.ts';

/**
 * A chain at every instant. Between two changes of duty nothing about it changes, and it is looked at once for everybody
 * who holds its tiers together. What phones do is left open: each step takes from no time (all fail at once) to its
 * whole time, and nobody takes the call. Whom a step may ring is asked of the code that rings.
 */

/** So long a mobile is asked at most, also one that was picked up in the last moment of its step. */
const askingMs = 30_000;

export interface Duties extends Tiers {
  readonly house: House | null;
  readonly findings: Findings;
}

export interface ChainAt {
  readonly service: ClinicalService;
  readonly urgency: Urgency;
  readonly uses: readonly ChainUse[];
  readonly spans: readonly Span[];
}

/** The instants at which something about the chain changes. */
export function exploreChain(duties: Duties, at: ChainAt): number {
  const { service, urgency } = at;
  const chain = service.chains[urgency];
  // Where somebody who is always there was rung before, the chain need not do it again.
  const isFirst = at.uses.filter(({ isStaffed }) => !isStaffed);
  if (isFirst.length > 0) checkEnd(duties, { ...at, uses: isFirst }, chain);
  let instants = 0;
  const looked = new Map<string, readonly Broken[]>();
  for (const piece of chainPieces(duties, service, chain, at.spans)) {
    instants += 1;
    let broken = looked.get(piece.holders);
    if (broken === undefined) {
      broken = lookAt(duties, at, chain, piece.from);
      looked.set(piece.holders, broken);
    }
    for (const { fault, example } of broken) {
      const shown = callInto(fault.kind === 'tooLate' ? isFirst : at.uses, piece);
      if (shown) duties.findings.add(fault, example(shown), 1);
    }
  }
  return instants;
}

interface Broken {
  readonly fault: FoundFault;
  readonly example: (call: CallInto) => CounterExample;
}

/** Whether the chain has a last resort at all; that does not depend on who is on duty. */
function checkEnd(duties: Duties, at: ChainAt, chain: EscalationChain): void {
  const { terrain, findings } = duties;
  const { service, urgency } = at;
  if (staffedStep(terrain, chain) >= 0) return;
  // A message is no answer to a STAT call, whoever listens to it.
  if (urgency !== 'stat' && isClaimed(terrain.plan, service.mailbox)) return;
  const isStat = urgency === 'stat';
  findings.add(
    isStat
      ? {
          kind: 'noStaffedLastResort',
          document: 'roster',
          path: `chains.${chain.id}`,
          on: 'key',
          reason: `a STAT call to ${service.id} that nobody takes ends without anybody being rung who is always there`,
          remedy: 'add a last step with a post that is staffed: always, such as the operator',
        }
      : {
          kind: 'noStaffedLastResort',
          document: 'plan',
          path: `mailboxes.${service.mailbox}`,
          on: 'key',
          reason: `${article(urgency)} call to ${service.id} can end in the mailbox ${service.mailbox}, and nobody is said to listen to it`,
          remedy: 'add claimed-by: and the extension of whoever does, or ring a staffed post in the chain',
        },
    chainExample(duties, at, { use: at.uses[0]!, arrival: arrivalFor(at.uses[0]!, at.uses[0]!.spans) }),
    1,
  );
}

function article(urgency: Urgency): string {
  return urgency === 'urgent' ? 'an urgent' : 'a routine';
}

/** The first step that rings somebody who is always there; -1 when none does. */
function staffedStep({ plan, roster }: Terrain, { steps }: EscalationChain): number {
  return steps.findIndex(({ targets, devices }) =>
    targets.some((target) => {
      if (target.kind !== 'person') return false;
      const person = roster.person(target.person);
      if (person === undefined || !isStaffed(plan, person)) return false;
      return devices.some((device) => device === 'preferred' || numberOf(person, device) !== undefined);
    }),
  );
}

/** The chain with the people who hold its tiers at this instant, when nobody takes the call. */
function lookAt(duties: Duties, at: ChainAt, chain: EscalationChain, instant: Instant): readonly Broken[] {
  const broken: Broken[] = [];
  const tried: string[] = [];
  const staffed = staffedStep(duties.terrain, chain);
  const longest = new LongestTime();
  let resortMs: number | null = null;
  for (const [i, step] of chain.steps.entries()) {
    const candidates = candidatesOf(duties, at, step, instant, tried);
    broken.push(...faultsOf(duties, at, { chain, step: i, instant }, candidates));
    if (i === staffed) resortMs = longest.ms;
    const rung = candidates.flatMap((candidate) => (candidate.verdict === 'rung' ? [candidate] : []));
    const anyRung = longest.isSure ? rung : candidatesOf(duties, at, step, instant, []);
    longest.add(step, anyRung);
    tried.push(...rung.map(({ phone }) => phone));
  }
  if (tried.length === 0) broken.push(nobodyRings(duties, at, chain));
  const limitMs = chain.withinMs ?? budgetsMs[at.urgency];
  const endMs = resortMs ?? Math.max(longest.ms, longest.askedMs);
  if (endMs > limitMs) broken.push(tooLate(duties, at, chain, { endMs, limitMs, staffed }));
  return broken;
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

function candidatesOf(
  { terrain }: Duties,
  { service, urgency }: Pick<ChainAt, 'service' | 'urgency'>,
  step: EscalationStep,
  at: Instant,
  tried: readonly string[],
): readonly Candidate[] {
  const { plan, roster } = terrain;
  const world: World = { at, plan, roster, isRegistered: () => true, trunkFault: () => null };
  return whoToRing(world, stranger(plan.source.trunk), step, { service: service.id, urgency, tried, declined: [] })
    .candidates;
}

/** A caller whose own phone is none of those that a chain rings. */
function stranger(trunk: string): Situation {
  return { from: { kind: 'trunk', trunk }, site: HOME, acceptDigit: '1', hasMedia: true };
}

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

function faultsOf(
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

function nobodyRings(duties: Duties, at: ChainAt, chain: EscalationChain): Broken {
  return {
    fault: {
      kind: 'nobodyRings',
      document: 'roster',
      path: `services.${at.service.id}.chains.${at.urgency}`,
      on: 'value',
      reason: `the chain ${chain.id} rings nobody for ${at.service.id}`,
      remedy: 'give the tiers of its steps people, or add a step with a post',
    },
    example: (call) => chainExample(duties, at, call),
  };
}

function tooLate(
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
    example: (call) => {
      const example = chainExample(duties, at, call);
      return {
        ...example,
        machines: staffed >= 0 ? [] : machinesOf(duties, at, chain, plusMs(call.arrival, call.use.playedMs)),
        about: { ...example.about, limitMs },
      };
    },
  };
}

/** Mobiles of the last step that rings any, picked up by something as late as can be. */
function machinesOf(duties: Duties, at: ChainAt, chain: EscalationChain, begins: Instant): CounterExample['machines'] {
  const tried: string[] = [];
  let last: CounterExample['machines'] = [];
  for (const step of chain.steps) {
    const rung = candidatesOf(duties, at, step, begins, tried).flatMap((one) => (one.verdict === 'rung' ? [one] : []));
    const mobiles = rung.filter(({ device }) => device === 'mobile');
    if (mobiles.length > 0) last = mobiles.map(({ phone }) => ({ phone, afterMs: step.dwellMs - 1 }));
    tried.push(...rung.map(({ phone }) => phone));
  }
  return last;
}

function chainExample(
  duties: Duties,
  { service, urgency }: ChainAt,
  { use, arrival }: CallInto,
  step: number | null = null,
): CounterExample {
  const { terrain } = duties;
  const example = exampleOf(terrain, use, arrival);
  const { roster } = terrain;
  const isInvolved = (extension: string) =>
    roster.personByDesk(extension) !== undefined || [use.entry.dialled, ...use.rung].includes(extension);
  return {
    ...example,
    from: use.caller.isAnybody ? aCaller(terrain.plan, isInvolved) : example.from,
    path: [...example.path, `services.${service.id}`, `chains.${service.chains[urgency].id}`],
    about: { service: service.id, step, limitMs: null },
  };
}
