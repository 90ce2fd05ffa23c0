import { createServer, type Server, type ServerResponse } from 'node:http';

interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Text for Prometheus on loopback, at any path. */
export class MetricsServer {
  readonly #server: Server;

  private constructor(text: () => string | Promise<string>) {
    this.#server = createServer((request, response) => {
      request.resume();
      void answer(response, text);
    });
  }

  /** Rejects with a sentence that names the address, the reason and the remedy. */
  static open(at: HostPort, text: () => string | Promise<string>): Promise<MetricsServer> {
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

async function answer(response: ServerResponse, text: () => string | Promise<string>): Promise<void> {
  try {
    const page = await text();
    response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(page);
  } catch {
    // Who asks again in a minute is told then.
    response.writeHead(503).end();
  }
}
