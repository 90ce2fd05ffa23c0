export { createHealth } from './health.ts';
export type { Health, HealthReport, HealthState } from './health.ts';
export { createLogger } from './logger.ts';
export type { Logger, LoggerOptions } from './logger.ts';
export { OnceAMinute } from './once-a-minute.ts';
export type { Again } from './once-a-minute.ts';
export { openMetrics } from './open-metrics.ts';
export { printable } from './terminal.ts';
export type { CounterMetric, GaugeMetric, HistogramMetric, Metrics } from './metrics.ts';
