import type { CallObserver } from '../../engine/index.ts';
import type { Metrics } from '../../observe/index.ts';

/** Seconds; a STAT call should reach a human in the first five of these. */
const TO_HUMAN = [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300];

/**
 * Counts calls by how they ended, and how they got to a human. `unitOf` names the unit of a calling extension. No name or
 * number of a person is ever a label.
 */
export function callMetrics(metrics: Metrics, unitOf: (from: string) => string | null): CallObserver {
  const arrived = metrics.counter('wardline_calls_arrived_total', 'Calls that came in.');
  const ended = metrics.counter('wardline_calls_ended_total', 'Calls that are over, by cause.', ['cause']);
  const toHuman = metrics.histogram(
    'wardline_time_to_human_seconds',
    'From the arrival of a call to the first acceptance by a human, by urgency.',
    TO_HUMAN,
    ['urgency'],
  );
  const whose = ['service', 'urgency', 'unit'];
  const consults = metrics.counter(
    'wardline_consults_total',
    'Calls that asked for somebody on call: reached, abandoned by the caller in time, or late (too late, or never).',
    [...whose, 'outcome'],
  );
  const seconds = metrics.counter(
    'wardline_consults_reached_seconds_total',
    'Seconds to a human, of all calls that reached one.',
    whose,
  );
  const breaches = metrics.counter(
    'wardline_time_to_human_breaches_total',
    'Calls that reached nobody in time, by what most of the waiting was spent on.',
    [...whose, 'cause'],
  );
  return {
    callArrived: () => arrived.inc(),
    callOver: ({ cause, reach }) => {
      ended.inc({ cause });
      if (reach === null) return;
      const { service, urgency, from, timeToHumanMs, isAbandoned, breach } = reach;
      const labels = { service, urgency, unit: unitOf(from) ?? (from.startsWith('trunk ') ? 'outside' : 'none') };
      const outcome = breach !== null ? 'late' : isAbandoned ? 'abandoned' : 'reached';
      consults.inc({ ...labels, outcome });
      if (breach !== null) breaches.inc({ ...labels, cause: breach });
      if (timeToHumanMs === null) return;
      toHuman.observe(timeToHumanMs / 1000, { urgency });
      seconds.inc(labels, timeToHumanMs / 1000);
    },
  };
}
