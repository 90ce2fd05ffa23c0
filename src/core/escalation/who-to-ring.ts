import type { LegTarget } from '../call/events.ts';
import type { World } from '../call/world.ts';
import type { Device, DutyTier, EscalationStep, Person, PersonId, ServiceId, StepTarget } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';
import type { Situation } from './model.ts';

/**
 * One phone of one target of a step, and whether it rings. Every candidate goes to the audit. `duty` is the rule by
 * which the person holds the tier; `because` the reason for ringing, or what is in the way.
 */
export type Candidate =
  | {
      readonly verdict: 'skipped';
      readonly tier: DutyTier | 'post';
      readonly person: Person | null;
      readonly device: Device | null;
      readonly because: string;
      readonly duty: string;
      readonly alreadyTried: boolean;
    }
  | {
      readonly verdict: 'rung';
      readonly tier: DutyTier | 'post';
      readonly person: Person;
      readonly because: string;
      readonly duty: string;
      readonly device: Device;
      readonly phone: string;
      readonly target: LegTarget;
    };

export interface Candidates {
  readonly candidates: readonly Candidate[];
  /** First instant at which one of the tiers passes to somebody else. */
  readonly nextBoundary: Instant | null;
}

/**
 * Looks up who holds the tiers of `step` at this second and decides, phone by phone, who rings.
 * A phone in `tried` is not rung again, nor any phone of a person in `declined`; a phone that cannot ring costs no time.
 */
export function whoToRing(
  world: World,
  situation: Situation,
  service: ServiceId,
  step: EscalationStep,
  before: { readonly tried: readonly string[]; readonly declined: readonly PersonId[] },
): Candidates {
  const candidates: Candidate[] = [];
  const ringing = new Set<string>();
  let nextBoundary: Instant | null = null;

  for (const target of step.targets) {
    const holder = whoHolds(world, service, target);
    if (holder.until !== null && (nextBoundary === null || holder.until < nextBoundary)) nextBoundary = holder.until;
    if (holder.person === null) {
      candidates.push({
        verdict: 'skipped',
        tier: holder.tier,
        person: null,
        device: null,
        because: holder.because,
        duty: '',
        alreadyTried: false,
      });
      continue;
    }
    for (const device of step.devices) {
      const candidate = phoneOf(world, situation, holder.person, device, { ...before, ringing }, holder);
      if (candidate.verdict === 'rung') ringing.add(candidate.phone);
      candidates.push(candidate);
    }
  }
  return { candidates, nextBoundary };
}

interface Holder {
  readonly tier: DutyTier | 'post';
  readonly person: Person | null;
  readonly because: string;
  readonly until: Instant | null;
}

function whoHolds(world: World, service: ServiceId, target: StepTarget): Holder {
  if (target.kind === 'person') {
    const person = world.roster.person(target.person) ?? null;
    const because = person ? 'named in the chain' : `nobody is called ${target.person} in the roster`;
    return { tier: 'post', person, because, until: null };
  }
  const { tier } = target;
  const result = world.roster.whoIsOnCall(service, tier, world.at);
  switch (result.kind) {
    case 'onCall':
      return { tier, person: result.answer.person, because: result.answer.because, until: result.answer.until };
    case 'nobodyOnCall':
      return { tier, person: null, because: result.because, until: result.until ?? null };
    default:
      return { tier, person: null, because: 'the roster does not reach to this date', until: null };
  }
}

function phoneOf(
  world: World,
  situation: Situation,
  person: Person,
  device: Device,
  before: {
    readonly tried: readonly string[];
    readonly declined: readonly PersonId[];
    readonly ringing: ReadonlySet<string>;
  },
  { tier, because: duty }: Holder,
): Candidate {
  const skip = (why: string, alreadyTried = false): Candidate => ({
    verdict: 'skipped',
    tier,
    person,
    device,
    because: why,
    duty,
    alreadyTried,
  });
  const phone = device === 'desk' ? person.desk : person.mobile;
  if (phone === undefined) return skip(device === 'desk' ? 'has no desk phone' : 'has no mobile');
  const spoken = device === 'desk' ? `desk phone ${phone}` : 'mobile';
  if (before.ringing.has(phone)) return skip(`${spoken} rings already`, true);
  if (before.tried.includes(phone)) return skip(`${spoken} was already tried`, true);
  if (tier !== 'post' && before.declined.includes(person.id)) return skip('has declined this call');

  if (device === 'desk') {
    // The phone, not the person: whoever dials from the desk of the doctor on call may need that very doctor.
    if (situation.from.kind === 'phone' && situation.from.extension === phone)
      return skip(`${spoken} is the calling phone`);
    if (!world.isRegistered(phone)) return skip(`${spoken} is not registered`);
    const target = { kind: 'extension', extension: phone } as const;
    return { verdict: 'rung', tier, person, because: duty, duty, device, phone, target };
  }
  // Decision 5: nobody can be asked for the digit without media, and an answer alone may be a mailbox.
  if (!situation.hasMedia) return skip(`${spoken}: no media server, nobody could be asked to accept`);
  const { trunk } = world.plan.source;
  const fault = world.trunkFault(trunk);
  if (fault !== null) return skip(`${spoken} cannot be reached, trunk ${trunk}: ${fault}`);
  const target = { kind: 'number', e164: phone, trunk } as const;
  return { verdict: 'rung', tier, person, because: duty, duty, device, phone, target };
}
