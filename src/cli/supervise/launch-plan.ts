import type { BannerFacts } from '../app/banner.ts';

/** What `prepare` hands to the supervisor: everything that has to run, checked, with its option files written. */
export interface LaunchPlan {
  readonly runFolder: string;
  readonly logFolder: string;
  readonly drainMs: number;
  /** The banner for programs. */
  readonly isJson: boolean;
  /** The banner shows those of the example phones. */
  readonly tellsPasswords: boolean;
  /** Started together, before the app; stopped after it. */
  readonly daemons: readonly DaemonPlan[];
  readonly app: { readonly script: string; readonly configFile: string };
}

export interface DaemonPlan {
  readonly name: 'sipd' | 'mediad';
  readonly script: string;
  /** Written by the supervisor before each start, 0600: holds the shared secret. */
  readonly optionsFile: string;
  readonly options: object;
  /** Ports that were 0: once the daemon has got them, a restarted one gets the same, or nobody would find it again. */
  readonly pins: readonly Pin[];
  /** How it is asked whether it does anything: where (in its ready line), and what is said there. null: it is not. */
  readonly watch: { readonly ready: string; readonly hello: string; readonly question: string } | null;
  /** What the daemon calls something, and what the admin knows it by. */
  readonly spoken: readonly (readonly [string, string])[];
  /** Names version and options: a living daemon with another digest is not used again. */
  readonly digest: string;
}

/** Where a port stands in the options, and where in the line that the daemon prints when it is ready. */
export interface Pin {
  readonly option: readonly (string | number)[];
  readonly ready: readonly (string | number)[];
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

/** Where the house can be reached, for `ready.json`: "udp/127.0.0.1:5060" per transport, "127.0.0.1:8080". */
export interface Serves {
  readonly sip: readonly string[];
  readonly admin: string;
}

/** From the app to the supervisor. */
export type AppMessage =
  | { readonly type: 'ready'; readonly serves: Serves; readonly banner: BannerFacts }
  | { readonly type: 'cannotStart'; readonly problem: string }
  /** The answer to `areYouThere`. */
  | { readonly type: 'here' };

/** From the supervisor to the app. */
export interface SupervisorMessage {
  readonly type: 'areYouThere';
}
