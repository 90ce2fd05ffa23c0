import { endCauses, type EndCause } from '../../call/end-causes.ts';
import { grouped, type ReportBuilder, type ReportWorld } from './model.ts';

interface Call {
  readonly day: string;
  readonly from: string;
  dialled: string;
  service: string | null;
  ending: EndCause | null;
  talkedMs: number;
}

/** How many calls there were, and how they ended. */
export function callsReport({ names, time }: ReportWorld): ReportBuilder {
  const calls = new Map<string, Call>();
  return {
    take: ({ at, callId, fact }) => {
      if (callId === null) return;
      if (fact.fact === 'arrived') {
        const day = time(at).slice(0, 'yyyy-mm-dd'.length);
        const dialled = String(fact.dialled);
        calls.set(callId, { day, from: fact.from, dialled, service: null, ending: null, talkedMs: 0 });
        return;
      }
      const call = calls.get(callId);
      if (call === undefined) return;
      if (fact.fact === 'escalationStarted') call.service ??= fact.service;
      if (fact.fact === 'ended') [call.ending, call.talkedMs] = [fact.cause, fact.talkedMs];
    },
    page: () => {
      const all = [...calls.values()];
      const table = (heading: string, word: string, keyOf: (call: Call) => string, of = all) => ({
        heading,
        note: '',
        head: [word, 'Calls', 'Minutes talked'],
        rows: grouped(of, keyOf).map(([key, some]) => [key, String(some.length), minutes(some)]),
      });
      return {
        title: 'Calls',
        note: 'Every call that arrived in the period, whatever became of it.',
        sections: [
          {
            heading: 'In all',
            note: '',
            head: ['', 'Calls'],
            rows: [
              ['arrived', String(all.length)],
              ['still running', String(all.filter(({ ending }) => ending === null).length)],
              ["ended by Wardline's fault", String(all.filter(isOurFault).length)],
            ],
          },
          table('How they ended', 'Ending', ({ ending }) =>
            ending === null ? 'still running' : endCauses[ending].says,
          ),
          table('By day', 'Day', ({ day }) => day),
          table(
            'By service asked for',
            'Service',
            ({ service }) => names.service(service ?? ''),
            all.filter(({ service }) => service !== null),
          ),
        ],
      };
    },
  };
}

function isOurFault({ ending }: Call): boolean {
  return ending !== null && endCauses[ending].fault === 'wardline';
}

function minutes(calls: readonly Call[]): string {
  return (calls.reduce((sum, { talkedMs }) => sum + talkedMs, 0) / 60_000).toFixed(1);
}
