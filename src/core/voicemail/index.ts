export * from './mailboxes.ts';
export * from './rules.ts';
