export { type Endpoint, type Listen, parseEndpoint, parseListen, type Transport } from './endpoint.ts';
export { environmentValue, keepEnvironment } from './environment.ts';
export { installedIn, loadConfig, type Sources } from './load.ts';
export { configurationReference } from './reference.ts';
export type { Config } from './schema.ts';
export { listenPortOf } from './servers.ts';
export { identityOf } from './changed-keys.ts';
