/** Why a document is refused, as an editor can jump to it. Lines and columns count from 1. */
export interface DocumentProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly reason: string;
  readonly remedy: string;
  readonly suggestion: string | null;
  /** A call that runs into it: in words, and the command that tells it. */
  readonly example?: { readonly says: string; readonly command: string };
}

/** `dialplans/lakeside.yaml:14:7: unknown service "cardiolgy"; did you mean "cardiology"? (use one of: …)` */
export function showProblem({ file, line, column, reason, remedy, suggestion, example }: DocumentProblem): string {
  const guess = suggestion === null ? '' : `; did you mean "${suggestion}"?`;
  const shown = example === undefined ? '' : `; for example ${example.says}; look: ${example.command}`;
  return `${file}:${line}:${column}: ${reason}${guess} (${remedy})${shown}`;
}
