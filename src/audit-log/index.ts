export { AuditLog } from './audit-log.ts';
export type { AuditLogOptions } from './audit-log.ts';
export { AuditReader } from './reader.ts';
export type { AuditReaderOptions, AuditRecord, EntryRange } from './reader.ts';
export { Reserve } from './reserve.ts';
export { signingKey } from './signing-key.ts';
export type { Verdict } from './verify.ts';
