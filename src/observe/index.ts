export { createHealth } from './health.ts';
export type { Health, HealthReport, HealthState } from './health.ts';
export { createLogger } from './logger.ts';
export type { Logger, LoggerOptions } from './logger.ts';
export { printable } from './terminal.ts';
export { createMetrics } from './metrics.ts';
export type { CounterMetric, GaugeMetric, HistogramMetric, Metrics } from './metrics.ts';
