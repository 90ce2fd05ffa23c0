import { DateTime } from 'luxon';
import { instant, type Instant, type Wall, zone } from '../core/time/index.ts';
import { Refusal } from './report.ts';

/**
 * `--at`: any date and time of ISO 8601, with an offset or Z as it is, else as the clock on the site's wall shows it; now
 * when it is not given. `assume` is told how a time was read that the wall clock shows twice, or never.
 */
export function instantFrom(
  text: string | undefined,
  zoneName: string,
  assume: (words: string) => void = note,
  option = '--at',
): Instant {
  if (text === undefined) return instant(Date.now());
  const parse = (words: string, options: { zone: string; setZone?: boolean }) => read(words, options, option);
  const written = parse(text, { zone: zoneName, setZone: true });
  const hasOwnOffset = written.zoneName !== zoneName;
  if (hasOwnOffset) return instant(written.toMillis());

  // Read without any zone it is what stands on the wall; then the rule of the rosters: the first of two, the end of a gap.
  const onTheWall = parse(text, { zone: 'utc' }).toMillis() as Wall;
  const at = zone(zoneName).toInstant(onTheWall);
  if (zone(zoneName).toWall(at) !== onTheWall) {
    assume(`${option} ${text}: clocks in ${zoneName} jump over that time; ${showTime(at, zoneName)} is meant`);
  } else if (isShownTwice(at, zoneName)) {
    assume(
      `${option} ${text}: clocks in ${zoneName} show that time twice; the first, ${showTime(at, zoneName)}, is meant`,
    );
  }
  return at;
}

/** "2026-11-23 08:00"; with the name of the zone's time where the clock on the wall shows it twice: "2026-11-01 01:30 CST". */
export function showTime(at: Instant, zoneName: string): string {
  const words = isShownTwice(at, zoneName) ? 'yyyy-MM-dd HH:mm ZZZZ' : 'yyyy-MM-dd HH:mm';
  return there(at, zoneName).toFormat(words);
}

function isShownTwice(at: Instant, zoneName: string): boolean {
  return there(at, zoneName).getPossibleOffsets().length > 1;
}

function there(at: Instant, zoneName: string): DateTime {
  return DateTime.fromMillis(at, { zone: zoneName, locale: 'en-US' });
}

function read(text: string, options: { zone: string; setZone?: boolean }, option: string): DateTime {
  // Not a time alone: of which day?
  const isDated = /^\d{4}/.test(text) && text.length <= 40;
  const read = [DateTime.fromISO(text, options), DateTime.fromSQL(text, options)].find(({ isValid }) => isValid);
  if (isDated && read !== undefined) return read;
  throw new Refusal(
    `${option} ${text}: must read like 2026-11-23T08:00 (time at the site) or 2026-11-23T08:00:00-06:00`,
    2,
  );
}

export function note(words: string): void {
  process.stderr.write(`wardline: ${words}\n`);
}
