export { jsonLogger } from './json-logger.ts';
export { type SipdOptions, type SipdOptionsInput, sipdOptionsSchema } from './options.ts';
export type { SipdMetrics } from './numbers.ts';
export { type SipdAddresses, SipdServer } from './sipd-server.ts';
