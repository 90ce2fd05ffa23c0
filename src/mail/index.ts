export { Mailer } from './mailer.ts';
export type { Letter } from './mailer.ts';
