/** Which moment a text means: seconds since 1970, or date and time as they are written. */
import type { CivilDate, CivilTime } from './grammar.ts';

export interface Moment {
  /** undefined: only the time was given. */
  readonly date: CivilDate | undefined;
  /** undefined: only the date was given. */
  readonly time: CivilTime | undefined;
}

const WRITTEN = /^(?:(\d{4})-(\d\d)-(\d\d))?(?:[T ]?(\d\d?):(\d\d)(?::\d\d)?)?$/;

/** A string is what is wrong with it. `zone`: IANA name; only for seconds, for what is written is meant as it stands. */
export function readMoment(text: string, zone: string | undefined): Moment | string {
  if (/^\d{1,11}$/.test(text)) return inZone(Number(text) * 1000, zone);
  const [, year, month, day, hour, minute] = WRITTEN.exec(text) ?? [];
  if (year === undefined && hour === undefined) return 'not a moment: give seconds since 1970, or YYYY-MM-DD HH:MM';
  const date = year === undefined ? undefined : civilDate(Number(year), Number(month), Number(day));
  if (date === null || Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59) return 'there is no such day or time';
  return { date, time: hour === undefined ? undefined : { hour: Number(hour), minute: Number(minute) } };
}

function inZone(ms: number, zone: string | undefined): Moment | string {
  let parts: Map<string, number>;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  } catch {
    return `${zone} is not a time zone`;
  }
  const of = (name: string) => parts.get(name) ?? 0;
  const date = civilDate(of('year'), of('month'), of('day')) ?? undefined;
  return { date, time: { hour: of('hour'), minute: of('minute') } };
}

/** null: there is no such day. */
function civilDate(year: number, month: number, day: number): CivilDate | null {
  const noon = new Date(Date.UTC(year, month - 1, day, 12));
  if (noon.getUTCMonth() !== month - 1 || noon.getUTCDate() !== day) return null;
  return { year, month, day, weekday: noon.getUTCDay() };
}
