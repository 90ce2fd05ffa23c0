export { logTo, silentLog, type Log } from './log.ts';
export { MediaServer, StartError } from './media-server.ts';
export { checkOptions, mediadOptions, type MediadOptions } from './options.ts';
