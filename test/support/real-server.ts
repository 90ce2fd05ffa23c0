/** A real server that the stories run on: a program that each house starts for itself, or one that runs already. */
export type RealServer =
  | { readonly kind: 'program'; readonly path: string }
  | { readonly kind: 'running'; readonly host: string; readonly port: number; readonly secret: string };

/** As `npm run test:real` tells it: a path, or host:port with the secret in a second variable. undefined: ours. */
export function realServer(variable: string): RealServer | undefined {
  const told = process.env[variable];
  if (told === undefined) return undefined;
  const [, host, port] = /^([^/:]+):(\d{1,5})$/.exec(told) ?? [];
  if (host === undefined) return { kind: 'program', path: told };
  return { kind: 'running', host, port: Number(port), secret: process.env[`${variable}_SECRET`] ?? '' };
}

/** An entry of `signalling.servers` or `media.servers`. */
export interface Told {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** Of a media server: where it records in the clear. */
  readonly plain?: string;
  /** Of a media server: where it finds the app; 0: anywhere. */
  readonly listenPort?: number;
}

/** One that somebody else has started: it is used, and neither ended nor started. */
export class RunningServer {
  readonly told: Told;

  constructor(told: Told) {
    this.told = told;
  }

  freeze(): void {
    throw this.#notOurs();
  }

  kill(): Promise<void> {
    return Promise.reject(this.#notOurs());
  }

  restart(): Promise<void> {
    return Promise.reject(this.#notOurs());
  }

  #notOurs(): Error {
    return new Error(`${this.told.name} was not started here: leave the story out by notOnRunning`);
  }
}
