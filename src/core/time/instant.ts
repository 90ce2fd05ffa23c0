/** Milliseconds since 1970-01-01T00:00:00Z. The only time that decisions are made with. */
export type Instant = number & { readonly __brand: 'Instant' };

/** Half-open: `from` belongs to the span, `to` does not. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

export function instant(epochMs: number): Instant {
  return epochMs as Instant;
}

export function plusMs(at: Instant, ms: number): Instant {
  return (at + ms) as Instant;
}
