/** A line without what a terminal would obey: whoever calls from outside may have put it there. */
export function printable(line: string): string {
  return line.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
}
