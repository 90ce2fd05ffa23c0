/** drachtio-fsmrf 5.0.1 ships no typings; this is the part of it that we use. */
declare module 'drachtio-fsmrf' {
  import type { EventEmitter } from 'node:events';

  class Mrf {
    constructor(srf: unknown, options?: { customEvents?: string[] });
    connect(options: Mrf.ConnectOptions): Promise<Mrf.MediaServer>;
  }

  namespace Mrf {
    interface ConnectOptions {
      address: string;
      port: number;
      secret: string;
      listenAddress: string;
      listenPort: number;
      profile: string;
      /** What the server dials instead of `listenAddress`. */
      advertisedAddress: string | undefined;
    }

    interface MediaServer extends EventEmitter {
      /** The connection that the server is asked by. */
      readonly conn: EventEmitter & { subscribe(events: readonly string[]): void };
      disconnect(): void;
      /** Resolves with the body; never, when the server does not answer. */
      api(command: string): Promise<string>;
      createEndpoint(options: { remoteSdp?: string; headers?: Record<string, string> }): Promise<Endpoint>;
    }

    /** ESL event; headers are strings, absent ones undefined. */
    interface EslEvent {
      getHeader(name: string): string | undefined;
    }

    interface Endpoint extends EventEmitter {
      readonly uuid: string;
      /** The event socket of this endpoint alone; null once it has ended. */
      readonly conn: EventEmitter | null;
      /** false once the media server has ended it. */
      readonly connected: boolean;
      readonly local: { readonly sdp: string };
      /** Dialog of drachtio-srf with the media server. */
      readonly dialog: unknown;
      api(command: string, args: readonly string[]): Promise<EslEvent>;
      execute(application: string, argument: string): Promise<EslEvent>;
      play(file: string): Promise<unknown>;
      playCollect(options: {
        file: string;
        min: number;
        max: number;
        tries: number;
        timeout: number;
        terminators: string;
        varName: string;
        regexp: string;
        digitTimeout: number;
      }): Promise<{ digits?: string; invalidDigits?: string; terminatorUsed?: string }>;
      bridge(other: Endpoint): Promise<void>;
    }
  }

  export = Mrf;
}
