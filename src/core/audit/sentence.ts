import type { LegResult, LegTarget, MediaFacts } from '../call/events.ts';
import { endCauses } from '../call/end-causes.ts';
import type { Fact } from './facts.ts';

/** How ids are spoken of. A name that is not known any more is answered with the id itself. */
export interface Names {
  person(id: string): string;
  service(id: string): string;
  mailbox(id: string): string;
  /** Whose phone a leg is: "Dr Ames, mobile". */
  leg(leg: string): string;
}

/** What only somebody with the right to see it passes in; without it the sentence says [phi]. */
export interface Revealed {
  readonly number?: string;
  readonly dialled?: string;
}

/** One fact in words a nurse manager reads. */
export function sentence(fact: Fact, names: Names, revealed: Revealed = {}): string {
  switch (fact.fact) {
    case 'arrived': {
      const number = fact.number === null ? '' : ` (${revealed.number ?? fact.number.toString()})`;
      return `call from ${known(fact.from, names)}${number} to ${revealed.dialled ?? fact.dialled.toString()}, received from ${fact.peer}`;
    }
    case 'documentsUsed':
      return `decided by plan ${short(fact.plan)} and roster ${short(fact.roster)}`;
    case 'decided':
      return fact.trace.map(({ at, says }) => `${says} [${at}]`).join('; ');
    case 'refusedAtDoor':
      return `refused at the door: ${endCauses[fact.cause].says} (${fact.why})`;
    case 'callerAnswered':
      return `the caller is connected to Wardline, ${media(fact.media)}`;
    case 'keyPressed':
      return fact.key === ''
        ? `menu ${fact.menu}: ${fact.meaning}`
        : `menu ${fact.menu}: key ${fact.key}, ${fact.meaning}`;
    case 'escalationStarted':
      return `${names.service(fact.service)}, ${fact.urgency}: working down chain ${fact.chain}, ${count(fact.steps, 'step')}`;
    case 'stepStarted':
      return `step ${fact.step}: ${fact.says}, for ${seconds(fact.dwellMs)}`;
    case 'considered': {
      const who = fact.person === '' ? `nobody as ${fact.tier}` : names.person(fact.person);
      const role = fact.tier === 'post' || fact.person === '' ? '' : `, ${fact.tier}`;
      return `${who}${role}: ${fact.verdict}, ${fact.because}`;
    }
    case 'legRung':
      return `${names.leg(fact.leg)} is rung (${target(fact.target)})`;
    case 'legRinging':
      return `${names.leg(fact.leg)} is ringing (SIP ${fact.sipStatus})`;
    case 'legAnswered':
      return `${names.leg(fact.leg)} was picked up, ${media(fact.media)}`;
    case 'legEnded':
      return `${names.leg(fact.leg)} ${legEnd(fact.result)}`;
    case 'challenged':
      return `${names.leg(fact.leg)} is asked to press the digit, attempt ${fact.attempt}`;
    case 'challengeAnswered':
      return `${names.leg(fact.leg)} ${challengeEnd[fact.result]}`;
    case 'stepOver':
      return `step ${fact.step} is over: ${stepEnd[fact.because]}`;
    case 'accepted': {
      const how = fact.how === 'answeredDesk' ? 'picked up the desk phone' : 'pressed the digit';
      return `${names.person(fact.person)} has taken the call: ${how}, step ${fact.step}`;
    }
    case 'bridged':
      return `the caller and ${names.leg(fact.leg)} hear each other`;
    case 'nobodyAccepted':
      return `nobody of ${names.service(fact.service)} has taken the call`;
    case 'recordingStarted':
      return `recording ${fact.urgent ? 'an urgent' : 'a'} message for ${names.mailbox(fact.mailbox)}, ${fact.messageId}`;
    case 'recordingEnded':
      return `the message ends after ${seconds(fact.durationMs)}: ${recordingEnd(fact.by)}${fact.why === '' ? '' : `, ${fact.why}`}`;
    case 'ended': {
      const talked = fact.talkedMs > 0 ? `, after ${seconds(fact.talkedMs)} of talk` : '';
      const fault = fact.fault === 'nobody' ? '' : ` (${faults[fact.fault]})`;
      return `end: ${endCauses[fact.cause].says}${talked}${fault}`;
    }
    case 'started':
      return `Wardline ${fact.version} started on Node ${fact.node}`;
    case 'stopped':
      return `Wardline stopped: ${fact.because}`;
    case 'documentActivated':
      return `${fact.kind} ${short(fact.version)} is active, from ${fact.files.join(', ')}`;
    case 'documentRefused':
      return `documents were refused: ${fact.problems.join('; ')}`;
    case 'phoneAdded':
      return `phone ${fact.extension} was added by ${fact.by}`;
    case 'phoneRemoved':
      return `phone ${fact.extension} was removed by ${fact.by}`;
    case 'messageExported':
      return `message ${fact.messageId} was exported by ${fact.by}`;
    case 'callsLost':
      return `${count(fact.calls.length, 'call')} lost in a restart: ${fact.calls.join(', ')}`;
    case 'auditDelayed':
      return `${count(fact.facts, 'fact')} reached the audit late: ${fact.because}`;
    case 'auditLost':
      return `${count(fact.facts, 'fact')} could not be kept anywhere: ${fact.because}`;
    case 'auditBroken':
      return `the audit is broken: ${fact.certifiedEntries} entries certified, ${fact.foundEntries} found; ${fact.because}`;
    case 'factUnwritable':
      return `a fact "${fact.kind}" could not be written: ${fact.because}`;
    default:
      return unknownFact(fact);
  }
}

/** An entry of a newer Wardline is shown by its name; an audit must stay readable after a step back. */
function unknownFact(fact: never): string {
  return `(${String((fact as { fact?: unknown }).fact)}: not known to this version)`;
}

const challengeEnd = {
  accepted: 'pressed the digit',
  declined: 'declined',
  wrongDigit: 'pressed a wrong digit',
  silence: 'pressed nothing',
  timeout: 'talked without pressing the digit: taken for a machine',
  tooLate: 'was too late: somebody else has taken the call',
} as const;

const stepEnd = {
  timeUp: 'time is up',
  everybodyFailed: 'no phone is left that could be answered',
  nobodyToRing: 'there is no phone to ring',
} as const;

const faults = {
  caller: "on the caller's side",
  callee: "on the called party's side",
  network: 'on the network',
  wardline: 'our fault',
} as const;

function recordingEnd(by: string): string {
  switch (by) {
    case 'key':
      return 'the caller pressed #';
    case 'hangUp':
      return 'the caller hung up';
    case 'limit':
      return 'the longest length was reached';
    case 'silence':
      return 'silence';
    default:
      return by;
  }
}

function legEnd(result: LegResult | { readonly kind: 'hungUp' | 'stoodDown' | 'mediaLost' }): string {
  switch (result.kind) {
    case 'busy':
      return `was busy (SIP ${result.sipStatus})`;
    case 'declined':
      return `was declined (SIP ${result.sipStatus})`;
    case 'noAnswer':
      return `was not answered (SIP ${result.sipStatus})`;
    case 'notRegistered':
      return 'is not registered';
    case 'unreachable':
      return `could not be reached (SIP ${result.sipStatus})`;
    case 'trunkUnavailable':
      return `got no trunk: ${result.why}`;
    case 'mediaFailed':
      return `got no sound: ${result.why}`;
    case 'cancelled':
      return 'stopped ringing';
    case 'hungUp':
      return 'hung up';
    case 'stoodDown':
      return 'was stood down';
    default:
      return 'lost its sound';
  }
}

function target(to: LegTarget): string {
  return to.kind === 'extension' ? `extension ${to.extension}` : `${to.e164} by trunk ${to.trunk}`;
}

function media({ path, codec, cipher }: MediaFacts): string {
  const way = path === 'direct' ? 'directly from phone to phone' : 'through the media server';
  return `${codec} ${way}${cipher === 'none' ? ', not encrypted' : `, encrypted (${cipher})`}`;
}

function seconds(ms: number): string {
  const s = Math.round(ms / 100) / 10;
  return `${s} s`;
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

/** "sha256:7f3a…" is long enough to tell versions apart and short enough to be read. */
/** An extension with its name; where a call came from otherwise is told as it stands. */
function known(from: string, names: Names): string {
  const name = names.person(from);
  return name === from ? from : `${name} (${from})`;
}

function short(version: string): string {
  return version.startsWith('sha256:') ? version.slice(0, 'sha256:'.length + 12) : version;
}
