export type { House, PublishedCalendar, Readiness } from './ports.ts';
export { type AdminStart, refusesAddress, startAdmin } from './server.ts';
