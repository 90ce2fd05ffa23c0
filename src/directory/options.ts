/** Realm of SIP digest; a part of every stored hash, so it never changes while there are phones. */
export const DEFAULT_REALM = 'wardline';
/** Passwords that are brought along must be at least this hard to guess. */
export const MIN_PASSWORD_BITS = 80;
