export type { House, Readiness } from './ports.ts';
export { type AdminStart, refusesAddress, startAdmin } from './server.ts';
