export { jsonLogger } from './json-logger.ts';
export { type SipdOptions, type SipdOptionsInput, sipdOptionsSchema } from './options.ts';
export { type SipdAddresses, type SipdMetrics, SipdServer } from './sipd-server.ts';
