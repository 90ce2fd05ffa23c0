import { Temporal } from 'temporal-polyfill';
import type { Instant } from './instant.ts';
import { showWall, type Wall } from './wall.ts';

/**
 * Zone arithmetic; nothing else in Wardline does any. The rules of a zone are read from the zone library once per
 * block of about a year and kept as a short table of UTC offsets, so that a conversion is a subtraction.
 * The tables are a cache of pure facts: no answer depends on what was asked before.
 */
export interface Zone {
  readonly name: string;
  toWall(at: Instant): Wall;
  /**
   * Total: every wall time gets exactly one instant, and a later wall time never gets an earlier one.
   * - shown twice (clocks went back): the first occurrence;
   * - never shown (clocks went forward): the first instant after the gap.
   */
  toInstant(wall: Wall): Instant;
  /** "2026-11-23 08:00" */
  show(at: Instant): string;
}

export function isZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    // The library also takes fixed offsets ("+01:00"), which are no zones: they know no summer time.
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

const zones = new Map<string, Zone>();

/** Throws RangeError when there is no such zone; documents are checked with `isZone` before. */
export function zone(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  if (!isZone(name)) throw new RangeError(`no such time zone: ${name}`);
  const made = zoneFrom(name);
  // As many as there are names of zones, in any spelling that the library takes.
  if (zones.size < 2_000) zones.set(name, made);
  return made;
}

/** From `start` on, wall clocks are `offsetMs` ahead of UTC, until the next segment starts. */
interface Segment {
  readonly start: number;
  readonly offsetMs: number;
}

const BLOCK_MS = 2 ** 35;
/** Offsets are under 26 h, and a country that skips a day moves by 24 h. */
const REACH_MS = 51 * 3_600_000;
const MAX_BLOCKS = 512;

function zoneFrom(name: string): Zone {
  const blocks = new Map<number, readonly Segment[]>();
  let quiet = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };

  function nextTransition(afterMs: number): number {
    if (afterMs >= quiet.from && afterMs < quiet.to) return quiet.to;
    const here = Temporal.Instant.fromEpochMilliseconds(afterMs).toZonedDateTimeISO(name);
    const next = here.getTimeZoneTransition('next');
    quiet = { from: afterMs, to: next === null ? Number.POSITIVE_INFINITY : next.epochMilliseconds };
    return quiet.to;
  }

  function block(index: number): readonly Segment[] {
    const known = blocks.get(index);
    if (known) return known;
    const end = (index + 1) * BLOCK_MS;
    const segments: Segment[] = [];
    for (let start = index * BLOCK_MS; start < end; start = nextTransition(start)) {
      segments.push({ start, offsetMs: offsetByLibrary(name, start) });
    }
    if (blocks.size >= MAX_BLOCKS) blocks.clear();
    blocks.set(index, segments);
    return segments;
  }

  function offsetAt(ms: number): number {
    const segments = block(Math.floor(ms / BLOCK_MS));
    let i = segments.length - 1;
    while (i > 0 && segments[i]!.start > ms) i--;
    return segments[i]!.offsetMs;
  }

  function segmentsAround(ms: number): readonly Segment[] {
    const first = Math.floor((ms - REACH_MS) / BLOCK_MS);
    const last = Math.floor((ms + REACH_MS) / BLOCK_MS);
    return first === last ? block(first) : [...block(first), ...block(last)];
  }

  function toWall(at: Instant): Wall {
    return (at + offsetAt(at)) as Wall;
  }

  function toInstant(wall: Wall): Instant {
    const segments = segmentsAround(wall);
    for (let i = 0; i < segments.length; i++) {
      const { start, offsetMs } = segments[i]!;
      const at = wall - offsetMs;
      const next = segments[i + 1];
      if (next && at >= next.start) continue;
      // Before `start`, the segment before this one has already shown a later time: the wall time lies in the gap.
      return (i === 0 ? at : Math.max(at, start)) as Instant;
    }
    throw new RangeError('unreachable: the last segment has no end');
  }

  return { name, toWall, toInstant, show: (at) => showWall(toWall(at)) };
}

function offsetByLibrary(name: string, ms: number): number {
  const { offsetNanoseconds } = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(name);
  return offsetNanoseconds / 1_000_000;
}
