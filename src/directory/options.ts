/** Passwords that are brought along must be at least this hard to guess. */
export const MIN_PASSWORD_BITS = 80;
