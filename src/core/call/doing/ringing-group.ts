import type { EndCause } from '../end-causes.ts';
import { CALLER, type CallEvent, type LegId } from '../events.ts';
import { type DoingOf, type Going, type Line, type Move, stay, type VerbOf } from '../state.ts';
import { act, attest, newLeg, newToken, type Turn } from '../turn.ts';
import type { World } from '../world.ts';
import { causeOf, failed, notRung, offeredAs } from './ringing.ts';

/*
 *   ringingGroup ── one is picked up ──▶ ringing, connecting (the others stop) ──▶ talking
 *        │ all of them failed, or time is up
 *        ├─ members are left ──▶ ringingGroup, the next one
 *        └─ nobody is left ──▶ otherwise of the plan, or the end with the cause
 */

/** Rings the members of a group, all at once or in their order. */
export function ringGroup(world: World, line: Line, verb: VerbOf<'ringGroup'>, path: string, turn: Turn): Going {
  const { id, members, order } = world.plan.group(verb.group);
  const first = order === 'roundRobin' ? (world.groupTurns?.(id) ?? 0) % members.length : 0;
  const inOrder = [...members.slice(first), ...members.slice(0, first)];
  attest(turn, { fact: 'groupRung', group: id, order, members: inOrder });
  return ringNext(world, line, { verb, path, left: inOrder, cause: 'notRegistered' }, turn);
}

interface Group {
  readonly verb: VerbOf<'ringGroup'>;
  readonly path: string;
  readonly left: readonly string[];
  readonly cause: EndCause;
}

/** Whoever's turn it is; members whose phone cannot ring cost no time. */
function ringNext(world: World, line: Line, { verb, path, left, cause }: Group, turn: Turn): Going {
  const { order, forMs } = world.plan.group(verb.group);
  const ringing: { readonly leg: LegId; readonly member: string }[] = [];
  let rest = left;
  const atOnce = order === 'all' ? left.length : 1;
  while (rest.length > 0 && ringing.length < atOnce) {
    const [member = '', ...others] = rest;
    rest = others;
    if (notRung(world, line, member, turn) === null)
      ringing.push({ leg: ringMember(world, line, member, turn), member });
  }
  if (ringing.length === 0) return failed(verb.otherwise, path, cause);
  const round = newToken(turn);
  act(turn, { type: 'wakeMe', afterMs: forMs, with: { type: 'groupTimedOut', round } });
  if (line.isAnswered) act(turn, { type: 'play', leg: CALLER, token: newToken(turn), prompts: [], then: 'ringback' });
  return { move: 'be', doing: { name: 'ringingGroup', verb, path, ringing, left: rest, round, cause } };
}

function ringMember(world: World, line: Line, member: string, turn: Turn): LegId {
  const leg = newLeg(turn);
  const target = { kind: 'extension', extension: member } as const;
  attest(turn, { fact: 'legRung', leg, person: member, target });
  act(turn, {
    type: 'ringLeg',
    leg,
    target,
    media: line.isAnswered ? 'anchored' : 'direct',
    offeredAs: offeredAs(world, line),
  });
  return leg;
}

export function ringingGroup(
  world: World,
  line: Line,
  doing: DoingOf<'ringingGroup'>,
  event: CallEvent,
  turn: Turn,
): Move {
  if (event.type === 'groupTimedOut') {
    if (event.round !== doing.round) return stay;
    for (const { leg } of doing.ringing) standDown(leg, 'stepOver', turn);
    return ringNext(world, line, { ...doing, cause: 'noAnswer' }, turn);
  }
  if (!('leg' in event) || !doing.ringing.some(({ leg }) => leg === event.leg)) return stay;
  const { leg } = event;
  switch (event.type) {
    case 'legRinging':
      attest(turn, { fact: 'legRinging', leg, sipStatus: event.sipStatus });
      if (!line.isAnswered) act(turn, { type: 'ringCaller' });
      return stay;
    case 'legAnswered': {
      attest(turn, { fact: 'legAnswered', leg, media: event.media });
      for (const other of doing.ringing) if (other.leg !== leg) standDown(other.leg, 'takenElsewhere', turn);
      act(turn, line.isAnswered ? { type: 'bridge', leg } : { type: 'connectDirect', leg });
      const { verb, path } = doing;
      return { move: 'be', doing: { name: 'ringing', leg, stage: 'connecting', otherwise: verb.otherwise, path } };
    }
    case 'legFailed':
    case 'legEnded': {
      const result =
        event.type === 'legFailed' ? event.result : ({ kind: event.by === 'remote' ? 'hungUp' : 'mediaLost' } as const);
      attest(turn, { fact: 'legEnded', leg, result });
      const cause = event.type === 'legFailed' ? causeOf(event.result) : 'noAnswer';
      const ringing = doing.ringing.filter((other) => other.leg !== leg);
      if (ringing.length > 0) return { move: 'be', doing: { ...doing, ringing, cause } };
      return ringNext(world, line, { ...doing, cause }, turn);
    }
    default:
      return stay;
  }
}

export function standDown(
  leg: LegId,
  because: 'stepOver' | 'takenElsewhere' | 'callerGone' | 'callOver',
  turn: Turn,
): void {
  attest(turn, { fact: 'legEnded', leg, result: { kind: 'stoodDown' } });
  act(turn, { type: 'standDownLeg', leg, because });
}
