import { DIALLED, type Verb } from '../../dialplan/index.ts';
import { never } from '../../never.ts';
import { phi } from '../../phi/index.ts';
import { plusMs } from '../../time/index.ts';
import type { OfferedAs } from '../effects.ts';
import type { EndCause } from '../end-causes.ts';
import { CALLER, type CallEvent, type LegResult, type LegTarget } from '../events.ts';
import { nextTrunks, outsideTarget, usableTrunks } from '../outside-target.ts';
import { type DoingOf, type Going, type Line, type Move, stay, type VerbOf } from '../state.ts';
import { act, attest, newLeg, newToken, type Turn } from '../turn.ts';
import type { World } from '../world.ts';

/*
 *   ringing ── answered ──▶ connecting ── bridged ──▶ talking
 *      │ │ time is up          ▲   │
 *      │ └─▶ stoodDown ────────┘   │      stoodDown: an answer may cross the CANCEL; any right human beats no human
 *      │ busy, … │ cancelled       │ failed
 *      └─────────┴────────┬────────┘
 *                         ▼
 *         otherwise of the plan, or the end with the cause
 */

/** A phone that does not even say that it was cancelled is not waited for any longer. */
export const cancelPatienceMs = 1_000;

/** Rings one extension. An unanswered caller is connected directly, phone to phone; an answered one is bridged. */
export function ring(
  world: World,
  line: Line,
  to: { readonly extension: string; readonly forMs: number; readonly otherwise: Verb | null; readonly path: string },
  turn: Turn,
): Going {
  const { extension } = to;
  const cause = notRung(world, line, extension, turn);
  if (cause !== null) return failed(to.otherwise, to.path, cause);
  return ringTarget(world, line, { ...to, target: { kind: 'extension', extension }, person: extension }, turn);
}

/** Rings an outside number. Whoever answers is connected: that it is a person is for the plan to know. */
export function forward(world: World, line: Line, verb: VerbOf<'forward'>, path: string, turn: Turn): Going {
  const { trunk, otherwise } = verb;
  const isDialled = verb.to === DIALLED;
  const number = isDialled ? line.dialled : verb.to;
  const why = 'the number dialled is none that a trunk can be given';
  const { usable, faults } = /^\+?[0-9]{2,24}$/.test(number)
    ? usableTrunks(world, verb)
    : { usable: null, faults: [{ trunk, why }] };
  if (faults.length > 0) {
    const trace = faults.map(({ trunk: one, why: fault }, i) => {
      const isLast = usable === null && i === faults.length - 1;
      return { at: path, says: `${isLast ? 'not forwarded' : 'goes by another line'}, trunk ${one}: ${fault}` };
    });
    attest(turn, { fact: 'decided', trace });
  }
  if (usable === null) return failed(otherwise, path, 'trunkUnavailable');
  const target = outsideTarget(world.plan, number, usable);
  const going = ringTarget(world, line, { ...verb, target, person: '', path }, turn);
  if (going.move !== 'be' || going.doing.name !== 'ringing' || target.failover === undefined) return going;
  const detour = { verb: { ...verb, ...usable }, until: plusMs(world.at, verb.forMs) };
  return { move: 'be', doing: { ...going.doing, detour } };
}

/** The trunk could not take the call: the next one is tried at once, for as long as is left. */
function byNextTrunk(
  world: World,
  line: Line,
  { detour, path, stage }: DoingOf<'ringing'>,
  result: LegResult,
  turn: Turn,
): Going | null {
  const trunks = stage === 'ringing' ? nextTrunks(detour?.verb.failover, result) : null;
  if (detour === undefined || trunks === null || detour.until <= world.at) return null;
  return forward(world, line, { ...detour.verb, ...trunks, forMs: detour.until - world.at }, path, turn);
}

/** Why the phone of an extension is not rung, on record; null: it can be. */
export function notRung(world: World, line: Line, extension: string, turn: Turn): EndCause | null {
  const isCaller = line.from.kind === 'phone' && line.from.extension === extension;
  if (!isCaller && world.isRegistered(extension)) return null;
  attest(turn, {
    fact: 'considered',
    step: 1,
    tier: 'post',
    person: extension,
    device: 'desk',
    verdict: 'skipped',
    because: isCaller ? 'is the calling phone' : `no phone is registered for ${extension}`,
    duty: '',
  });
  return isCaller ? 'busy' : 'notRegistered';
}

function ringTarget(
  world: World,
  line: Line,
  to: {
    readonly target: LegTarget;
    readonly person: string;
    readonly forMs: number;
    readonly otherwise: Verb | null;
    readonly path: string;
    /** Of a forward. */
    readonly to?: string;
  },
  turn: Turn,
): Going {
  const { target, person, forMs, otherwise, path } = to;
  const leg = newLeg(turn);
  const media = line.isAnswered ? 'anchored' : 'direct';
  const isDialled = to.to === DIALLED && target.kind === 'number';
  const shown = isDialled ? ({ kind: 'dialled', number: phi(target.e164), trunk: target.trunk } as const) : target;
  attest(turn, { fact: 'legRung', leg, person, target: shown });
  act(
    turn,
    { type: 'ringLeg', leg, target, media, offeredAs: offeredAs(world, line) },
    { type: 'wakeMe', afterMs: forMs, with: { type: 'ringTimedOut', leg } },
  );
  if (line.isAnswered) act(turn, { type: 'play', leg: CALLER, token: newToken(turn), prompts: [], then: 'ringback' });
  return { move: 'be', doing: { name: 'ringing', leg, stage: 'ringing', otherwise, path } };
}

export function ringing(world: World, line: Line, doing: DoingOf<'ringing'>, event: CallEvent, turn: Turn): Move {
  const { leg, otherwise, path } = doing;
  if (!('leg' in event) || event.leg !== leg) return stay;
  switch (event.type) {
    case 'legRinging':
      attest(turn, { fact: 'legRinging', leg, sipStatus: event.sipStatus });
      if (!line.isAnswered) act(turn, { type: 'ringCaller' });
      return stay;
    case 'legAnswered':
      if (doing.stage === 'connecting') return stay;
      attest(turn, { fact: 'legAnswered', leg, media: event.media });
      act(turn, line.isAnswered ? { type: 'bridge', leg } : { type: 'connectDirect', leg });
      return { move: 'be', doing: { ...doing, stage: 'connecting' } };
    case 'bridged':
      if (doing.stage !== 'connecting') return stay;
      attest(turn, { fact: 'bridged', leg });
      return { move: 'beAnswered', doing: { name: 'talking', leg, since: world.at } };
    case 'bridgeFailed':
      attest(turn, { fact: 'legEnded', leg, result: { kind: 'mediaLost' } });
      act(turn, { type: 'standDownLeg', leg, because: 'callOver' });
      return failed(otherwise, path, 'mediaUnavailable');
    case 'legFailed':
      if (doing.stage === 'stoodDown') return failed(otherwise, path, 'noAnswer');
      attest(turn, { fact: 'legEnded', leg, result: event.result });
      return byNextTrunk(world, line, doing, event.result, turn) ?? failed(otherwise, path, causeOf(event.result));
    case 'legEnded':
      attest(turn, { fact: 'legEnded', leg, result: { kind: event.by === 'remote' ? 'hungUp' : 'mediaLost' } });
      return failed(otherwise, path, event.by === 'remote' ? 'noAnswer' : 'mediaUnavailable');
    case 'ringTimedOut':
      return ringTimedOut(doing, turn);
    default:
      return stay;
  }
}

function ringTimedOut(doing: DoingOf<'ringing'>, turn: Turn): Move {
  const { leg, stage, otherwise, path } = doing;
  switch (stage) {
    case 'connecting':
      return stay;
    case 'ringing':
      attest(turn, { fact: 'legEnded', leg, result: { kind: 'stoodDown' } });
      act(
        turn,
        { type: 'standDownLeg', leg, because: 'stepOver', unlessAnswered: true },
        { type: 'wakeMe', afterMs: cancelPatienceMs, with: { type: 'ringTimedOut', leg } },
      );
      return { move: 'be', doing: { ...doing, stage: 'stoodDown' } };
    case 'stoodDown':
      act(turn, { type: 'standDownLeg', leg, because: 'stepOver' });
      return failed(otherwise, path, 'noAnswer');
    default:
      return never(stage);
  }
}

export function talking(world: World, doing: DoingOf<'talking'>, event: CallEvent, turn: Turn): Move {
  if (!('leg' in event) || event.leg !== doing.leg) return stay;
  const talkedMs = world.at - doing.since;
  switch (event.type) {
    case 'legEnded':
      attest(turn, {
        fact: 'legEnded',
        leg: doing.leg,
        result: { kind: event.by === 'remote' ? 'hungUp' : 'mediaLost' },
      });
      return {
        move: 'end',
        cause: event.by === 'remote' ? 'calleeHungUp' : 'mediaLost',
        isCallerGone: false,
        talkedMs,
      };
    case 'bridgeFailed':
      attest(turn, { fact: 'legEnded', leg: doing.leg, result: { kind: 'mediaLost' } });
      act(turn, { type: 'standDownLeg', leg: doing.leg, because: 'callOver' });
      return { move: 'end', cause: 'mediaLost', isCallerGone: false, talkedMs };
    default:
      return stay;
  }
}

/** On to `otherwise` of the plan, else the caller is told how it ended. */
export function failed(otherwise: Verb | null, path: string, cause: EndCause): Going {
  if (otherwise !== null) return { move: 'enter', verb: otherwise, path: `${path}.otherwise` };
  return { move: 'say', prompts: [{ say: 'id', id: spoken(cause) }], cause };
}

function spoken(cause: EndCause): string {
  if (cause === 'busy') return 'busy-here';
  return cause === 'noAnswer' || cause === 'declined' ? 'no-answer' : 'not-reachable';
}

export function causeOf(result: LegResult): EndCause {
  switch (result.kind) {
    case 'mediaFailed':
      return 'mediaUnavailable';
    case 'cancelled':
      return 'noAnswer';
    default:
      return result.kind;
  }
}

export function offeredAs(world: World, { from, site }: Line): OfferedAs {
  const { mainNumber } = world.plan.site(site);
  if (from.kind === 'trunk') return { displayName: 'Outside call', number: mainNumber, urgency: null };
  const name = world.plan.extension(from.extension)?.name ?? from.extension;
  return { displayName: name, number: from.extension, urgency: null };
}
