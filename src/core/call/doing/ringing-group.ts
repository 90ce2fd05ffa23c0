import type { EndCause } from '../end-causes.ts';
import { CALLER, type CallEvent, type LegId } from '../events.ts';
import { type DoingOf, type Going, type Line, type Move, stay, type VerbOf } from '../state.ts';
import { act, attest, newLeg, newToken, type Turn } from '../turn.ts';
import type { World } from '../world.ts';
import { cancelPatienceMs, causeOf, failed, notRung, offeredAs } from './ringing.ts';

/*
 *   ringingGroup ── one is picked up ──▶ ringing, connecting (the others stop) ──▶ talking
 *        │ │ time is up              ▲
 *        │ └─▶ stoodDown ────────────┘   an answer may cross the CANCEL, as in ringing.ts
 *        │         │ all of them failed, were cancelled, or say nothing
 *        ├─────────┴─ members are left ──▶ ringingGroup, the next one
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
  return {
    move: 'be',
    doing: { name: 'ringingGroup', stage: 'ringing', verb, path, ringing, left: rest, round, cause },
  };
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
    return event.round === doing.round ? groupTimedOut(world, line, doing, turn) : stay;
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
      standDownGroup({ ...doing, ringing: doing.ringing.filter((other) => other.leg !== leg) }, 'takenElsewhere', turn);
      act(turn, line.isAnswered ? { type: 'bridge', leg } : { type: 'connectDirect', leg });
      const { verb, path } = doing;
      return { move: 'be', doing: { name: 'ringing', leg, stage: 'connecting', otherwise: verb.otherwise, path } };
    }
    case 'legFailed':
    case 'legEnded': {
      const result =
        event.type === 'legFailed' ? event.result : ({ kind: event.by === 'remote' ? 'hungUp' : 'mediaLost' } as const);
      const isOver = doing.stage === 'stoodDown';
      if (!isOver) attest(turn, { fact: 'legEnded', leg, result });
      const cause = event.type === 'legFailed' && !isOver ? causeOf(event.result) : 'noAnswer';
      const ringing = doing.ringing.filter((other) => other.leg !== leg);
      if (ringing.length > 0) return { move: 'be', doing: { ...doing, ringing, cause } };
      return ringNext(world, line, { ...doing, cause }, turn);
    }
    default:
      return stay;
  }
}

/** Time is up: first for the phones, then for the end of their CANCELs. */
function groupTimedOut(world: World, line: Line, doing: DoingOf<'ringingGroup'>, turn: Turn): Move {
  if (doing.stage === 'stoodDown') {
    standDownGroup(doing, 'stepOver', turn);
    return ringNext(world, line, { ...doing, cause: 'noAnswer' }, turn);
  }
  const round = newToken(turn);
  for (const { leg } of doing.ringing) attest(turn, { fact: 'legEnded', leg, result: { kind: 'stoodDown' } });
  for (const { leg } of doing.ringing)
    act(turn, { type: 'standDownLeg', leg, because: 'stepOver', unlessAnswered: true });
  act(turn, { type: 'wakeMe', afterMs: cancelPatienceMs, with: { type: 'groupTimedOut', round } });
  return { move: 'be', doing: { ...doing, stage: 'stoodDown', round } };
}

export function standDownGroup(
  { stage, ringing }: Pick<DoingOf<'ringingGroup'>, 'stage' | 'ringing'>,
  because: StandDown,
  turn: Turn,
): void {
  for (const { leg } of ringing) {
    // The end of a leg that was stood down is in the audit since the CANCEL.
    if (stage === 'stoodDown') act(turn, { type: 'standDownLeg', leg, because });
    else standDown(leg, because, turn);
  }
}

type StandDown = 'stepOver' | 'takenElsewhere' | 'callerGone' | 'callOver';

export function standDown(leg: LegId, because: StandDown, turn: Turn): void {
  attest(turn, { fact: 'legEnded', leg, result: { kind: 'stoodDown' } });
  act(turn, { type: 'standDownLeg', leg, because });
}
