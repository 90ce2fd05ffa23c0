import { HOME, resolve, resolveVerb, type Verb } from '../dialplan/index.ts';
import { stepEscalation } from '../escalation/index.ts';
import { never } from '../never.ts';
import { aboutOf, decided, learn, pathOf } from './about.ts';
import { arrivedFact, originOf, planCaller } from './arrived.ts';
import { announce, announcing } from './doing/announcing.ts';
import { answering, needsAnswer } from './doing/answering.ts';
import { askingUrgency, askUrgency, gather, gathering, inMenu, menu } from './doing/asking.ts';
import { escalate, leaveMessage, onEscalation } from './doing/escalating.ts';
import { lastWords } from './doing/last-words.ts';
import { lookingUp, lookUp } from './doing/looking-up.ts';
import { closing, greeting, recording, takeMessage } from './doing/message.ts';
import { recordingAgain } from './doing/record.ts';
import { reviewing } from './doing/reviewing.ts';
import { openMailbox, retrieving } from './doing/retrieving.ts';
import { lineOf, reach, reached, reaching } from './doing/reaching.ts';
import { forward, ring, ringing, talking } from './doing/ringing.ts';
import { ringGroup, ringingGroup } from './doing/ringing-group.ts';
import { endCauses } from './end-causes.ts';
import type { CallEffect } from './effects.ts';
import { CALLER, type CallEvent } from './events.ts';
import {
  type ActiveVerb,
  type CallState,
  type Doing,
  type Going,
  type Line,
  type Move,
  newLine,
  stay,
} from './state.ts';
import { callerGone, callerLeft, stopping } from './leaving.ts';
import { isStray, sendAway } from './stray-answer.ts';
import { act, attest, effectsOf, newTurn, type Turn } from './turn.ts';
import type { World } from './world.ts';

/*
 *   expected ── callArrived ──▶ the verb the plan says ◀── otherwise, key ──┐
 *                                 │                                         │
 *    ring, group, forward ──▶ ringing ──▶ talking      menu, gather, lookup ┤
 *              escalate ──▶ escalating ──▶ greeting    askUrgency ──────────┤
 *             voicemail ──▶ greeting ──▶ recording     play, say ───────────┘
 *               mailbox ──▶ retrieving
 *     what is said needs ──▶ answering first           refuse, hangUp ──▶ saying
 *     houseCalls ──▶ reaching ──▶ retrieving           every state ── caller hangs up ──▶ over
 */

export const expectedCall: CallState = { name: 'expected' };

/** No clock, no randomness: the same world, state and event give the same answer, live, simulated or replayed. */
export function stepCall(
  world: World,
  state: CallState,
  event: CallEvent,
): { readonly state: CallState; readonly effects: readonly CallEffect[] } {
  if (event.type === 'soundMeasured') return { state, effects: [measured(event)] };
  switch (state.name) {
    case 'expected':
      if (event.type === 'houseCalls') return houseCalls(world, event);
      return event.type === 'callArrived' ? arrived(world, event) : { state, effects: [] };
    case 'live': {
      const turn = newTurn(state.line);
      if (isStray(state.doing, event)) return rest(state.line, state.doing, sendAway(event, turn));
      const move = decide(world, state, event, turn);
      return move.move === 'stay' ? rest(state.line, state.doing, turn) : settle(world, state.line, move, turn);
    }
    case 'over':
      return { state, effects: [] };
    default:
      return never(state);
  }
}

/** Whatever the call is doing, and also when it is over: it decides nothing. */
function measured({ leg, sound }: Extract<CallEvent, { type: 'soundMeasured' }>): CallEffect {
  return { type: 'attest', fact: { fact: 'soundMeasured', leg, ...sound } };
}

function arrived(world: World, event: Extract<CallEvent, { type: 'callArrived' }>) {
  const { caller, dialled } = event;
  const about = world.plan.about(planCaller(caller), dialled, world.at);
  const line = newLine({ ...event, from: caller.from }, about);
  const turn = newTurn(line);
  attest(turn, arrivedFact(world.plan, event), {
    fact: 'documentsUsed',
    plan: world.plan.version,
    roster: world.roster.version,
  });
  const decision = resolve(world.plan, { dialled: about.dialled, from: originOf(caller), at: world.at, about });
  const known = learn(line, decision.about);
  const move = begin(world, known, decided(decision, turn), pathOf(decision, `routes.${dialled}`), turn);
  return settle(world, known, move, turn);
}

function houseCalls(world: World, event: Extract<CallEvent, { type: 'houseCalls' }>) {
  const line = lineOf(event);
  const turn = newTurn(line);
  return settle(world, line, reach(event, turn), turn);
}

function decide(world: World, state: Extract<CallState, { name: 'live' }>, event: CallEvent, turn: Turn): Move {
  const { line, doing } = state;
  const left = callerLeft(event);
  if (left !== null) return callerGone(world, line, doing, left, turn);
  if (event.type === 'wardlineStopping') return stopping(world, doing, 'shuttingDown', turn);
  if (event.type === 'signallingLost') return stopping(world, doing, 'wardlineRestarted', turn);

  switch (doing.name) {
    case 'answering':
      return answering(doing, event, turn);
    case 'reaching':
      return reaching(doing, event, turn);
    case 'ringing':
      return ringing(world, line, doing, event, turn);
    case 'ringingGroup':
      return ringingGroup(world, line, doing, event, turn);
    case 'talking':
      return talking(world, doing, event, turn);
    case 'menu':
      return inMenu(doing, event, turn);
    case 'askingUrgency':
      return askingUrgency(doing, event, turn);
    case 'gathering':
      return gathering(world, line, doing, event, turn);
    case 'announcing':
      return announcing(doing, event);
    case 'lookingUp':
      return lookingUp(doing, event, turn);
    case 'escalating':
      return onEscalation(line, stepEscalation(world, line, doing.escalation, event, turn), turn);
    case 'greeting':
      return greeting(world, line, doing, event, turn);
    case 'recording':
      return recording(doing, event, turn);
    case 'recordingAgain':
      return recordingAgain(world, doing, event, turn);
    case 'reviewing':
      return reviewing(line, doing, event, turn);
    case 'retrieving':
      return retrieving(world, line, doing, event, turn);
    case 'closing':
      return closing(doing, event, turn);
    case 'saying':
      if (event.type !== 'promptFinished' || event.leg !== CALLER || event.token !== doing.token) return stay;
      return { move: 'end', cause: doing.cause, isCallerGone: false, talkedMs: 0 };
    default:
      return never(doing);
  }
}

/** Carries a move out. Moves that enter a verb lead to further moves until the call is at rest or over. */
function settle(world: World, before: Line, first: Going, turn: Turn) {
  let move = first;
  let line = before;
  for (;;) {
    switch (move.move) {
      case 'be':
        return rest(line, move.doing, turn);
      case 'beAnswered':
        return rest({ ...line, isAnswered: true }, move.doing, turn);
      case 'begin':
        line = { ...line, isAnswered: true };
        move = begin(world, line, move.verb, move.path, turn);
        break;
      case 'reached':
        line = { ...line, isAnswered: true };
        move = reached(world, line, move.errand, turn);
        break;
      case 'doWithout':
        line = { ...line, hasMedia: false };
        attest(turn, { fact: 'decided', trace: [{ at: move.path, says: `no media server: ${move.why}` }] });
        move = withoutMedia(world, line, move.verb, move.path, turn);
        break;
      case 'enter':
        ({ line, move } = enter(world, { ...line, hops: line.hops + 1 }, move.verb, move.path, turn));
        break;
      case 'leaveMessage':
        move = leaveMessage(world, move.after, turn);
        break;
      case 'say':
        if (line.isAnswered) return rest(line, lastWords(move.prompts, move.cause, turn), turn);
        move = { move: 'end', cause: move.cause, isCallerGone: false, talkedMs: 0 };
        break;
      case 'end':
        return finish(line, move, turn);
      default:
        return never(move);
    }
  }
}

function rest(line: Line, doing: Doing, turn: Turn) {
  const state: CallState = {
    name: 'live',
    line: { ...line, nextLeg: turn.nextLeg, nextToken: turn.nextToken },
    doing,
  };
  return { state, effects: effectsOf(turn) };
}

/** A plan that leads nowhere but to itself must not keep a caller for ever. */
const maxHops = 64;
const goneInCircles: Going = { move: 'say', prompts: [{ say: 'id', id: 'all-lines-failed' }], cause: 'internalError' };

function enter(world: World, line: Line, verb: Verb, path: string, turn: Turn): { line: Line; move: Going } {
  if (line.hops > maxHops) return { line, move: goneInCircles };
  const decision = resolveVerb(world.plan, verb, world.at, path, aboutOf(world, line));
  const known = learn(line, decision.about);
  return { line: known, move: begin(world, known, decided(decision, turn), pathOf(decision, path), turn) };
}

function begin(world: World, line: Line, verb: ActiveVerb, path: string, turn: Turn): Going {
  if (!line.isAnswered && needsAnswer(line, verb)) {
    if (!line.hasMedia) return withoutMedia(world, line, verb, path, turn);
    act(turn, { type: 'answerCaller' });
    return { move: 'be', doing: { name: 'answering', verb, path } };
  }
  switch (verb.verb) {
    case 'ring':
      return ring(world, line, { ...verb, path }, turn);
    case 'operator':
      return ring(world, line, { ...verb, extension: world.plan.site(verb.site ?? HOME).operator, path }, turn);
    case 'ringGroup':
      return ringGroup(world, line, verb, path, turn);
    case 'forward':
      return forward(world, line, verb, path, turn);
    case 'queue':
      // compilePlan lets no call come here.
      return { move: 'enter', verb: verb.otherwise, path: `${path}.otherwise` };
    case 'escalate':
      return escalate(world, line, verb, path, turn);
    case 'askUrgency':
      return askUrgency(verb, path, turn);
    case 'menu':
      return menu(verb, path, turn);
    case 'gather':
      return gather(verb, path, turn);
    case 'play':
    case 'say':
      return announce(verb, path, turn);
    case 'lookup':
      return lookUp(world, line, verb, path, turn);
    case 'voicemail':
      return takeMessage(world, line, verb, path, turn);
    case 'mailbox':
      return openMailbox(world, line, verb, path, turn);
    case 'hangUp':
    case 'refuse':
      return { move: 'say', prompts: verb.prompts, cause: verb.cause };
    default:
      return never(verb);
  }
}

/**
 * A caller who can be told nothing and asked nothing still reaches a person where the plan leads to one: a chain rings
 * desk phones, a question counts as not answered, what was to be said is left out.
 */
function withoutMedia(world: World, line: Line, verb: ActiveVerb, path: string, turn: Turn): Going {
  switch (verb.verb) {
    case 'ring':
    case 'operator':
    case 'ringGroup':
    case 'forward':
    case 'queue':
    case 'lookup':
      return begin(world, line, verb, path, turn);
    case 'escalate':
      return escalate(world, line, verb, path, turn);
    case 'askUrgency': {
      const { service, noKey: urgency } = verb;
      return { move: 'enter', verb: { verb: 'escalate', service, urgency }, path: `${path}.keys.none` };
    }
    case 'menu':
    case 'gather':
      return { move: 'enter', verb: verb.otherwise, path: `${path}.otherwise` };
    case 'play':
    case 'say':
      return { move: 'enter', verb: verb.then, path: `${path}.then` };
    case 'voicemail':
    case 'mailbox':
      return { move: 'end', cause: 'mediaUnavailable', isCallerGone: false, talkedMs: 0 };
    case 'hangUp':
    case 'refuse':
      return { move: 'end', cause: verb.cause, isCallerGone: false, talkedMs: 0 };
    default:
      return never(verb);
  }
}

/** The one way out. */
function finish(line: Line, { cause, isCallerGone, talkedMs }: Extract<Move, { move: 'end' }>, turn: Turn) {
  attest(turn, { fact: 'ended', cause, fault: endCauses[cause].fault, talkedMs });
  if (!isCallerGone) act(turn, { type: line.isAnswered ? 'hangUpCaller' : 'refuseCaller', cause });
  act(turn, { type: 'callOver', cause });
  const state: CallState = { name: 'over', cause };
  return { state, effects: effectsOf(turn) };
}
