export type { Finding } from './finding.ts';
export { freeswitchFindings } from './freeswitch-faults.ts';
export { memoryOnlyFindings } from './memory-only.ts';
