/** Name inside the data folder. */
export const STORE_FILE = 'wardline.db';

/** While calls run nobody waits long for a lock: the audit spools instead. */
export const OWNER_BUSY_MS = 20;
/** A command at a terminal may wait. */
export const GUEST_BUSY_MS = 3000;
