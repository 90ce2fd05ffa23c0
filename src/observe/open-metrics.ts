import type { Metrics } from './metrics.ts';

/**
 * The metrics of this process. `process`: also its CPU, memory and event loop. The library behind them is loaded here and
 * not before: it takes a tenth of a second of every command and daemon that has none.
 */
export async function openMetrics(options?: { readonly process: boolean }): Promise<Metrics> {
  const { createMetrics } = await import('./metrics.ts');
  return createMetrics(options);
}
