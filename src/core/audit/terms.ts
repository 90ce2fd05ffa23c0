import type { Fact } from './facts.ts';

/** What an entry can be found by. Numbers go through `blind`, so that the index names nobody. */
export function termsOf(fact: Fact, blind: (number: string) => string): readonly string[] {
  const terms = new Set<string>();
  const person = (id: string) => id !== '' && terms.add(`person:${id}`);
  const number = (text: string) => /\d/.test(text) && terms.add(numberTerm(text, blind));
  switch (fact.fact) {
    case 'arrived':
      terms.add(ANY_CALL);
      number(fact.from);
      if (fact.number !== null) number(fact.number.reveal());
      number(typeof fact.dialled === 'string' ? fact.dialled : fact.dialled.reveal());
      break;
    case 'considered':
    case 'accepted':
      person(fact.person);
      break;
    case 'houseCalled':
    case 'legRung':
      person(fact.person);
      if (fact.target.kind === 'extension') number(fact.target.extension);
      else number(fact.target.kind === 'number' ? fact.target.e164 : fact.target.number.reveal());
      break;
    case 'escalationStarted':
      terms.add(`service:${fact.service}`);
      break;
    case 'chaseTold':
      person(fact.person);
      terms.add(`mailbox:${fact.mailbox}`);
      break;
    case 'messageShredOrdered':
    case 'messageShredded':
    case 'messageHeld':
    case 'messageReleased':
    case 'pinSet':
    case 'pinUnlocked':
    case 'chaseStarted':
    case 'chaseUnclaimed':
    case 'chaseOver':
    case 'pinTried':
    case 'mailboxOpened':
    case 'messageAccessed':
    case 'messageUnplayable':
    case 'mailboxFull':
    case 'recorderFull':
    case 'noticeRepeated':
    case 'noticeSent':
    case 'noticeGivenUp':
    case 'messageTranscribed':
    case 'transcriptGivenUp':
    case 'greetingChanged':
    case 'recordingStarted':
    case 'recordingDiscarded':
      terms.add(`mailbox:${fact.mailbox}`);
      break;
    case 'ended':
      terms.add(`ending:${fact.cause}`);
      break;
    case 'overrideMade':
      for (const id of [fact.in, fact.out, fact.author]) person(id);
      terms.add(`service:${fact.service}`);
      break;
    case 'loginsSeen':
      if (fact.door === 'phone') number(fact.who);
      break;
    case 'phoneAdded':
    case 'phoneRemoved':
      number(fact.extension);
      break;
    default:
  }
  return [...terms];
}

/** Stands for every call. */
export const ANY_CALL = 'call';

/** The same for a number however it is written: "+1 202 555 0177" and "2025550177". */
export function numberTerm(number: string, blind: (number: string) => string): string {
  return `number:${blind(number.replaceAll(/\D/g, '').slice(-10))}`;
}
