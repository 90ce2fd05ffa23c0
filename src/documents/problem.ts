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

/** Something that a fault can be told about by its place. */
export interface Placeable {
  readonly path: string;
  /** "cardiology, made by the template department", for what stands in no file as it is. */
  readonly madeFor?: string;
  place(path: readonly string[], on: 'key' | 'value'): { readonly line: number; readonly column: number };
}

/** A fault at its place in a file. */
export function problemAt(
  file: Placeable,
  path: readonly string[],
  on: 'key' | 'value',
  { reason, remedy, suggestion }: Pick<DocumentProblem, 'reason' | 'remedy' | 'suggestion'>,
): DocumentProblem {
  const whose = file.madeFor === undefined ? '' : ` (in ${file.madeFor})`;
  return { file: file.path, ...file.place(path, on), reason: readable(`${reason}${whose}`), remedy, suggestion };
}

const MAX_REASON = 500;

/** What is quoted of a file may be long, and may hold what a terminal would obey; what is said of it stands at an end. */
export function readable(reason: string): string {
  const clean = reason.replaceAll(/\p{Cc}/gu, '\u{fffd}');
  const half = MAX_REASON / 2;
  return clean.length > MAX_REASON ? `${clean.slice(0, half)}…${clean.slice(-half)}` : clean;
}

/** `dialplans/lakeside.yaml:14:7: unknown service "cardiolgy"; did you mean "cardiology"? (use one of: …)` */
export function showProblem({ file, line, column, reason, remedy, suggestion, example }: DocumentProblem): string {
  const guess = suggestion === null ? '' : `; did you mean "${suggestion}"?`;
  const shown = example === undefined ? '' : `; for example ${example.says}; look: ${example.command}`;
  return `${file}:${line}:${column}: ${reason}${guess} (${remedy})${shown}`;
}
