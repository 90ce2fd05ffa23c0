import { z } from 'zod';

/** Names inside the data folder. */
export const AUDIT_HEAD_FILE = 'audit.head';
export const AUDIT_SPOOL_FILE = 'audit.spool';
export const AUDIT_CHECKPOINT_FILE = 'audit.checkpoints';
export const AUDIT_TIME_STAMP_FILE = 'audit.timestamps';
export const AUDIT_RESERVE_FILE = 'audit.reserve';
export const AUDIT_RECEIPT_FILE = 'audit.receipts';

/** An absolute path, syslog over UDP or TCP, a web address that takes a POST, or a time-stamp service. */
const anchor = z.string().max(1024).refine(isAnchor, {
  error: 'must be an absolute path, udp://host:port, tcp://host:port, https://…, or rfc3161+https://…',
});

/** A user or a group of the operating system. */
const member = z.string().regex(/^(?:user|group):[A-Za-z0-9_.@\\-]{1,128}$/, {
  error: 'must be user:NAME or group:NAME, as the operating system names them',
});

export const auditOptions = z.strictObject({
  checkpointEntries: z.int().min(16).max(4096).default(1000),
  checkpointMinutes: z.int().min(1).max(1440).default(5),
  anchors: z.array(anchor).max(8).default([]),
  /** By role, "user:kim" and "group:privacy" of the operating system; nobody unless it is said. */
  reveal: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), z.array(member).min(1).max(64)).default({}),
  /** Six years (45 CFR 164.316(b)(2)(i)). */
  retentionDays: z.int().min(1).max(36_525).default(2192),
});

function isAnchor(text: string): boolean {
  if (text.startsWith('/')) return true;
  if (!URL.canParse(text)) return false;
  const { protocol, port, username } = new URL(text);
  if (username !== '') return false;
  if (protocol === 'udp:' || protocol === 'tcp:') return port !== '';
  return ['http:', 'https:', 'rfc3161+http:', 'rfc3161+https:'].includes(protocol);
}
