const passable: ReadonlySet<number> = new Set([
  200, 403, 404, 408, 415, 480, 481, 486, 488, 491, 500, 501, 503, 603, 606,
]);

/**
 * What one phone is told of another's final status; null, and what means nothing to it: 500.
 *
 * drachtio-srf 5.0.29 throws for a status that it has no words for, which the far end may well send (440, 469, 607 to 609).
 */
export function sendable(status: number | null): number {
  return status !== null && passable.has(status) ? status : 500;
}
