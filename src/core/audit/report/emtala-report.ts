import type { CallFact } from '../facts.ts';
import { sentence } from '../sentence.ts';
import { cutOff, duration, grouped, type ReportBuilder, type ReportEntry, type ReportWorld } from './model.ts';

interface Request {
  readonly callId: string;
  readonly arrived: ReportEntry;
  service: string | null;
  urgency: string;
  /** Persons rung, in order, with why. */
  readonly rung: Map<string, { readonly duty: string; outcome: string }>;
  /** Whose phone a leg is. */
  readonly legs: Map<string, string>;
  taken: { readonly by: string; readonly afterMs: number } | null;
}

/**
 * Who was on call and how they responded: what a hospital shows about its list of on-call physicians (42 CFR
 * 489.20(r)(2)) and about those who refused or failed to appear (42 CFR 489.24(j), 489.20(r)).
 */
export function emtalaReport({ names, time, unitOf }: ReportWorld): ReportBuilder {
  const calls = new Map<string, Request>();
  const changes: ReportEntry[] = [];
  const spoken = { ...names, leg: (leg: string) => `leg ${leg}`, wasPickedUp: () => false };
  return {
    take: (entry) => {
      const { callId, fact } = entry;
      if (callId === null) {
        if (isRosterChange(entry)) changes.push(entry);
        return;
      }
      if (fact.fact === 'arrived') {
        const nothing = { service: null, urgency: '', rung: new Map(), legs: new Map(), taken: null };
        calls.set(callId, { callId, arrived: entry, ...nothing });
      }
      const call = calls.get(callId);
      if (call !== undefined) follow(call, entry);
    },
    page: () => {
      const requests = [...calls.values()].filter(({ service }) => service !== null);
      const listed = cutOff(
        requests.map((call) => [
          time(call.arrived.at),
          call.callId,
          unitOf(fromOf(call)) ?? fromOf(call),
          names.service(call.service ?? ''),
          call.urgency,
          [...call.rung]
            .map(([person, { duty, outcome }]) => `${names.person(person)} (${duty}): ${outcome}`)
            .join('; '),
          call.taken === null ? 'nobody' : `${names.person(call.taken.by)}, after ${duration(call.taken.afterMs)}`,
        ]),
      );
      const asked = requests.flatMap(({ rung }) => [...rung].map(([person, { outcome }]) => ({ person, outcome })));
      const { rows, note } = cutOff(
        changes.map(({ seq, at, fact }) => [time(at), String(seq), sentence(fact, spoken)]),
      );
      return {
        title: 'On-call requests and responses',
        note: 'Every call for a service, who was on call and was rung, and what came of it, for 42 CFR 489.20(r)(2) and 489.24(j). Arrival in person is not known to a telephone system and has to be added from other records.',
        sections: [
          {
            heading: 'By service',
            note: '',
            head: ['Service', 'Requests', 'Taken', 'Not taken by anybody'],
            rows: grouped(requests, ({ service }) => names.service(service ?? '')).map(([service, some]) => {
              const taken = some.filter((call) => call.taken !== null).length;
              return [service, String(some.length), String(taken), String(some.length - taken)];
            }),
          },
          {
            heading: 'By person',
            note: '',
            head: ['Person', 'Rung for', 'Took', 'Declined', 'Did not respond'],
            rows: grouped(asked, ({ person }) => names.person(person)).map(([person, some]) => {
              const count = (word: string) => String(some.filter(({ outcome }) => outcome === word).length);
              const silent = some.filter(({ outcome }) => outcome !== 'took the call' && outcome !== 'declined').length;
              return [person, String(some.length), count('took the call'), count('declined'), String(silent)];
            }),
          },
          {
            heading: 'Every request',
            note: listed.note.trim(),
            head: ['Arrived', 'Call', 'From', 'Service', 'Urgency', 'On call and rung', 'Taken by'],
            rows: listed.rows,
          },
          { heading: 'Changes to who was on call', note: note.trim(), head: ['When', 'Entry', 'What'], rows },
        ],
      };
    },
  };
}

function follow(call: Request, { at, fact }: ReportEntry): void {
  const { legs } = call;
  switch (fact.fact) {
    case 'escalationStarted':
      call.service ??= fact.service;
      call.urgency ||= fact.urgency;
      return;
    case 'considered':
      if (fact.verdict === 'rung' && fact.person !== '' && !call.rung.has(fact.person)) {
        call.rung.set(fact.person, {
          duty: fact.duty === '' ? fact.tier : `${fact.tier}, ${fact.duty}`,
          outcome: 'no response',
        });
      }
      return;
    case 'legRung':
      legs.set(fact.leg, fact.person);
      return;
    case 'legEnded':
      if (fact.result.kind === 'declined' || fact.result.kind === 'busy') decline(call, legs.get(fact.leg));
      return;
    case 'challengeAnswered':
      if (fact.result === 'declined') decline(call, legs.get(fact.leg));
      return;
    case 'accepted': {
      const asked = call.rung.get(fact.person);
      if (asked !== undefined) asked.outcome = 'took the call';
      if (call.service !== null) call.taken ??= { by: fact.person, afterMs: at - call.arrived.at };
      return;
    }
    default:
  }
}

function decline(call: Request, person: string | undefined): void {
  const asked = person === undefined ? undefined : call.rung.get(person);
  if (asked !== undefined && asked.outcome === 'no response') asked.outcome = 'declined';
}

function fromOf({ arrived }: Request): string {
  return (arrived.fact as Extract<CallFact, { fact: 'arrived' }>).from;
}

function isRosterChange({ fact }: ReportEntry): boolean {
  switch (fact.fact) {
    case 'overrideMade':
    case 'swapAccepted':
    case 'overrideEnded':
    case 'feedTaken':
      return true;
    case 'documentActivated':
      return fact.kind === 'roster';
    default:
      return false;
  }
}
