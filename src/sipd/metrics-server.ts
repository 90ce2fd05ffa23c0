import { createServer, type Server } from 'node:http';
import type { HostPort } from '../sip/index.ts';

/** Text for Prometheus on loopback, at any path. */
export class MetricsServer {
  readonly #server: Server;

  private constructor(text: () => string) {
    this.#server = createServer((request, response) => {
      request.resume();
      response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(text());
    });
  }

  /** Rejects with a sentence that names the address, the reason and the remedy. */
  static open(at: HostPort, text: () => string): Promise<MetricsServer> {
    const metrics = new MetricsServer(text);
    return new Promise((resolve, reject) => {
      metrics.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const remedy = cause.code === 'EADDRINUSE' ? 'the port is in use: choose another.' : cause.message;
        reject(new Error(`cannot show metrics on tcp/${at.host}:${at.port}: ${remedy}`, { cause }));
      });
      metrics.#server.listen(at.port, at.host, () => resolve(metrics));
    });
  }

  get address(): HostPort {
    const { address, port } = this.#server.address() as { address: string; port: number };
    return { host: address, port };
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
