import { type Instant, instant, plusMs, type Span } from '../time/index.ts';
import { type ChainUse, dialsIn, isKeyedSinceRead, slower } from './way.ts';

/** A call that comes to a chain, and when it is dialled. */
export interface CallInto {
  readonly use: ChainUse;
  readonly arrival: Instant;
}

/** A call that comes to the chain in this piece; null when none of these does. */
export function callInto(uses: readonly ChainUse[], piece: Span): CallInto | null {
  for (const use of uses) {
    const arrival = arrivalInto(use, piece);
    if (arrival !== null) return { use, arrival };
  }
  // Whoever takes time over the keys may come in when the quick have not. A key before opening hours were asked for does
  // not help: who presses it later asks later, and may be told something else.
  for (const use of uses) {
    if (!isKeyedSinceRead(use)) continue;
    for (const dialled of latestDials(use)) {
      const lateMs = Math.max(0, piece.from - dialled - use.playedMs);
      if (lateMs <= use.laterMs && dialled + use.playedMs + lateMs < piece.to) {
        return { use: lateMs > 0 ? slower(use, lateMs) : use, arrival: dialled };
      }
    }
  }
  return null;
}

/** The last moments to dial in which this way can be taken. */
function latestDials({ turn, ...use }: ChainUse): readonly Instant[] {
  if (turn !== null) return turn.at.map((at) => plusMs(at, -turn.playedMs));
  return use.spans.map((span) => dialsIn(span, use)).flatMap(({ from, to }) => (from < to ? [plusMs(to, -1)] : []));
}

function arrivalInto({ spans, playedMs, turn, ...read }: ChainUse, piece: Span): Instant | null {
  if (turn !== null) {
    const afterMs = playedMs - turn.playedMs;
    const at = turn.at.find((one) => one + afterMs >= piece.from && one + afterMs < piece.to);
    return at === undefined ? null : plusMs(at, -turn.playedMs);
  }
  for (const { from, to } of spans.map((span) => dialsIn(span, read))) {
    const first = Math.max(from, piece.from - playedMs);
    const last = Math.min(to, piece.to - playedMs) - 1;
    // At the change itself rather than a little before, where that is possible.
    if (first <= last) return instant(Math.max(first, Math.min(piece.from, last)));
  }
  return null;
}
