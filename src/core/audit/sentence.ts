import { CALLER, type LegResult, type MediaFacts } from '../call/events.ts';
import { endCauses } from '../call/end-causes.ts';
import type { MessageAct } from '../voicemail/retrieval.ts';
import { type Fact, type Marks, NOTHING_KEYED } from './facts.ts';

/** How ids are spoken of. A name that is not known any more is answered with the id itself. */
export interface Names {
  person(id: string): string;
  service(id: string): string;
  mailbox(id: string): string;
  /** Who sits at an extension, null when nobody is known to: "Ward 4B". */
  extension(number: string): string | null;
  /** Whose phone a leg is: "Dr Ames's mobile". */
  leg(leg: string): string;
  /** Whether it was picked up before: it is hung up then, and only stops ringing otherwise. */
  wasPickedUp(leg: string): boolean;
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
      const dialled = revealed.dialled ?? fact.dialled.toString();
      return `call from ${place(fact.from, names)}${number} to ${place(dialled, names)}, received from ${fact.peer}`;
    }
    case 'houseCalled': {
      const whom = fact.person === '' ? 'whoever left it' : names.person(fact.person);
      return `the house calls ${whom}${target(fact.target)} about message ${fact.messageId}: ${errands[fact.about]}`;
    }
    case 'documentsUsed':
      return `decided by plan ${short(fact.plan)} and roster ${short(fact.roster)}`;
    case 'decided':
      return fact.trace.map(({ at, says }, i) => (fact.trace[i + 1]?.at === at ? says : `${says} [${at}]`)).join('; ');
    case 'refusedAtDoor':
      return `refused at the door: ${endCauses[fact.cause].says} (${fact.why})`;
    case 'callerAnswered':
      return `the caller is connected to Wardline (${media(fact.media)})`;
    case 'keyPressed':
      return fact.key === ''
        ? `menu ${fact.menu}: ${fact.meaning}`
        : `menu ${fact.menu}: the caller pressed ${fact.key}, ${fact.meaning}`;
    case 'groupRung':
      return `group ${fact.group}: ${groupOrder[fact.order]} ${fact.members.join(', ')}`;
    case 'digitsKeyed':
      // That nobody keyed anything is nobody's secret.
      if (fact.meaning === NOTHING_KEYED) return `${fact.gather}: the caller keyed nothing`;
      return `${fact.gather}: the caller keyed ${fact.digits.toString()}, ${fact.meaning}`;
    case 'lookupAsked':
      return `${fact.hook} is asked, told ${fact.told.join(', ')}`;
    case 'lookupAnswered':
      return fact.answer === ''
        ? `${fact.hook} gives no answer: ${fact.because}`
        : `${fact.hook} answers ${fact.answer}${fact.because === '' ? '' : `, ${fact.because}`}`;
    case 'escalationStarted': {
      const urgency = fact.urgency === 'stat' ? 'STAT' : fact.urgency;
      return `${names.service(fact.service)}, ${urgency}: chain ${fact.chain}, ${count(fact.steps, 'step')}`;
    }
    case 'stepStarted':
      return `Step ${fact.step}: ${fact.says}, up to ${seconds(fact.dwellMs)}`;
    case 'considered':
      return considered(fact, names);
    case 'legRung':
      return `${names.leg(fact.leg)} is called${target(fact.target)}`;
    case 'legRinging':
      return `${names.leg(fact.leg)} rings (SIP ${fact.sipStatus})`;
    case 'legAnswered':
      return `${names.leg(fact.leg)} is picked up (${media(fact.media)})`;
    case 'legEnded':
      return `${names.leg(fact.leg)} ${legEnd(fact.result, names.wasPickedUp(fact.leg))}`;
    case 'recorderFull':
      return `no message for ${names.mailbox(fact.mailbox)} could be taken: the disk is full`;
    case 'soundMeasured':
      return soundWords(fact, fact.leg === CALLER ? 'the caller' : names.leg(fact.leg));
    case 'challenged':
      return `${names.leg(fact.leg)} is asked to press the digit${fact.attempt === 1 ? '' : ` again, attempt ${fact.attempt}`}`;
    case 'answerHinted':
      return `${names.leg(fact.leg)} ${hints[fact.hint]} (${seconds(fact.speechMs)} of speech, then ${seconds(fact.pauseMs)} of silence); nothing is decided by that`;
    case 'challengeAnswered':
      return `${names.leg(fact.leg)}: ${challengeEnd[fact.result]}`;
    case 'stepOver':
      return `Step ${fact.step} is over: ${stepEnd[fact.because]}`;
    case 'accepted': {
      const how = fact.how === 'answeredDesk' ? 'picked up the desk phone' : 'pressed the digit';
      return `${names.person(fact.person)} HAS TAKEN THE CALL: ${how}, in step ${fact.step}`;
    }
    case 'bridged':
      return `the caller and ${names.leg(fact.leg)} hear each other`;
    case 'adopted':
      return `Wardline was restarted; the caller and ${names.leg(fact.leg)} went on talking`;
    case 'nobodyAccepted':
      return `nobody of ${names.service(fact.service)} has taken the call: on to voicemail`;
    case 'pinTried':
      return `${pinWords[fact.result]}${fact.mailbox === '' ? '' : ` for the mailbox of ${names.mailbox(fact.mailbox)}`}, from ${fact.device}`;
    case 'mailboxOpened':
      return `${names.mailbox(fact.person)} opened the mailbox of ${names.mailbox(fact.mailbox)} from ${fact.device}: ${count(fact.messages, 'message')}`;
    case 'messageAccessed':
      return `message ${fact.messageId} of ${names.mailbox(fact.mailbox)} was ${doneWith(fact.how)}${fact.to === undefined ? '' : ` to ${names.mailbox(fact.to)}`} by ${names.mailbox(fact.person)} from ${fact.device} (${fact.reason})`;
    case 'messageUnplayable':
      return `message ${fact.messageId} of ${names.mailbox(fact.mailbox)} could not be played: ${fact.why}`;
    case 'greetingChanged':
      return `the greeting (${fact.kind}) of ${names.mailbox(fact.mailbox)} ${greetingWords[fact.how]}${
        typeof fact.endsAt !== 'number' ? '' : ` ${new Date(fact.endsAt).toISOString()}`
      } by ${names.mailbox(fact.person)} from ${fact.device}${fact.reason === undefined ? '' : `: ${fact.reason}`}`;
    case 'mailboxFull':
      return `the mailbox of ${names.mailbox(fact.mailbox)} is full with ${count(fact.messages, 'message')}`;
    case 'recordingStarted':
      return `the caller is recorded: ${fact.urgent ? 'an urgent message' : 'a message'} for ${names.mailbox(fact.mailbox)}, ${fact.messageId}`;
    case 'messageMarked':
      return `message ${fact.messageId}${marks(fact)}`;
    case 'recordingEnded':
      return `the message ends after ${seconds(fact.durationMs)}: ${recordingEnd(fact.by)}${fact.why === '' ? '' : `, ${fact.why}`}${marks(fact)}`;
    case 'recordingDiscarded':
      return `the caller has said it again: ${fact.messageId} is thrown away`;
    case 'ended': {
      const talked = fact.talkedMs >= 100 ? `, after ${seconds(fact.talkedMs)} of talk` : '';
      return `End: ${endCauses[fact.cause].says}${talked}. ${faults[fact.fault]}`;
    }
    case 'started':
      return `Wardline ${fact.version} started on Node ${fact.node}`;
    case 'stopped':
      return `Wardline stopped: ${fact.because}`;
    case 'configured':
      return `configuration ${short(fact.hash)}, set by hand: ${fact.set.length === 0 ? 'nothing' : fact.set.join(', ')}`;
    case 'signingKeyUsed':
      return `the record is signed with key ${fact.key} from now on, from ${fact.from}`;
    case 'loginsSeen':
      return loginsSeen(fact);
    case 'timeLost':
      return `Wardline was gone from ${fact.from} until ${fact.until}, and nobody had stopped it`;
    case 'documentActivated':
      return `${fact.kind} ${short(fact.version)} is active, from ${fact.files.join(', ')}${fact.by === undefined ? '' : `, by ${fact.by}`}`;
    case 'documentRefused':
      return `documents were refused: ${fact.problems.join('; ')}`;
    case 'phoneAdded':
      return `phone ${fact.extension} was added by ${fact.by}`;
    case 'phoneRemoved':
      return `phone ${fact.extension} was removed by ${fact.by}`;
    case 'overrideMade':
      return overrideMade(fact, names);
    case 'swapAccepted':
      return `swap ${fact.override} was accepted by ${fact.author} (${fact.by})`;
    case 'overrideEnded':
      return `override ${fact.override} was ended by ${fact.author} (${fact.by}): ${fact.because}`;
    case 'feedTaken':
      return `feed ${fact.feed} was taken by ${fact.by}: ${count(fact.added, 'shift')} came, ${count(fact.removed, 'shift')} went`;
    case 'feedRefused':
      return `feed ${fact.feed} was refused, the last good roster stays: ${fact.because}`;
    case 'serverDrained':
      return `${fact.kind} server ${fact.server} gets no new calls: drained by ${fact.by}`;
    case 'serverUndrained':
      return `${fact.kind} server ${fact.server} gets calls again, by ${fact.by}`;
    case 'calendarMade':
      return `calendar ${fact.calendar}, the duties of ${dutiesOf(fact, names)}, was given an address by ${fact.by}`;
    case 'calendarEnded':
      return `calendar ${fact.calendar}, the duties of ${dutiesOf(fact, names)}, was ended by ${fact.by}`;
    case 'chaseStarted':
      return `the urgent message ${fact.messageId} of ${names.mailbox(fact.mailbox)} is followed until somebody takes it`;
    case 'chaseTold':
      return `step ${fact.step}: ${names.person(fact.person)} is told of message ${fact.messageId}, ${fact.device}: ${fact.because}`;
    case 'chaseUnclaimed':
      return `nobody of the chain took message ${fact.messageId} of ${names.mailbox(fact.mailbox)}: on to the house supervisor`;
    case 'chaseOver':
      return `message ${fact.messageId} of ${names.mailbox(fact.mailbox)} was ${fact.because}${fact.by === '' ? '' : ` by ${names.mailbox(fact.by)}`} after ${seconds(fact.tookMs)}`;
    case 'noticeRepeated':
      return `${fact.hook || 'the mail server'} may have been told already that message ${fact.messageId} waits for ${names.mailbox(fact.mailbox)}, and is told again after try ${fact.tries}`;
    case 'noticeSent':
      return `${fact.hook || 'the mail server'} was told that message ${fact.messageId} waits for ${names.mailbox(fact.mailbox)}, at try ${fact.tries}`;
    case 'noticeGivenUp':
      return `${fact.hook || 'the mail server'} could not be told that message ${fact.messageId} waits for ${names.mailbox(fact.mailbox)}: ${fact.because}`;
    case 'messageTranscribed':
      return `text was made of message ${fact.messageId} of ${names.mailbox(fact.mailbox)}, at try ${fact.tries}`;
    case 'transcriptGivenUp':
      return `no text could be made of message ${fact.messageId} of ${names.mailbox(fact.mailbox)}: ${fact.because}`;
    case 'messageShredOrdered':
      return `message ${fact.messageId} of ${names.mailbox(fact.mailbox)} is to be shredded, ${shredWords[fact.because]}, by ${fact.by}`;
    case 'messageShredded':
      return `message ${fact.messageId} of ${names.mailbox(fact.mailbox)} was shredded, ${shredWords[fact.because]}, by ${fact.by}`;
    case 'messageHeld':
      return `message ${fact.messageId} of ${names.mailbox(fact.mailbox)} is held by ${fact.by}: ${fact.reason}`;
    case 'messageReleased':
      return `message ${fact.messageId} of ${names.mailbox(fact.mailbox)} was released by ${fact.by}: ${fact.reason}`;
    case 'keyMade':
      return `${fact.by} made a key for messages: ${fact.key}, ${fact.keyId}`;
    case 'keyShredded':
      return `${fact.by} shredded a key of messages that has a successor: ${fact.key}, ${fact.keyId}`;
    case 'keyUsed':
      return `the key of ${fact.key} (${fact.keyId}) opened ${fact.messageId}, which was ${fact.use} by ${fact.by}`;
    case 'keysRotated':
      return `${count(fact.keys, 'key')} replaced, ${count(fact.messages, 'message')} wrapped anew, ${fact.left} left, by ${fact.by}: ${fact.reason}`;
    case 'masterKeyChanged':
      return `${count(fact.keys, 'key')} sealed with another master key by ${fact.by}: ${fact.reason}`;
    case 'pinSet':
      return `the mailbox of ${names.mailbox(fact.mailbox)} got a PIN from ${fact.by}`;
    case 'pinUnlocked':
      return `PINs of ${names.mailbox(fact.mailbox)} are looked at again${fact.phone === '' ? '' : `, and from ${fact.phone}`}, by ${fact.by}: ${fact.reason}`;
    case 'messageExported':
      return `message ${fact.messageId} was exported by ${fact.by}${fact.reason ? `: ${fact.reason}` : ''}`;
    case 'auditPruned':
      return `entries ${fact.from} to ${fact.to}, older than ${fact.before}, were cut off by ${fact.by}`;
    case 'auditRead':
      return fact.how === 'show'
        ? `${fact.what}: numbers were shown to ${fact.by}${allowance(fact)}`
        : `the record from ${fact.from} to ${fact.to} was read by ${fact.by}: ${fact.how} of ${fact.what}, numbers ${fact.numbers}${allowance(fact)}`;
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

function loginsSeen({ door, who, address, result, times }: Extract<Fact, { fact: 'loginsSeen' }>): string {
  const name = who === '' ? 'somebody unknown' : `${door === 'phone' ? 'phone' : 'the reader of calendar'} ${who}`;
  const where = address === '' ? '' : ` from ${address}`;
  const was = result === 'right' ? 'was let in' : `was turned away (${door})`;
  return `${name}${where} ${was}${times === 1 ? '' : `, ${times} times`}`;
}

/** By what right numbers were shown, and where. */
function allowance({ role, reason, device }: Extract<Fact, { fact: 'auditRead' }>): string {
  const why = role === undefined ? '' : ` (${role}: ${reason ?? ''})`;
  return device === undefined ? why : `${why}, on ${device}`;
}

/** An entry of a newer Wardline is shown by its name; an audit must stay readable after a step back. */
function unknownFact(fact: never): string {
  return `(${String((fact as { fact?: unknown }).fact)}: not known to this version)`;
}

/** The names of G.107 annex B for what people would say of it. */
function soundWords(sound: Extract<Fact, { fact: 'soundMeasured' }>, party: string): string {
  const { jitterMs, roundTripMs, farMosHundredths } = sound;
  const mos = sound.mosHundredths / 100;
  const opinion = mos >= 4.03 ? 'well' : mos >= 3.6 ? 'fairly well' : mos >= 3.1 ? 'badly' : 'very badly';
  const told = [
    `MOS ${mos}`,
    `${sound.lostPermille / 10} % lost`,
    ...(jitterMs === null ? [] : [`jitter ${jitterMs} ms`]),
    ...(roundTripMs === null ? [] : [`round trip ${roundTripMs} ms`]),
    ...(farMosHundredths === null ? [] : [`its phone heard MOS ${farMosHundredths / 100}`]),
  ];
  return `${party} was heard ${opinion} (${told.join(', ')})`;
}

const hints = {
  human: 'sounds like a human',
  mailbox: 'sounds like a mailbox',
  unsure: 'sounds like neither a human nor a mailbox',
} as const;

const challengeEnd = {
  accepted: 'the right digit is pressed',
  declined: '9 is pressed, declined',
  wrongDigit: 'a wrong digit is pressed',
  silence: 'nothing is pressed',
  timeout: 'the right digit is not pressed in time, taken for a machine',
  tooLate: 'too late, somebody else has taken the call',
} as const;

const groupOrder = { all: 'all at once,', sequential: 'one after the other,', roundRobin: 'in turn,' } as const;

const errands = {
  deliver: 'somebody has to listen to it',
  tellClaimed: 'somebody has taken it',
  tellUnclaimed: 'nobody has taken it yet',
} as const;

const stepEnd = {
  timeUp: 'time is up',
  everybodyFailed: 'no phone is left that could be answered',
  nobodyToRing: 'there is no phone to ring',
} as const;

const faults = {
  nobody: "Nobody's fault.",
  caller: "The cause lies on the caller's side.",
  callee: "The cause lies on the called party's side.",
  network: 'The cause lies in the network.',
  wardline: "Wardline's fault.",
} as const;

/** "Ward 4B (2101)"; "outside (trunk carrier)". */
function place(number: string, names: Names): string {
  if (number.startsWith('trunk ')) return `outside, ${number}`;
  const name = names.extension(number);
  return name === null ? number : `${name} (${number})`;
}

function considered(fact: Extract<Fact, { fact: 'considered' }>, names: Names): string {
  const { person, tier, device, contact, verdict, because, duty } = fact;
  if (person === '') return `nobody to ring as ${tier}: ${because}`;
  // A plain call considers an extension, whoever sits there.
  const name = names.extension(person) === null ? names.person(person) : place(person, names);
  const who = tier === 'post' ? name : `${name} (${duty ? `${tier}, ${duty}` : tier})`;
  if (verdict === 'skipped')
    return `${who} is not rung${!device ? '' : ` on the ${spokenPhone(device, contact)}`}: ${because}`;
  return `${who} is to be rung on the ${spokenPhone(device ?? 'desk', contact)}`;
}

/** "desk phone", "mobile"; a further one by the name that the person gave it: "lab phone", "home number". */
export function spokenPhone(device: 'desk' | 'mobile', contact?: string): string {
  if (contact !== undefined) return `${contact} ${device === 'desk' ? 'phone' : 'number'}`;
  return device === 'desk' ? 'desk phone' : 'mobile';
}

function dutiesOf({ person, service }: { readonly person: string; readonly service: string }, names: Names): string {
  return person === '' ? names.service(service) : names.person(person);
}

function overrideMade(fact: Extract<Fact, { fact: 'overrideMade' }>, names: Names): string {
  const [out, into] = [fact.out, fact.in].map((id) => names.person(id));
  const what = {
    add: `${into} is on call as well`,
    remove: `${out} is not on call`,
    replace: `${into} is on call for ${out}`,
    swap: `it is proposed that ${into} is on call for ${out}`,
    take: `${into} takes over`,
  }[fact.kind];
  const when = `from ${fact.from} until ${fact.until}`;
  return `${names.service(fact.service)}, ${fact.tier}: ${what} ${when}; override ${fact.override} by ${fact.author} (${fact.by}): ${fact.reason}`;
}

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

type LegEnd = LegResult | { readonly kind: 'hungUp' | 'stoodDown' | 'mediaLost' };

function legEnd(result: LegEnd, wasPickedUp: boolean): string {
  switch (result.kind) {
    case 'busy':
      return `is busy (SIP ${result.sipStatus})`;
    case 'declined':
      return `declines (SIP ${result.sipStatus})`;
    case 'noAnswer':
      return `does not answer (SIP ${result.sipStatus})`;
    case 'notRegistered':
      return 'is not registered';
    case 'unreachable':
      return `cannot be reached (SIP ${result.sipStatus})`;
    case 'trunkUnavailable':
      return `gets no trunk: ${result.why}`;
    case 'mediaFailed':
      return `gets no sound: ${result.why}`;
    case 'cancelled':
      return 'stops ringing';
    case 'hungUp':
      return 'hangs up';
    case 'stoodDown':
      return wasPickedUp ? 'is hung up by Wardline' : 'stops ringing';
    default:
      return 'loses its sound';
  }
}

const greetingWords = {
  recorded: 'was recorded',
  deleted: 'was deleted',
  endSet: 'got another end',
  ended: 'came to its end and was taken away',
} as const;

function marks({ urgent, private: isPrivate, callBack }: Marks): string {
  const words = [
    ...(urgent ? ['urgent'] : []),
    ...(isPrivate ? ['private'] : []),
    ...(callBack === undefined ? [] : [`to be called back at ${callBack.toString()}`]),
  ];
  return words.length === 0 ? '' : `; the caller marked it ${words.join(', ')}`;
}

function target(to: Extract<Fact, { fact: 'legRung' }>['target']): string {
  if (to.kind === 'extension') return '';
  return ` (${to.kind === 'number' ? to.e164 : to.number.toString()} by trunk ${to.trunk})`;
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
function short(version: string): string {
  return version.startsWith('sha256:') ? version.slice(0, 'sha256:'.length + 12) : version;
}

const pinWords = {
  right: 'the right PIN',
  wrong: 'a wrong PIN',
  noPin: 'a PIN where none is set',
  paused: 'a PIN that was not looked at after too many wrong ones',
} as const;

const shredWords = {
  ordered: 'as ordered',
  deleted: 'a day after it was deleted',
  retention: 'for its time was over',
} as const;

function doneWith(how: MessageAct): string {
  if (how === 'handedOver') return 'handed over';
  return how === 'replied' ? 'answered by a message' : how;
}
