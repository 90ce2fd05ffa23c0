import type { Urgency, ServiceId } from '../oncall/index.ts';
import type { KeyPress } from '../simulate/index.ts';
import { type Instant, plusMs, type Span } from '../time/index.ts';
import type { Caller, Entry } from './entries.ts';
import type { CounterExample } from './model.ts';

/** How a call has come to a place. */
export interface Way {
  readonly entry: Entry;
  readonly caller: Caller;
  readonly keys: readonly KeyPress[];
  readonly path: readonly string[];
  /** At most so long since the call arrived. */
  readonly laterMs: number;
  /** So long since the call arrived, when nobody answers and the caller presses each key at once. */
  readonly playedMs: number;
  /** `laterMs` when opening hours were last asked for, or of the arrival: what takes no time happens at one instant. */
  readonly readMs: number;
  readonly readPlayedMs: number;
  /** The same, of the first time since something opened or closed; null when they were not asked for. */
  readonly openedPlayedMs: number | null;
  /** How many keys had been pressed by then. Only keys after it can bring a call later to what comes behind it. */
  readonly readKeys: number;
  /** Instants at which something opened or closed on the way, one as good as the other, and `playedMs` by then. */
  readonly turn: { readonly at: readonly Instant[]; readonly playedMs: number } | null;
  /** At most so long since the caller's last key. */
  readonly waitedMs: number;
  /** Whether a human who is always there was rung on the way. */
  readonly isStaffed: boolean;
  /** Whether what the caller chose leads to a chain. */
  readonly isClinical: boolean;
  readonly answers: CounterExample['answers'];
  /** Extensions that were rung. */
  readonly rung: readonly string[];
  /** Outside numbers that were rung, one as often as it was. */
  readonly forwarded: readonly string[];
  /** Places since the last key. */
  readonly seen: readonly string[];
  readonly site: string;
  readonly urgency: Urgency | null;
}

/** A chain that a call comes to, and when. */
export interface ChainUse
  extends Pick<
    Way,
    | 'entry'
    | 'caller'
    | 'keys'
    | 'answers'
    | 'rung'
    | 'path'
    | 'laterMs'
    | 'playedMs'
    | 'forwarded'
    | 'readPlayedMs'
    | 'openedPlayedMs'
    | 'readKeys'
    | 'turn'
    | 'isStaffed'
  > {
  readonly service: ServiceId;
  readonly urgency: Urgency;
  readonly spans: readonly Span[];
}

/** Everything that a call has come through, and how each thing that happens to it changes that. */

export function later(way: Way, ms: number): Way {
  return { ...way, laterMs: way.laterMs + ms, playedMs: way.playedMs + ms, waitedMs: way.waitedMs + ms };
}

/** Of these, the instants that a call can come by which has come by an earlier one. */
export function turnsAfter({ turn, laterMs }: Way, at: readonly Instant[]): readonly Instant[] {
  if (turn === null) return at;
  return at.filter((one) => turn.at.some((before) => one > before && one - before <= laterMs));
}

/** Something opens or closes at this instant. Where no time has passed since it was looked at, the last key took some. */
export function turned(way: Way, at: readonly Instant[], readPlayedMs: number): Way {
  const read = way.playedMs > readPlayedMs ? way : slower(way, 1_000);
  const { playedMs } = read;
  return {
    ...read,
    readPlayedMs: playedMs,
    openedPlayedMs: playedMs,
    readKeys: way.keys.length,
    turn: { at, playedMs },
  };
}

/** When to dial for what is open in this span: it counts whenever it is asked for. May be an empty span. */
export function dialsIn({ from, to }: Span, read: Pick<Way, 'readPlayedMs' | 'openedPlayedMs'>): Span {
  return { from: plusMs(from, -(read.openedPlayedMs ?? 0)), to: plusMs(to, -read.readPlayedMs) };
}

/** Whether the last key was pressed after opening hours were last asked for. */
export function isKeyedSinceRead({ keys, readKeys }: Pick<Way, 'keys' | 'readKeys'>): boolean {
  return keys.slice(readKeys).some(({ key }) => key !== '');
}

/** As if the caller had taken so much longer over the last key. */
export function slower<W extends Pick<Way, 'keys' | 'playedMs'>>(way: W, ms: number): W {
  const last = way.keys.findLastIndex(({ key }) => key !== '');
  const keys = way.keys.map((press, i) => (i === last ? { ...press, afterMs: press.afterMs + ms } : press));
  return last < 0 ? way : { ...way, keys, playedMs: way.playedMs + ms };
}

export const silence: KeyPress = { key: '', afterMs: 0 };

export interface Asking {
  readonly noKeyMs: number;
  readonly tries: number;
}

export function silent(way: Way, { noKeyMs, tries }: Asking): Way {
  const keys = [...way.keys, ...Array.from({ length: tries }, () => silence)];
  return later({ ...way, keys }, noKeyMs * tries);
}

export function chosen(way: Way, key: string, isClinical: boolean, patience: number): Way {
  const laterMs = way.laterMs + patience;
  return {
    ...way,
    keys: [...way.keys, { key, afterMs: 0 }],
    isClinical,
    laterMs,
    waitedMs: 0,
    isStaffed: false,
    seen: [],
  };
}

export function atLatest({ spans, laterMs }: Pick<ChainUse, 'spans' | 'laterMs'>): readonly Span[] {
  return spans.map(({ from, to }) => ({ from, to: plusMs(to, laterMs) }));
}
