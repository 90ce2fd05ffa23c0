/** Why documents are refused: where, what is wrong, what to do. The same shape for rosters and plans. */
export interface Problem {
  readonly document: 'roster' | 'plan';
  /** Dotted place in the words of the document: "services.cardiology.primary.0.rotation.1". */
  readonly path: string;
  /** Whether the name at `path` is at fault or what stands behind it. */
  readonly on: 'key' | 'value';
  readonly reason: string;
  readonly remedy: string;
  /** What the author probably meant: "cardiology". */
  readonly suggestion: string | null;
  /** Dotted place of the other thing where two are at odds. */
  readonly also?: string;
}

/** More of them tell nobody anything, and finding suggestions takes time. */
const MAX_PROBLEMS = 100;

/** Names that were looked through for what an author meant. */
const MAX_COMPARED = 200_000;

/** Collects the first problems of one document. */
export class Problems {
  readonly #document: Problem['document'];
  readonly #found: Problem[] = [];
  #compared = 0;

  constructor(document: Problem['document']) {
    this.#document = document;
  }

  add(
    path: string,
    reason: string,
    remedy: string,
    more: Partial<Pick<Problem, 'on' | 'suggestion' | 'also'>> = {},
  ): void {
    if (this.#found.length >= MAX_PROBLEMS) return;
    this.#found.push({ document: this.#document, path, on: 'value', reason, remedy, suggestion: null, ...more });
  }

  /** A name that nothing bears. `kind` is what it should name: "service". */
  unknown(path: string, kind: string, name: string, known: Iterable<string>): void {
    if (this.#found.length >= MAX_PROBLEMS) return;
    const names = [...known];
    this.#compared += names.length;
    const suggestion = this.#compared > MAX_COMPARED ? null : didYouMean(name, names);
    const shown = names.slice(0, 12).join(', ') + (names.length > 12 ? ', …' : '');
    const remedy = names.length > 0 ? `use one of: ${shown}` : `define the ${kind} first`;
    this.add(path, `unknown ${kind} "${name}"`, remedy, { suggestion });
  }

  found(): readonly Problem[] {
    return this.#found;
  }
}

/** The nearest of the known names, if it is near enough to be a slip of the finger. */
export function didYouMean(name: string, known: Iterable<string>): string | null {
  if (name.length > 64) return null;
  const reach = Math.max(1, Math.floor(name.length / 3));
  let best: { name: string; distance: number } | null = null;
  let looked = 0;
  for (const candidate of known) {
    // A big roster must not make a refusal slow.
    if (++looked > 20_000) break;
    if (Math.abs(candidate.length - name.length) > reach) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= reach && (best === null || distance < best.distance)) best = { name: candidate, distance };
  }
  return best?.name ?? null;
}

/** Optimal string alignment: insertions, deletions, substitutions and swapped neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, substitution);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
