import type { Instant, Span } from './instant.ts';

/** Arithmetic of spans. Lists are sorted and do not overlap, unless said otherwise. */

export const allTime: Span = { from: Number.NEGATIVE_INFINITY as Instant, to: Number.POSITIVE_INFINITY as Instant };

/** The parts of `pieces` that lie within `within`. A piece that is cut keeps whatever else it carries. */
export function cutTo<Piece extends Span>(pieces: readonly Piece[], within: readonly Span[]): Piece[] {
  const cut: Piece[] = [];
  let first = 0;
  for (const piece of pieces) {
    while (first < within.length && within[first]!.to <= piece.from) first++;
    for (let i = first; i < within.length && within[i]!.from < piece.to; i++) {
      const { from, to } = within[i]!;
      if (from <= piece.from && to >= piece.to) cut.push(piece);
      else cut.push({ ...piece, from: from > piece.from ? from : piece.from, to: to < piece.to ? to : piece.to });
    }
  }
  return cut;
}

/** The parts of `pieces` that lie outside of `taken`. */
export function without<Piece extends Span>(pieces: readonly Piece[], taken: readonly Span[]): Piece[] {
  return taken.length === 0 ? [...pieces] : cutTo(pieces, gapsBetween(taken));
}

/** All time but these spans. */
function gapsBetween(spans: readonly Span[]): Span[] {
  const gaps: Span[] = [];
  let from = allTime.from;
  for (const span of spans) {
    if (span.from > from) gaps.push({ from, to: span.from });
    if (span.to > from) from = span.to;
  }
  if (from < allTime.to) gaps.push({ from, to: allTime.to });
  return gaps;
}

/** Spans in any order, overlapping or not, as the list of what they cover together. */
export function joined(spans: readonly Span[]): Span[] {
  const covered: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    if (span.to <= span.from) continue;
    const last = covered.at(-1);
    if (last && span.from <= last.to) {
      if (span.to > last.to) covered[covered.length - 1] = { from: last.from, to: span.to };
    } else covered.push({ from: span.from, to: span.to });
  }
  return covered;
}

/** How much of time they cover. */
export function lengthMs(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + (to - from), 0);
}
