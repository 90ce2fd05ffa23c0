import type { Fact } from '../facts.ts';
import { sentence } from '../sentence.ts';
import { cutOff, grouped, type ReportBuilder, type ReportEntry, type ReportWorld } from './model.ts';

/** Which facts a reviewer looks at, and under which heading. */
const kinds: readonly { readonly heading: string; readonly facts: readonly Fact['fact'][] }[] = [
  {
    heading: 'Who read messages and records',
    facts: [
      'mailboxOpened',
      'messageAccessed',
      'messageExported',
      'messageShredOrdered',
      'messageShredded',
      'messageHeld',
      'messageReleased',
      'keyUsed',
      'auditRead',
    ],
  },
  { heading: 'Keys of messages', facts: ['keyMade', 'keysRotated', 'keyShredded', 'masterKeyChanged'] },
  { heading: 'Phones', facts: ['phoneAdded', 'phoneRemoved'] },
  {
    heading: 'Who was let in, and who was not',
    facts: ['pinSet', 'pinUnlocked', 'pinTried', 'greetingChanged', 'loginsSeen', 'calendarMade', 'calendarEnded'],
  },
  {
    heading: 'Plans and rosters',
    facts: [
      'documentActivated',
      'documentRefused',
      'overrideMade',
      'swapAccepted',
      'overrideEnded',
      'feedTaken',
      'feedRefused',
    ],
  },
  {
    heading: 'Starts, stops and lost time',
    facts: [
      'started',
      'stopped',
      'configured',
      'signingKeyUsed',
      'timeLost',
      'callsLost',
      'serverDrained',
      'serverUndrained',
    ],
  },
  {
    heading: 'The record itself',
    facts: ['auditDelayed', 'auditLost', 'auditBroken', 'auditPruned', 'factUnwritable'],
  },
];

/** Who had access to what, for the review of activity (45 CFR 164.308(a)(1)(ii)(D), 164.312(b)). */
export function hipaaReport({ names, time }: ReportWorld): ReportBuilder {
  const taken: ReportEntry[] = [];
  const wanted = new Set(kinds.flatMap(({ facts }) => facts));
  const spoken = { ...names, leg: (leg: string) => `leg ${leg}`, wasPickedUp: () => false };
  return {
    take: (entry) => {
      if (wanted.has(entry.fact.fact)) taken.push(entry);
    },
    page: () => ({
      title: 'Access and changes',
      note: 'Every access to messages and records, and every change to who can do what, in the order in which they happened. For the regular review of 45 CFR 164.308(a)(1)(ii)(D).',
      sections: [
        {
          heading: 'In all',
          note: '',
          head: ['What', 'Times'],
          rows: grouped(taken, ({ fact }) => fact.fact).map(([fact, some]) => [fact, String(some.length)]),
        },
        ...kinds.map(({ heading, facts }) => {
          const { rows, note } = cutOff(
            taken
              .filter(({ fact }) => facts.includes(fact.fact))
              .map(({ seq, at, fact }) => [time(at), String(seq), byWhom(fact), sentence(fact, spoken)]),
          );
          return { heading, note: note.trim(), head: ['When', 'Entry', 'By', 'What'], rows };
        }),
      ],
    }),
  };
}

function byWhom(fact: Fact): string {
  return 'by' in fact && typeof fact.by === 'string' ? fact.by : 'system';
}
