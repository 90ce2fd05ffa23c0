import type { Fact } from './facts.ts';

type FieldsOf<F extends Fact['fact']> = Exclude<keyof Extract<Fact, { fact: F }>, 'fact'>;

/** Every fact there is and every field of it, in words; docs/reference/audit-facts.md is made from it. */
const vocabulary: {
  readonly [F in Fact['fact']]: { readonly says: string } & {
    readonly fields: { readonly [K in FieldsOf<F>]: string };
  };
} = {
  arrived: {
    says: 'A call came in.',
    fields: {
      from: 'calling extension, or `trunk` and its name',
      number: 'calling number as a trunk gave it, sealed; null for an extension',
      dialled: 'number dialled; sealed when it is no number of the house',
      peer: 'address and transport the INVITE came from',
      sipCallId: 'Call-ID header (RFC 3261 20.8)',
    },
  },
  houseCalled: {
    says: 'The house called somebody by itself.',
    fields: {
      person: "id, '' for whoever left the message",
      target: 'the phone, as of `legRung`',
      about: 'deliver (a message has to be listened to), tellClaimed, tellUnclaimed (what became of one)',
      messageId: 'which',
    },
  },
  documentsUsed: {
    says: 'By which versions the call is decided.',
    fields: { plan: 'hash of the dial plan', roster: 'hash of the roster' },
  },
  decided: { says: 'What the plan said, and why.', fields: { trace: 'lines of `at` (place in the plan) and `says`' } },
  refusedAtDoor: {
    says: 'Turned away before the plan was asked.',
    fields: { cause: 'an ending', why: 'in words' },
  },
  callerAnswered: {
    says: 'The caller hears Wardline.',
    fields: { media: '`path` (anchored, direct), `codec`, `cipher` (none, sdes, dtls)' },
  },
  keyPressed: {
    says: 'A caller chose in a menu.',
    fields: { menu: 'which', key: "the key, '' for none", meaning: 'what it stands for' },
  },
  escalationStarted: {
    says: 'A chain begins.',
    fields: { service: 'whom it is for', urgency: 'stat, urgent, routine', chain: 'which chain', steps: 'how many' },
  },
  stepStarted: {
    says: 'A step of a chain begins.',
    fields: { step: 'counts from 1', says: 'in words', dwellMs: 'how long at most' },
  },
  considered: {
    says: 'Somebody was thought of, phone by phone, and rung or not.',
    fields: {
      step: 'of the chain',
      tier: 'primary, backup, attending or post',
      person: "id; '' where nobody holds the tier",
      device: 'desk, mobile or null',
      contact: 'name of a further number',
      verdict: 'rung, skipped',
      because: 'why',
      duty: 'rule by which the person holds the tier',
    },
  },
  legRung: { says: 'A phone is called.', fields: { leg: 'number of the leg', person: 'whose', target: 'which phone' } },
  groupRung: {
    says: 'A group is called.',
    fields: { group: 'which', order: 'all, sequential, roundRobin', members: 'extensions' },
  },
  digitsKeyed: {
    says: 'A caller keyed digits.',
    fields: { gather: 'where in the plan', digits: 'sealed', meaning: 'what came of them' },
  },
  lookupAsked: { says: 'A program of the house is asked.', fields: { hook: 'which', told: 'what it is told' } },
  lookupAnswered: {
    says: 'It answered, or did not.',
    fields: { hook: 'which', answer: "its word, '' for none", because: 'why there is none' },
  },
  legRinging: { says: 'A phone rings.', fields: { leg: 'which', sipStatus: '180 or 183' } },
  legAnswered: {
    says: 'A phone is picked up.',
    fields: { leg: 'which', media: '`path`, `codec` and `cipher` of this leg' },
  },
  legEnded: {
    says: 'A phone is rung or spoken to no more.',
    fields: { leg: 'which', result: '`kind` of ending and SIP status' },
  },
  recorderFull: {
    says: 'There is no room on the disk for another message; the caller is told before the tone.',
    fields: { mailbox: 'whose' },
  },
  soundMeasured: {
    says: 'How a party of the call sounded, told when its leg is over: also after the end of the call.',
    fields: {
      leg: 'which; `caller` for the caller',
      mosHundredths: 'mean opinion score of what was heard from it, 100 to 450 (ITU-T G.107: 1 to 4.5)',
      lostPermille: 'of its packets that did not come, or too late',
      jitterMs: 'unevenness of its packets (RFC 3550); null: not told',
      roundTripMs: 'to its phone and back; null: not told',
      farMosHundredths: 'mean opinion score of what it heard, by the reports of its phone; null: not told',
    },
  },
  challenged: { says: 'A mobile is asked for the digit.', fields: { leg: 'which', attempt: 'counts from 1' } },
  answerHinted: {
    says: 'Who seems to have answered a mobile, by the sound alone. Nothing is decided by it: the call is taken by the digit.',
    fields: {
      leg: 'which',
      hint: 'human (a few words, then a pause), mailbox (a greeting that goes on, or a beep), unsure',
      speechMs: 'of speech until then',
      pauseMs: 'of silence behind it',
    },
  },
  challengeAnswered: {
    says: 'What was pressed.',
    fields: { leg: 'which', result: 'accepted, declined, wrongDigit, silence, timeout, tooLate' },
  },
  stepOver: {
    says: 'A step ends without anybody.',
    fields: { step: 'which', because: 'timeUp, everybodyFailed, nobodyToRing' },
  },
  accepted: {
    says: 'A human has taken the call.',
    fields: { leg: 'on which', person: 'who', how: 'answeredDesk, pressedDigit', step: 'in which' },
  },
  bridged: { says: 'Caller and human hear each other.', fields: { leg: 'which' } },
  adopted: {
    says: 'Wardline was restarted; caller and human went on talking, and how they end is on record again.',
    fields: { leg: 'with whom' },
  },
  nobodyAccepted: { says: 'The chain is at its end.', fields: { service: 'of which' } },
  pinTried: {
    says: 'Somebody keyed a PIN to open a mailbox.',
    fields: {
      mailbox: "whose; '' where no mailbox has the number",
      result: 'right, wrong, noPin, paused',
      device: 'extension, or outside',
    },
  },
  mailboxOpened: {
    says: 'Somebody listens to messages.',
    fields: {
      mailbox: 'which',
      person: 'mailbox of the person whose PIN it was',
      device: 'extension, or outside',
      messages: 'how many there are',
    },
  },
  messageAccessed: {
    says: 'Somebody did something with a message.',
    fields: {
      how: 'heard, saved, deleted, restored, claimed, forwarded, replied, handedOver, read (its text)',
      messageId: 'which',
      mailbox: 'whose',
      person: 'mailbox of the person',
      device: 'extension, or outside',
      reason: 'why',
      to: 'mailbox that it was sent to, or service that it was handed over to',
      copyId: 'the message in that mailbox',
    },
  },
  messageUnplayable: {
    says: 'A message that somebody wanted to hear could not be opened.',
    fields: {
      messageId: 'which',
      mailbox: 'whose',
      person: 'mailbox of the person',
      device: 'extension, or outside',
      reason: 'why it was wanted',
      why: 'what is wrong with it',
    },
  },
  greetingChanged: {
    says: 'What callers of a mailbox hear was recorded or deleted, or an absence got an end or came to it.',
    fields: {
      how: 'recorded, deleted, endSet, ended',
      mailbox: 'whose',
      kind: 'usual, closed (out of hours), absence',
      greetingId: 'of the sealed recording',
      durationMs: '0 unless it was recorded',
      person: 'mailbox of the person, user of the machine, or `system`',
      device: 'extension, outside, or command line',
      reason: 'why, where it was done on the command line',
      endsAt: 'when the absence ends, in milliseconds since 1970; null for no end',
    },
  },
  mailboxFull: {
    says: 'There is no room for another message: the caller is sent to a human.',
    fields: { mailbox: 'which', messages: 'how many it holds' },
  },
  recordingStarted: {
    says: 'The caller is recorded.',
    fields: {
      messageId: 'of the message',
      mailbox: 'whose',
      urgent: 'whether',
      service: 'whose chain nobody accepted in, where there was one',
      urgency: 'of that chain',
      sentBy: 'mailbox of the person who replies',
    },
  },
  messageMarked: {
    says: 'The caller marked the message at the end; what `recordingEnded` says of it is the sum.',
    fields: {
      messageId: 'which',
      urgent: 'where it is that',
      private: 'where it is that',
      callBack: 'number the caller keyed, sealed',
    },
  },
  recordingEnded: {
    says: 'The message is over.',
    fields: {
      messageId: 'which',
      durationMs: '0 for nothing',
      by: 'key, hangUp, limit, silence, failed',
      why: 'in words',
      urgent: 'where the caller marked it so',
      private: 'where the caller marked it so',
      callBack: 'number the caller left, sealed',
    },
  },
  recordingDiscarded: {
    says: 'The caller has said it again; what was said before is shredded.',
    fields: { messageId: 'which', mailbox: 'whose' },
  },
  ended: {
    says: 'The call is over. Every call has exactly one.',
    fields: {
      cause: 'an ending',
      fault: "whose fault it was: nobody's, caller, callee, network, wardline",
      talkedMs: 'of conversation',
    },
  },
  started: { says: 'The house started.', fields: { version: 'of Wardline', node: 'of Node.js' } },
  stopped: { says: 'The house stopped in order.', fields: { because: 'why' } },
  configured: {
    says: 'What it runs with, at each start.',
    fields: { hash: 'of the whole configuration', set: 'keys that are not as they come; no values' },
  },
  signingKeyUsed: {
    says: 'With which key the record is signed from now on, at each start.',
    fields: { key: 'its id, as checkpoints name it', from: 'secrets, a file, env:NAME, command' },
  },
  loginsSeen: {
    says: 'Whoever showed a password or a token: the first time at once, then right ones by day, wrong ones by ten minutes.',
    fields: {
      door: 'phone, calendar',
      who: "extension, or number of the calendar; '' for a name that nobody has, or for many",
      address: "where it came from; '' for many, or where it is not known",
      result: 'right, wrong',
      times: 'how often',
      from: 'the first time',
      until: 'the last time',
    },
  },
  timeLost: {
    says: 'The house was killed, or the power was cut.',
    fields: { from: 'the last entry before', until: 'the start after it' },
  },
  documentActivated: {
    says: 'A plan or a roster came into force.',
    fields: { kind: 'plan, roster', version: 'hash', files: 'that it was made of', by: 'who ordered it' },
  },
  documentRefused: { says: 'Documents were refused; the last good ones stay.', fields: { problems: 'what is wrong' } },
  phoneAdded: { says: 'A phone got a password.', fields: { extension: 'which', by: 'who did it' } },
  phoneRemoved: { says: 'A phone lost its password.', fields: { extension: 'which', by: 'who did it' } },
  overrideMade: {
    says: 'Somebody changed who is on call.',
    fields: {
      override: 'its number',
      kind: 'add, remove, replace, swap, take',
      service: 'where',
      tier: 'which duty',
      from: 'first instant',
      until: 'first instant after it',
      out: "who is not on call, '' for nobody",
      in: "who is, '' for nobody",
      author: 'who said so',
      reason: 'why',
      by: 'who typed it',
    },
  },
  swapAccepted: {
    says: 'The other one agreed.',
    fields: { override: 'which', author: 'who agreed', by: 'who typed it' },
  },
  overrideEnded: {
    says: 'An override was taken back.',
    fields: { override: 'which', author: 'who said so', because: 'why', by: 'who typed it' },
  },
  feedTaken: {
    says: "Another system's roster came into force.",
    fields: { feed: 'which', added: 'shifts that came', removed: 'shifts that went', by: 'who took it' },
  },
  feedRefused: {
    says: "Another system's roster cannot be believed; the last good one stays.",
    fields: { feed: 'which', because: 'why', by: 'who took it' },
  },
  chaseStarted: {
    says: 'An urgent message is followed through the roster until somebody takes it.',
    fields: { messageId: 'which', mailbox: 'whose', service: "whose chain, '' for none", steps: 'how many' },
  },
  chaseTold: {
    says: 'Somebody is told that an urgent message waits.',
    fields: {
      messageId: 'which',
      mailbox: 'whose',
      step: 'of the chain, from 1',
      tier: 'primary, backup, attending or post',
      person: 'id',
      device: 'desk, mobile',
      because: 'rule by which the person holds the tier',
    },
  },
  chaseUnclaimed: {
    says: 'Nobody of the chain has taken the message: it goes to the house supervisor.',
    fields: { messageId: 'which', mailbox: 'whose' },
  },
  chaseOver: {
    says: 'Somebody has taken an urgent message, or it was deleted.',
    fields: {
      messageId: 'which',
      mailbox: 'whose',
      because: 'claimed, deleted',
      by: 'mailbox of the person',
      tookMs: 'since it was left',
    },
  },
  noticeRepeated: {
    says: 'Nobody knows whether a program of the house, or the mail server, was told that a message waits: no answer came, or the process ended before it did. It is told again, by the same key, and may have been told twice.',
    fields: {
      messageId: 'which',
      mailbox: 'whose',
      hook: 'which program, or nothing for an e-mail',
      tries: 'how many there were before',
    },
  },
  noticeSent: {
    says: 'A program of the house, or the mail server, was told that a message waits. Twice with the same number of tries, it was told once and written down twice.',
    fields: {
      messageId: 'which',
      mailbox: 'whose',
      hook: 'which program, or nothing for an e-mail',
      tries: 'how many it took',
    },
  },
  noticeGivenUp: {
    says: 'A program of the house, or the mail server, could not be told for three days.',
    fields: {
      messageId: 'which',
      mailbox: 'whose',
      hook: 'which program, or nothing for an e-mail',
      tries: 'how many',
      because: 'why',
    },
  },
  messageTranscribed: {
    says: 'A program of the house was given a message and has made text of it.',
    fields: { messageId: 'which', mailbox: 'whose', tries: 'how many it took' },
  },
  transcriptGivenUp: {
    says: 'No text could be made of a message; the message is as it was.',
    fields: { messageId: 'which', mailbox: 'whose', tries: 'how many', because: 'why' },
  },
  messageShredOrdered: {
    says: 'The key of a message is about to be shredded.',
    fields: {
      messageId: 'which',
      mailbox: 'whose',
      because: 'ordered, deleted (a day ago), retention',
      reason: 'in words, where somebody gave one',
      by: 'who ordered or deleted it, or system',
    },
  },
  messageShredded: {
    says: 'The key of a message is shredded: nobody can hear it any more.',
    fields: {
      messageId: 'which',
      mailbox: 'whose',
      sha256: "of the sealed file as it was, hex; '' where it was gone already",
      because: 'ordered, deleted (a day ago), retention',
      reason: 'in words, where somebody gave one',
      by: 'who ordered or deleted it, or system',
    },
  },
  messageHeld: {
    says: 'A message is kept whatever the rules say: a legal hold.',
    fields: { messageId: 'which', mailbox: 'whose', reason: 'why', by: 'who did it' },
  },
  messageReleased: {
    says: 'A legal hold is over.',
    fields: { messageId: 'which', mailbox: 'whose', reason: 'why', by: 'who did it' },
  },
  keyMade: {
    says: 'There is a new key to seal messages to.',
    fields: { key: 'whose: mailbox, unit, house', keyId: 'which', by: 'who did it' },
  },
  keyShredded: {
    says: 'A key that has a successor, and that no file is sealed to any more, is gone.',
    fields: { key: 'whose', keyId: 'which', by: 'who did it' },
  },
  keyUsed: {
    says: 'A key has opened the key of a message or of a greeting.',
    fields: {
      key: 'whose',
      keyId: 'which',
      use: 'heard, exported, forwarded, measured (how long it is), rotated (wrapped to other keys)',
      messageId: 'which message or greeting',
      by: 'who did it, or system',
    },
  },
  keysRotated: {
    says: 'Keys were replaced, and messages and greetings wrapped to the new ones.',
    fields: {
      keys: 'how many are new',
      messages: 'how many messages and greetings were wrapped anew',
      left: 'how many could not be',
      reason: 'why',
      by: 'who did it',
    },
  },
  masterKeyChanged: {
    says: 'The private keys of voicemail are sealed with another master key.',
    fields: { keys: 'how many', reason: 'why', by: 'who did it' },
  },
  pinSet: { says: 'A mailbox got a PIN.', fields: { mailbox: 'which', by: 'who did it' } },
  pinUnlocked: {
    says: 'The pause of a mailbox after wrong PINs was ended by order.',
    fields: {
      mailbox: 'which',
      phone: "extension whose pause is over too, '' for none",
      reason: 'why',
      by: 'who did it',
    },
  },
  messageExported: {
    says: 'A message was opened with the key and written out.',
    fields: { messageId: 'which', by: 'who did it', device: 'from where', reason: "why, '' where it was not said" },
  },
  auditRead: {
    says: 'Records were taken away or looked for.',
    fields: {
      how: 'export, report, search, show',
      what: 'form, report, what was looked for, or the call',
      from: 'first instant',
      to: 'first instant after it',
      numbers: 'sealed, masked, shown (opened with the key)',
      by: 'who did it, who became whom',
      device: 'machine, and the one that somebody came from',
      role: 'of `audit.reveal`, where numbers were shown',
      reason: 'why they were shown',
    },
  },
  auditPruned: {
    says: 'Old entries were cut off; a signed receipt stands for them.',
    fields: {
      from: 'first entry',
      to: 'last entry',
      hash: 'of the last one',
      before: 'all were older than this',
      by: 'who did it',
    },
  },
  calendarMade: {
    says: 'An address was made under which programs read the duties of a person or of a service.',
    fields: {
      calendar: 'which',
      person: 'whose duties, or empty',
      service: 'whose duties, or empty',
      by: 'who made it',
    },
  },
  calendarEnded: {
    says: 'That address is no longer served.',
    fields: {
      calendar: 'which',
      person: 'whose duties, or empty',
      service: 'whose duties, or empty',
      by: 'who ended it',
    },
  },
  serverDrained: {
    says: 'A signalling or media server gets no new calls.',
    fields: { kind: 'signalling, media', server: 'which', by: 'who ordered it' },
  },
  serverUndrained: {
    says: 'It gets calls again.',
    fields: { kind: 'signalling, media', server: 'which', by: 'who ordered it' },
  },
  callsLost: { says: 'Calls that ended in a restart.', fields: { calls: 'which' } },
  auditDelayed: {
    says: 'Facts that were written later than they happened; they carry `late`.',
    fields: { facts: 'how many', because: 'why' },
  },
  auditLost: { says: 'Facts that could be kept nowhere.', fields: { facts: 'how many', because: 'why' } },
  auditBroken: {
    says: 'At a start the chain was not the one that was certified or signed last.',
    fields: { certifiedEntries: 'how many there were', foundEntries: 'how many there are', because: 'what differs' },
  },
  factUnwritable: {
    says: 'A fact had no canonical form: a mistake in Wardline, shown instead of left out.',
    fields: { kind: 'of fact', because: 'why' },
  },
};

/** The page of all facts; a test compares it. */
export function factsReference(): string {
  const entries = Object.entries(vocabulary).map(([fact, { says, fields }]) => {
    const lines = Object.entries(fields).map(([name, words]) => `| \`${name}\` | ${words} |`);
    return [`## \`${fact}\``, '', says, '', '| field | content |', '|---|---|', ...lines, ''].join('\n');
  });
  return [
    '# The facts of the audit',
    '',
    'Made from `src/core/audit/vocabulary.ts` by `npm run docs`. These are all there are: an entry of the chain has one of them as `fact`,',
    'beside `at`, `callId`, `id` and sometimes `late` ([the audit chain](audit-chain.md)). Facts of a call have its `callId`, the others null.',
    'Sealed values read `{"$sealed": …}`.',
    '',
    ...entries,
  ].join('\n');
}
