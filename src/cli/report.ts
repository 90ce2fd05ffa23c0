/** What a command found out: text for a person, the same as data for `--json`. */
export interface Report {
  /** 0: done, or the answer is yes; 1: the answer is no, or it failed. */
  readonly exitCode: 0 | 1;
  readonly text: readonly string[];
  readonly json: unknown;
}

/** Foreseen trouble: what is wrong, why, and what to do. Printed as it is, without a stack. */
export class Refusal extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function done(text: readonly string[], json: unknown): Report {
  return { exitCode: 0, text, json };
}

export function no(text: readonly string[], json: unknown): Report {
  return { exitCode: 1, text, json };
}

/**
 * Columns as wide as their widest cell, two blanks apart. Where the screen ends, the last one goes on below itself, or
 * on lines of its own when there it would become a tower.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  screen = screenWidth(),
): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const hang = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const isTower = (widths.at(-1) ?? 0) > 2 * (screen - hang);
  return all.flatMap((row) => {
    const cells = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - cell.length));
    if (!isTower) return wrapped(cells.join('  ').trimEnd(), hang, screen);
    const last = row.at(-1) ?? '';
    const first = cells.slice(0, -1).join('  ').trimEnd();
    return last === '' ? [first] : [first, ...wrapped(`    ${last}`, 4, screen)];
  });
}

/** Breaks a line between words; what does not fit goes on below, `hang` blanks in. A word is never broken. */
export function wrapped(line: string, hang: number, screen = screenWidth()): readonly string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > screen) {
    const cut = placeToBreak(rest, hang, screen);
    if (cut < 0) break;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = `${' '.repeat(hang)}${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}

/** The last blank that fits, else the first one behind the margin; never between a number and its unit. */
function placeToBreak(line: string, hang: number, screen: number): number {
  const blanks = [...line.matchAll(/(?<=\S) (?!(s|min)\b)/g)].map(({ index }) => index).filter((at) => at > hang);
  return blanks.findLast((at) => at <= screen) ?? blanks[0] ?? -1;
}

/** No end when nobody looks: what goes into a file or to another program has one line for each thing. */
function screenWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
}
