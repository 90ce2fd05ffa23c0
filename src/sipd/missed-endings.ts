/** The end of a dialog whose app was away. */
export interface MissedEnding {
  readonly tokens: string;
  readonly message: Buffer;
}

const maxKept = 10_000;

/** What apps missed while they were away, by their tag: told when they are back. */
export class MissedEndings {
  readonly #byTag = new Map<string, MissedEnding[]>();

  /** Without a tag nobody can come back for it. */
  keep(tag: string, ending: MissedEnding): void {
    if (tag === '') return;
    const list = this.#byTag.get(tag) ?? [];
    this.#byTag.set(tag, list);
    if (list.length < maxKept) list.push(ending);
  }

  take(tag: string): readonly MissedEnding[] {
    const missed = this.#byTag.get(tag) ?? [];
    this.#byTag.delete(tag);
    return missed;
  }
}
