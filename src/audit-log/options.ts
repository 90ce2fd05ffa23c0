/** Names inside the data folder. */
export const AUDIT_HEAD_FILE = 'audit.head';
export const AUDIT_SPOOL_FILE = 'audit.spool';
