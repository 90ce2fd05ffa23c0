import type { CallObserver } from '../../engine/index.ts';
import type { Metrics } from '../../observe/index.ts';

/** Seconds; a STAT call should reach a human in the first five of these. */
const TO_HUMAN = [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300];

/** Counts calls by how they ended. No name or number of a person is ever a label. */
export function callMetrics(metrics: Metrics): CallObserver {
  const arrived = metrics.counter('wardline_calls_arrived_total', 'Calls that came in.');
  const ended = metrics.counter('wardline_calls_ended_total', 'Calls that are over, by cause.', ['cause']);
  const toHuman = metrics.histogram(
    'wardline_time_to_human_seconds',
    'From the arrival of a call to the first acceptance by a human, by urgency.',
    TO_HUMAN,
    ['urgency'],
  );
  return {
    callArrived: () => arrived.inc(),
    callOver: ({ cause, timeToHumanMs, urgency }) => {
      ended.inc({ cause });
      if (timeToHumanMs !== null && urgency !== null) toHuman.observe(timeToHumanMs / 1000, { urgency });
    },
  };
}
