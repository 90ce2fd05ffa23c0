import { urgencies } from '../../oncall/index.ts';
import { type BreachCause, breachCauses, type Reach, TARGET_MS } from '../time-to-human.ts';
import { cutOff, duration, grouped, quantile, type ReportBuilder, type ReportWorld, type Section } from './model.ts';
import { Reaches } from './reaches.ts';

/** How long it took to reach a human, by service, urgency and unit, and why it took too long. */
export function timeToHumanReport(world: ReportWorld): ReportBuilder {
  const reaches = new Reaches();
  const { names, unitOf, time } = world;
  const unit = ({ from }: Reach): string => unitOf(from) ?? (from.startsWith('trunk ') ? 'outside' : 'no unit');
  return {
    take: (entry) => reaches.take(entry),
    page: () => {
      const all = reaches.all();
      const late = all.filter(({ breach }) => breach !== null);
      const list = cutOff(
        late.map((reach) => [
          time(reach.arrivedAt),
          reach.callId,
          names.service(reach.service),
          reach.urgency,
          unit(reach),
          reach.timeToHumanMs === null ? 'nobody' : duration(reach.timeToHumanMs),
          because[reach.breach ?? 'ringTime'],
        ]),
      );
      return {
        title: 'Time to a human',
        note: `From the arrival of a call to the first person who took it: picked up a desk phone, or pressed the digit. It should take at most ${urgencies.map((word) => `${duration(TARGET_MS[word])} (${word})`).join(', ')}. A caller who gives up before that is counted as abandoned.`,
        sections: [
          figures('By service', 'Service', all, ({ service }) => names.service(service)),
          figures('By urgency', 'Urgency', all, ({ urgency }) => urgency),
          figures('By unit', 'Unit', all, unit),
          figures('By service, urgency and unit', 'Service, urgency, unit', all, (reach) =>
            [names.service(reach.service), reach.urgency, unit(reach)].join(', '),
          ),
          {
            heading: 'Why it took too long',
            note: 'What most of the waiting of a call was spent on.',
            head: ['Cause', 'Calls'],
            rows: breachCauses.map((cause) => [
              because[cause],
              String(late.filter(({ breach }) => breach === cause).length),
            ]),
          },
          {
            heading: 'Calls that reached nobody in time',
            note: `"wardline call show CALL" tells each of them.${list.note}`,
            head: ['Arrived', 'Call', 'Service', 'Urgency', 'Unit', 'Reached after', 'Cause'],
            rows: list.rows,
          },
        ],
      };
    },
  };
}

export const because: Readonly<Record<BreachCause, string>> = {
  media: 'the sound failed',
  trunk: 'no line to the outside, or not reachable',
  declined: 'declined or busy',
  mailbox: 'a mailbox or nobody pressed the digit',
  ringTime: 'phones rang and nobody picked up',
  noRoster: 'nobody on call, or no phone to ring',
};

function figures(heading: string, word: string, all: readonly Reach[], keyOf: (reach: Reach) => string): Section {
  return {
    heading,
    note: '',
    head: [word, 'Calls', 'Reached', 'Abandoned', 'Too late or never', 'Median', '90 %', 'Longest'],
    rows: grouped(all, keyOf).map(([key, reaches]) => {
      const tookMs = reaches.flatMap(({ timeToHumanMs }) => timeToHumanMs ?? []).sort((a, b) => a - b);
      const shown = (ms: number | null) => (ms === null ? '' : duration(ms));
      return [
        key,
        String(reaches.length),
        String(tookMs.length),
        String(reaches.filter(({ isAbandoned }) => isAbandoned).length),
        String(reaches.filter(({ breach }) => breach !== null).length),
        shown(quantile(tookMs, 0.5)),
        shown(quantile(tookMs, 0.9)),
        shown(tookMs.at(-1) ?? null),
      ];
    }),
  };
}
