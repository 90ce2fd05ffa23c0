export { expectedChase, stepChase } from './chase.machine.ts';
export * from './chase.ts';
export { deliverMessage, startRetrieval, stepRetrieval } from './mailbox.machine.ts';
export * from './mailboxes.ts';
export * from './message-summary.ts';
export * from './pin-rules.ts';
export * from './retention.ts';
export * from './retrieval.ts';
export * from './rules.ts';
