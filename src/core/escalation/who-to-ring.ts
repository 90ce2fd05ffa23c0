import type { LegTarget } from '../call/events.ts';
import { outsideTarget, usableTrunks } from '../call/outside-target.ts';
import type { World } from '../call/world.ts';
import {
  type Device,
  deviceOf,
  type DutyTier,
  type EscalationStep,
  numberOf,
  type Person,
  type PersonId,
  type ServiceId,
  type ServicePlace,
  type StepTarget,
  type Urgency,
} from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';
import type { Situation } from './model.ts';
import { contactRounds } from './preferred.ts';

/**
 * One phone of one target of a step, and whether it rings. Every candidate goes to the audit. `duty` is the rule by
 * which the person holds the tier; `because` the reason for ringing, or what is in the way. `contact` names one of the
 * person's further numbers: "home".
 */
export type Candidate =
  | {
      readonly verdict: 'skipped';
      readonly tier: DutyTier | 'post';
      readonly person: Person | null;
      readonly device: Device | null;
      readonly contact?: string;
      readonly because: string;
      readonly duty: string;
      readonly alreadyTried: boolean;
      readonly detours?: readonly Candidate[];
    }
  | {
      readonly verdict: 'rung';
      readonly tier: DutyTier | 'post';
      readonly person: Person;
      readonly because: string;
      readonly duty: string;
      readonly device: Device;
      readonly contact?: string;
      readonly phone: string;
      readonly target: LegTarget;
      /** Trunks that would have come first and cannot be used now. */
      readonly detours?: readonly Candidate[];
    };

export interface Candidates {
  readonly candidates: readonly Candidate[];
  /** First instant at which one of the tiers passes to somebody else. */
  readonly nextBoundary: Instant | null;
}

/** What the escalation has come to: phones it has rung, people who said no. */
interface Before {
  readonly service: ServiceId;
  /** Where the service may stand in the roster. */
  readonly place?: ServicePlace;
  readonly urgency: Urgency;
  readonly tried: readonly string[];
  readonly declined: readonly PersonId[];
}

/**
 * Looks up who holds the tiers of `step` at this second and decides, phone by phone, who rings.
 * A phone in `tried` is not rung again, nor any phone of a person in `declined`; a phone that cannot ring costs no time.
 */
export function whoToRing(world: World, situation: Situation, step: EscalationStep, before: Before): Candidates {
  const { service } = before;
  const candidates: Candidate[] = [];
  const ringing = new Set<string>();
  let nextBoundary: Instant | null = null;

  const consider = (holder: Holder, person: Person, contact: string): Candidate => {
    const candidate = phoneOf(world, situation, person, contact, { ...before, ringing }, holder);
    if (candidate.verdict === 'rung') ringing.add(candidate.phone);
    candidates.push(...(candidate.detours ?? []), candidate);
    return candidate;
  };

  for (const target of step.targets) {
    for (const holder of whoHolds(world, before, target)) {
      if (holder.until !== null && (nextBoundary === null || holder.until < nextBoundary)) nextBoundary = holder.until;
      const { person } = holder;
      if (person === null) {
        candidates.push(nobodyHolds(holder));
        continue;
      }
      for (const device of step.devices) {
        // A further round is for phones that are rung only when none of the round before can be.
        for (const round of contactRounds(device, person, { world, situation, service, urgency: before.urgency })) {
          if (round.map((contact) => consider(holder, person, contact)).some(({ verdict }) => verdict === 'rung'))
            break;
        }
      }
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

function nobodyHolds({ tier, because }: Holder): Candidate {
  return { verdict: 'skipped', tier, person: null, device: null, because, duty: '', alreadyTried: false };
}

/** One holder, or one without a person; more than one where an override has put somebody beside the first. */
function whoHolds(world: World, { service, place }: Before, target: StepTarget): readonly Holder[] {
  if (target.kind === 'person') {
    const person = world.roster.person(target.person) ?? null;
    const because = person ? 'named in the chain' : `nobody is called ${target.person} in the roster`;
    return [{ tier: 'post', person, because, until: null }];
  }
  const { tier } = target;
  const result =
    target.service === undefined
      ? world.roster.whoIsOnCall(service, tier, world.at, place)
      : world.roster.whoIsOnCall(target.service, tier, world.at);
  switch (result.kind) {
    case 'onCall':
      return [result.answer, ...(result.also ?? [])].map(({ person, because, until }, i) => {
        return { tier, person, because, until: i === 0 ? (result.changesAt ?? until) : until };
      });
    case 'nobodyOnCall':
      return [{ tier, person: null, because: result.because, until: result.until ?? null }];
    default:
      return [{ tier, person: null, because: 'the roster does not reach to this date', until: null }];
  }
}

function phoneOf(
  world: World,
  situation: Situation,
  person: Person,
  contact: string,
  before: Before & { readonly ringing: ReadonlySet<string> },
  { tier, because: duty }: Holder,
): Candidate {
  const phone = numberOf(person, contact);
  const device = deviceOf(contact, phone ?? '');
  const named = contact === device ? {} : { contact };
  const skip = (why: string, alreadyTried = false): Candidate => ({
    verdict: 'skipped',
    tier,
    person,
    device,
    ...named,
    because: why,
    duty,
    alreadyTried,
  });
  if (phone === undefined) return skip(device === 'desk' ? 'has no desk phone' : 'has no mobile');
  const spoken = spokenPhone(contact, device, phone);
  if (before.ringing.has(phone)) return skip(`${spoken} rings already`, true);
  if (before.tried.includes(phone)) return skip(`${spoken} was already tried`, true);
  if (tier !== 'post' && before.declined.includes(person.id)) return skip('has declined this call');

  const rung = { verdict: 'rung', tier, person, because: duty, duty, device, ...named, phone } as const;
  if (device === 'desk') {
    // The phone, not the person: whoever dials from the desk of the doctor on call may need that very doctor.
    if (situation.from.kind === 'phone' && situation.from.extension === phone)
      return skip(`${spoken} is the calling phone`);
    if (!world.isRegistered(phone)) return skip(`${spoken} is not registered`);
    return { ...rung, target: { kind: 'extension', extension: phone } };
  }
  // Decision 5: nobody can be asked for the digit without media, and an answer alone may be a mailbox.
  if (!situation.hasMedia) return skip(`${spoken}: no media server, nobody could be asked to accept`);
  const { usable, faults } = usableTrunks(world, world.plan.site(situation.site));
  const blocked = faults.map(({ trunk, why }, i) => {
    const isLast = usable === null && i === faults.length - 1;
    return skip(`${spoken} ${isLast ? 'cannot be reached' : 'goes by another line'}, trunk ${trunk}: ${why}`);
  });
  const way = usable === null ? blocked.pop()! : { ...rung, target: outsideTarget(world.plan, phone, usable) };
  return blocked.length === 0 ? way : { ...way, detours: blocked };
}

/** "desk phone 3101", "mobile", "home": numbers outside of the house are not for everybody's eyes. */
function spokenPhone(contact: string, device: Device, phone: string): string {
  if (contact === device) return device === 'desk' ? `desk phone ${phone}` : 'mobile';
  return device === 'desk' ? `${contact} ${phone}` : contact;
}
