/** What `prepare` hands to the supervisor: everything that has to run, checked, with its option files written. */
export interface LaunchPlan {
  readonly runFolder: string;
  readonly logFolder: string;
  readonly drainMs: number;
  /** In starting order; stopped in the reverse order, after the app. */
  readonly daemons: readonly DaemonPlan[];
  readonly app: { readonly script: string; readonly configFile: string };
}

export interface DaemonPlan {
  readonly name: 'sipd' | 'mediad';
  readonly script: string;
  /** 0600: holds the shared secret. */
  readonly optionsFile: string;
  /** Names version and options: a living daemon with another digest is not used again. */
  readonly digest: string;
}

/** The line a daemon prints when it serves: its real ports, by purpose. */
export type ReadyLine = { readonly ready: true } & Readonly<Record<string, unknown>>;

/** `<data>/run/<name>.json`, by which a later supervisor finds a daemon again. */
export interface DaemonRecord {
  readonly pid: number;
  readonly startedTicks: string;
  readonly digest: string;
  readonly ready: ReadyLine;
}

/** From the app to the supervisor. */
export type AppMessage =
  | { readonly type: 'ready'; readonly ports: Readonly<Record<string, number>>; readonly banner: readonly string[] }
  | { readonly type: 'cannotStart'; readonly problem: string };
