export { AuditLog } from './audit-log.ts';
export type { AuditLogOptions } from './audit-log.ts';
export { AuditReader } from './reader.ts';
export type { AuditReaderOptions, AuditRecord } from './reader.ts';
export type { Problem, ProblemKind, Verdict } from './verify.ts';
