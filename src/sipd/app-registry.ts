import { AppConnection } from './control/app-connection.ts';

/** Whoever made or accepted a dialog: a connection, or what is left of one that was there before us. */
export interface Owner {
  readonly isOpen: boolean;
  readonly tag: string;
}

/** Who wants what: apps take turns for each verb; requests of a dialog go to the app that owns it. */
export class AppRegistry {
  readonly #apps: ReadonlySet<AppConnection>;
  readonly #turns = new Map<string, number>();

  constructor(apps: ReadonlySet<AppConnection>) {
    this.#apps = apps;
  }

  /** The next app in turn that asked for the verb (lower case), or for that kind of call records. */
  next(verb: string): AppConnection | undefined {
    const wanting = [...this.#apps].filter((app) => app.isOpen && (app.verbs.has(verb) || app.recordKinds.has(verb)));
    if (wanting.length === 0) return undefined;
    const turn = (this.#turns.get(verb) ?? 0) % wanting.length;
    this.#turns.set(verb, turn + 1);
    return wanting[turn];
  }

  /** Whether any app is here at all. */
  get hasApps(): boolean {
    for (const app of this.#apps) if (app.isAttached) return true;
    return false;
  }

  /** The app that owns what `owner` owned: itself, or after its end another one with the same tags. */
  heirOf(owner: Owner): AppConnection | undefined {
    if (owner instanceof AppConnection && owner.isOpen) return owner;
    if (owner.tag === '') return undefined;
    for (const other of this.#apps) if (other.isAttached && other.tag === owner.tag) return other;
    return undefined;
  }
}
