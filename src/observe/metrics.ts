import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

export interface CounterMetric {
  inc(labels?: Labels, by?: number): void;
}
export interface GaugeMetric {
  set(value: number, labels?: Labels): void;
}
export interface HistogramMetric {
  /** In the unit of the name: `_seconds`, `_bytes`. */
  observe(value: number, labels?: Labels): void;
}

/** The metrics of one process. Asking for a name again gives the same metric. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): CounterMetric;
  gauge(name: string, help: string, labels?: readonly string[]): GaugeMetric;
  /** Read when the page is asked for. */
  gaugeOf(name: string, help: string, read: () => number): void;
  /** The same with labels: one value for each set of them. */
  gaugesOf(
    name: string,
    help: string,
    labels: readonly string[],
    read: () => readonly { readonly labels: Labels; readonly value: number }[],
  ): void;
  histogram(name: string, help: string, buckets: readonly number[], labels?: readonly string[]): HistogramMetric;
  /** The page for Prometheus, and its media type. */
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(options: { readonly process: boolean } = { process: true }): Metrics {
  const register = new Registry();
  const known = new Map<string, unknown>();
  if (options.process) collectDefaultMetrics({ register });

  function once<T>(kind: string, name: string, make: () => T): T {
    if (!/^wardline_[a-z][a-z0-9_]*$/.test(name))
      throw new TypeError(`${name}: metrics are named wardline_…, in small letters`);
    const key = `${kind} ${name}`;
    const metric = (known.get(key) as T | undefined) ?? make();
    known.set(key, metric);
    return metric;
  }

  return {
    counter: (name, help, labels = []) =>
      once('counter', name, () => {
        const counter = new Counter({ name, help, labelNames: labels, registers: [register] });
        return { inc: (values: Labels = {}, by = 1) => counter.inc({ ...values }, by) };
      }),
    gauge: (name, help, labels = []) =>
      once('gauge', name, () => {
        const gauge = new Gauge({ name, help, labelNames: labels, registers: [register] });
        return { set: (value: number, values: Labels = {}) => gauge.set({ ...values }, value) };
      }),
    gaugeOf: (name, help, read) => {
      once(
        'gaugeOf',
        name,
        () =>
          new Gauge({
            name,
            help,
            registers: [register],
            collect() {
              this.set(read());
            },
          }),
      );
    },
    gaugesOf: (name, help, labelNames, read) => {
      once(
        'gaugesOf',
        name,
        () =>
          new Gauge({
            name,
            help,
            labelNames,
            registers: [register],
            collect() {
              this.reset();
              for (const { labels, value } of read()) this.set({ ...labels }, value);
            },
          }),
      );
    },
    histogram: (name, help, buckets, labels = []) =>
      once('histogram', name, () => {
        const histogram = new Histogram({
          name,
          help,
          buckets: [...buckets],
          labelNames: labels,
          registers: [register],
        });
        return { observe: (value: number, values: Labels = {}) => histogram.observe({ ...values }, value) };
      }),
    text: () => register.metrics(),
    contentType: register.contentType,
  };
}
