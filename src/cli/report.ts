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

/** Columns as wide as their widest cell, two blanks apart; the last one goes on below itself where the screen ends. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  screen = screenWidth(),
): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.flatMap((row) => {
    const line = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - cell.length)).join('  ');
    const hang = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
    return wrapped(line.trimEnd(), hang, screen);
  });
}

/** Breaks a line between words; what does not fit goes on below, `hang` blanks in. A word is never broken. */
export function wrapped(line: string, hang: number, screen = screenWidth()): readonly string[] {
  // Where hardly anything would fit beside the margin, the terminal's own break is easier to read.
  if (line.length <= screen || screen - hang < MIN_WRAP) return [line];
  const lines: string[] = [];
  let rest = line;
  while (rest.length > screen) {
    const fits = rest.lastIndexOf(' ', screen);
    const cut = fits > hang ? fits : rest.indexOf(' ', screen);
    if (cut < 0) break;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = `${' '.repeat(hang)}${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}

const MIN_WRAP = 16;

/** No end when nobody looks: what goes into a file or to another program has one line for each thing. */
function screenWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
}
