/** A port for each new leg: even ones in turn, so that what still comes for a leg that has ended does not reach the next one. */
import { LegSocket } from './leg-socket.ts';
import type { WorkerSettings } from './messages.ts';

export class LegPorts {
  readonly #settings: Pick<WorkerSettings, 'bindAddress' | 'portsFrom' | 'portsTo'>;
  #next: number;

  constructor(settings: Pick<WorkerSettings, 'bindAddress' | 'portsFrom' | 'portsTo'>) {
    this.#settings = settings;
    this.#next = settings.portsFrom;
  }

  /** Rejects when none is free. */
  async bind(): Promise<LegSocket> {
    const { bindAddress, portsFrom, portsTo } = this.#settings;
    if (portsFrom === 0) return LegSocket.bind(bindAddress, 0);
    const first = portsFrom + (portsFrom % 2);
    for (let tries = 0; tries <= (portsTo - first) / 2; tries++) {
      const port = this.#next < first || this.#next > portsTo ? first : this.#next;
      this.#next = port + 2;
      try {
        return await LegSocket.bind(bindAddress, port);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
    throw new Error(`all even ports from ${portsFrom} to ${portsTo} are in use`);
  }
}
