import { PortError, type PortErrorCode } from '../engine/ports.ts';

/** SQLite result codes (https://sqlite.org/rescode.html), with what a person does about them. */
const known: Readonly<Record<string, { code: PortErrorCode; says: (path: string) => string }>> = {
  SQLITE_BUSY: {
    code: 'storeUnavailable',
    says: (path) => `${path} is locked by another process; end whatever holds it open (lsof ${path}) or wait`,
  },
  SQLITE_FULL: {
    code: 'storeUnavailable',
    says: (path) => `no space left to write ${path}; free space on that disk, nothing has to be restarted`,
  },
  SQLITE_READONLY: {
    code: 'storeUnavailable',
    says: (path) => `${path} cannot be written; check that the disk is not mounted read-only and who owns the file`,
  },
  SQLITE_CANTOPEN: {
    code: 'storeUnavailable',
    says: (path) => `${path} cannot be opened; check that its folder exists and that this user may read and write it`,
  },
  SQLITE_PERM: {
    code: 'storeUnavailable',
    says: (path) => `this user may not open ${path}; check who owns it`,
  },
  SQLITE_IOERR: {
    code: 'storeUnavailable',
    says: (path) =>
      `the disk reported an error for ${path}; check the system log, then restore from a backup if needed`,
  },
  SQLITE_NOTADB: {
    code: 'storeDamaged',
    says: (path) => `${path} is not a Wardline store; move it away, or restore it from a backup`,
  },
  SQLITE_CORRUPT: {
    code: 'storeDamaged',
    says: (path) => `${path} is damaged; keep a copy of it and restore from a backup`,
  },
};

/** The same troubles as the file system words them. */
const fileErrors: Readonly<Record<string, string>> = {
  ENOENT: 'SQLITE_CANTOPEN',
  ENOTDIR: 'SQLITE_CANTOPEN',
  EISDIR: 'SQLITE_CANTOPEN',
  EACCES: 'SQLITE_PERM',
  EPERM: 'SQLITE_PERM',
  EROFS: 'SQLITE_READONLY',
  ENOSPC: 'SQLITE_FULL',
  EIO: 'SQLITE_IOERR',
};

/** A PortError for what SQLite or the file system threw; anything else (our mistake) comes back as it is. */
export function storeError(cause: unknown, path: string): unknown {
  if (!(cause instanceof Error) || cause instanceof PortError) return cause;
  const code = (cause as { code?: unknown }).code;
  // better-sqlite3 throws a TypeError without a code when the folder is missing.
  const word =
    typeof code === 'string'
      ? (fileErrors[code] ?? code)
      : cause.message.includes('directory does not exist')
        ? 'SQLITE_CANTOPEN'
        : '';
  // "SQLITE_IOERR_WRITE" is an extended form of "SQLITE_IOERR".
  const entry = known[word] ?? known[word.split('_').slice(0, 2).join('_')];
  return entry === undefined ? cause : new PortError(entry.code, { cause, says: entry.says(path) });
}
