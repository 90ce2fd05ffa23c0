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

/** Columns as wide as their widest cell, two blanks apart; the last one is not padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - cell.length))
      .join('  ')
      .trimEnd(),
  );
}
