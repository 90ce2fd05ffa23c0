import { CALLER } from '../call/events.ts';
import type { OfferedAs } from '../call/effects.ts';
import { act, attest, newLeg, newToken, type Turn } from '../call/turn.ts';
import type { World } from '../call/world.ts';
import type { Prompt } from '../dialplan/index.ts';
import type { Device, EscalationStep, ServiceId, Urgency } from '../oncall/index.ts';
import { plusMs, type Instant } from '../time/index.ts';
import { tryingPrompts } from './announce.ts';
import { isOpen } from './legs.ts';
import type { Escalation, EscalationBase, EscalationIn, EscalationLeg, Situation } from './model.ts';
import { whoToRing, type Candidate } from './who-to-ring.ts';

/**
 * Starts chain step `from`, or the first one after it that rings a phone: a step with nobody to ring costs no time.
 * `lead` is what the caller hears first. After the last step the escalation settles or is exhausted.
 */
export function startStep(
  world: World,
  situation: Situation,
  escalation: Escalation,
  from: number,
  lead: readonly Prompt[],
  turn: Turn,
): Escalation {
  const steps = chainSteps(world, escalation.service, escalation.urgency);
  let base = baseOf(escalation);

  for (let number = from; number < steps.length; number += 1) {
    const step = steps[number] as EscalationStep;
    base = { ...base, step: number, round: base.round + 1 };
    attest(turn, { fact: 'stepStarted', step: number + 1, says: saysStep(world, step), dwellMs: step.dwellMs });
    const { candidates, nextBoundary } = whoToRing(world, situation, step, base);
    base = ring(world, situation, base, candidates, turn);
    if (candidates.some(({ verdict }) => verdict === 'rung')) {
      const stepEndsAt = plusMs(world.at, step.dwellMs);
      act(turn, { type: 'wakeMe', afterMs: step.dwellMs, with: { type: 'stepTimedOut', step: base.round } });
      wakeAtBoundary(world.at, nextBoundary, stepEndsAt, base.round, turn);
      tellCaller(situation, [...lead, ...(number === 0 ? [] : tryingPrompts(candidates))], turn);
      return { ...base, name: 'working', stepEndsAt };
    }
    attest(turn, { fact: 'stepOver', step: number + 1, because: 'nobodyToRing' });
  }

  // Decision 6: whoever is being asked at this moment may still say yes; any right human beats no human.
  if (!base.legs.some(isOpen)) return { ...base, name: 'exhausted' };
  // After a lost winner the caller hears nothing any more unless somebody says so.
  if (lead.length > 0) tellCaller(situation, lead, turn);
  return { ...base, name: 'settling' };
}

/** The tiers may have passed to somebody else while phones ring: the successor rings too, nobody stops ringing. */
export function addSuccessors(
  world: World,
  situation: Situation,
  escalation: EscalationIn<'working'>,
  turn: Turn,
): Escalation {
  const step = chainSteps(world, escalation.service, escalation.urgency)[escalation.step];
  if (step === undefined) return escalation;
  const { candidates, nextBoundary } = whoToRing(world, situation, step, escalation);
  const fresh = candidates.filter((candidate) => candidate.verdict === 'rung' || !candidate.alreadyTried);
  wakeAtBoundary(world.at, nextBoundary, escalation.stepEndsAt, escalation.round, turn);
  return { ...ring(world, situation, escalation, fresh, turn), name: 'working', stepEndsAt: escalation.stepEndsAt };
}

export function chainSteps(world: World, service: ServiceId, urgency: Urgency): readonly EscalationStep[] {
  return world.roster.service(service)?.chains[urgency].steps ?? [];
}

function ring(
  world: World,
  situation: Situation,
  base: EscalationBase,
  candidates: readonly Candidate[],
  turn: Turn,
): EscalationBase {
  const legs: EscalationLeg[] = [...base.legs];
  const tried = [...base.tried];
  for (const candidate of candidates) {
    const { tier, device, contact, verdict, because, duty } = candidate;
    const person = candidate.person?.id ?? '';
    const named = contact === undefined ? {} : { contact };
    attest(turn, { fact: 'considered', step: base.step + 1, tier, person, device, ...named, verdict, because, duty });
    if (candidate.verdict === 'skipped') continue;
    const leg = newLeg(turn);
    const { target, phone } = candidate;
    attest(turn, { fact: 'legRung', leg, person, target });
    act(turn, {
      type: 'ringLeg',
      leg,
      target,
      media: situation.hasMedia ? 'anchored' : 'direct',
      offeredAs: offeredAs(world, situation, base, candidate.device),
    });
    const { id, name } = candidate.person;
    legs.push({
      id: leg,
      person: id,
      personName: name,
      isPost: tier === 'post',
      device: candidate.device,
      phone,
      ...(target.kind === 'number' && target.failover !== undefined ? { failover: target.failover } : {}),
      step: base.step,
      stage: { name: 'ringing' },
    });
    tried.push(phone);
  }
  return { ...base, legs, tried };
}

/** A mobile shows the main number: carriers refuse or rewrite a caller id that is not ours. */
export function offeredAs(
  world: World,
  { from, site }: Situation,
  { service, urgency }: Pick<EscalationBase, 'service' | 'urgency'>,
  device: Device,
): OfferedAs {
  const caller =
    from.kind === 'phone' ? (world.plan.extension(from.extension)?.name ?? from.extension) : 'outside call';
  const name = world.roster.service(service)?.name ?? service;
  const shownUrgency = urgency === 'stat' ? 'STAT' : urgency;
  const isInside = from.kind === 'phone' && device === 'desk';
  return {
    displayName: `${name} ${shownUrgency}: ${caller}`,
    number: isInside ? from.extension : world.plan.site(site).mainNumber,
    urgency,
  };
}

function wakeAtBoundary(at: Instant, boundary: Instant | null, stepEndsAt: Instant, round: number, turn: Turn): void {
  if (boundary === null || boundary <= at || boundary >= stepEndsAt) return;
  act(turn, { type: 'wakeMe', afterMs: boundary - at, with: { type: 'shiftBoundaryReached', step: round } });
}

/** Without media the caller's own phone makes the sound of ringing. */
function tellCaller({ hasMedia }: Situation, prompts: readonly Prompt[], turn: Turn): void {
  if (!hasMedia) return act(turn, { type: 'ringCaller' });
  act(turn, { type: 'play', leg: CALLER, token: newToken(turn), prompts, then: 'ringback' });
}

function baseOf({ service, place, urgency, legs, tried, declined, step, round }: Escalation): EscalationBase {
  return { service, place, urgency, legs, tried, declined, step, round };
}

function saysStep({ roster }: World, { targets, devices }: EscalationStep): string {
  const who = targets.map((target) => {
    if (target.kind === 'person') return roster.person(target.person)?.name ?? target.person;
    const service = target.service && (roster.service(target.service)?.name ?? target.service);
    return service === undefined ? target.tier : `${target.tier} of ${service}`;
  });
  return `${who.join(' and ')}, ${devices.map((device) => spokenDevices[device]).join(' and ')}`;
}

const spokenDevices = { desk: 'desk phone', mobile: 'mobile', preferred: 'the phones they prefer' } as const;
