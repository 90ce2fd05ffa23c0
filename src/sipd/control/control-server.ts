import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { HostPort, Logger } from '../../sip/index.ts';
import { AppConnection } from './app-connection.ts';

const loginWithinMs = 5_000;

/** One message of an app, its meta line taken apart. */
export interface AppCommand {
  /** The app's own id of the message; answers name it. */
  readonly id: string;
  readonly name: string;
  /** The tokens after the name. */
  readonly tokens: readonly string[];
  /** The SIP text after the meta line. */
  readonly message: Buffer | undefined;
}

export interface ControlServerOptions {
  readonly listen: HostPort;
  readonly secret: string;
  readonly maxConnections: number;
  readonly logger: Logger;
  readonly uuid: () => string;
  /** The tokens after OK that answer a login. */
  readonly greeting: () => string;
  /** Every command but authenticate, of apps that have logged in. */
  readonly onCommand: (app: AppConnection, command: AppCommand) => void;
  readonly onGone: (app: AppConnection) => void;
  /** The set to keep the open connections in. */
  readonly connections: Set<AppConnection>;
}

/** The port of the control protocol: connections, login, framing. */
export class ControlServer {
  readonly connections: Set<AppConnection>;
  readonly #options: ControlServerOptions;
  readonly #secretHash: Buffer;
  #server!: Server;

  private constructor(options: ControlServerOptions) {
    this.#options = options;
    this.connections = options.connections;
    this.#secretHash = sha256(options.secret);
  }

  /** Rejects with a sentence that names the address, the reason and the remedy. */
  static open(options: ControlServerOptions): Promise<ControlServer> {
    const control = new ControlServer(options);
    return new Promise((resolve, reject) => {
      control.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => control.#accept(socket));
      control.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const { host, port } = options.listen;
        const remedy =
          cause.code === 'EADDRINUSE'
            ? 'the port is in use. Is another sipd running? Stop it or set control.port to another port.'
            : cause.message;
        reject(new Error(`cannot listen for apps on tcp/${host}:${port}: ${remedy}`, { cause }));
      });
      control.#server.listen(options.listen.port, options.listen.host, () => {
        control.#server.removeAllListeners('error');
        // EMFILE while accepting: that app tries again.
        control.#server.on('error', (error) => options.logger.warn({ error: error.message }, 'app not accepted'));
        resolve(control);
      });
    });
  }

  get address(): HostPort {
    const { address, port } = this.#server.address() as { address: string; port: number };
    return { host: address, port };
  }

  close(): void {
    this.#server.close();
    for (const connection of this.connections) connection.close();
  }

  #accept(socket: Socket): void {
    if (this.connections.size >= this.#options.maxConnections) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const connection = new AppConnection(socket, this.#options.uuid, {
      onPayload: (app, payload) => this.#received(app, payload),
      onClosed: (app) => this.#closed(app, patience),
    });
    const patience = setTimeout(() => {
      if (!connection.isAuthenticated) connection.close();
    }, loginWithinMs);
    patience.unref();
    this.connections.add(connection);
  }

  #closed(app: AppConnection, patience: NodeJS.Timeout): void {
    clearTimeout(patience);
    this.connections.delete(app);
    if (app.isAuthenticated) this.#options.onGone(app);
  }

  #received(app: AppConnection, payload: Buffer): void {
    const command = parseCommand(payload);
    if (!app.isAuthenticated || command.name === 'authenticate') return this.#login(app, command);
    try {
      this.#options.onCommand(app, command);
    } catch (error) {
      // Our own mistake: that message fails, the calls of the app go on.
      this.#options.logger.error({ error: (error as Error).stack, command: command.name }, 'command not handled');
      app.reply(command.id, 'NOK|internal error');
    }
  }

  #login(app: AppConnection, command: AppCommand): void {
    const [secret = '', tags = ''] = command.tokens;
    if (command.name !== 'authenticate' || app.isAuthenticated || !this.#isSecret(secret)) {
      this.#options.logger.warn({ reason: command.name === 'authenticate' ? 'secret' : 'order' }, 'app refused');
      const why = command.name === 'authenticate' ? 'incorrect secret' : 'authenticate first';
      app.reply(command.id, `NO|${why}`);
      return app.close();
    }
    app.isAuthenticated = true;
    app.tag = tags
      .split(',')
      .filter((tag) => /^[\w\-+@:]{1,32}$/.test(tag))
      .slice(0, 20)
      .toSorted()
      .join(',');
    this.#options.logger.info({ tag: app.tag }, 'app attached');
    app.reply(command.id, `OK|${this.#options.greeting()}`);
  }

  // Hashed, so that the comparison takes the same time whatever the lengths.
  #isSecret(given: string): boolean {
    return timingSafeEqual(sha256(given), this.#secretHash);
  }
}

function parseCommand(payload: Buffer): AppCommand {
  const end = payload.indexOf(13);
  const meta = payload.toString('utf8', 0, end < 0 ? payload.length : end);
  const [id = '', name = '', ...tokens] = meta.split('|');
  return { id, name, tokens, message: end < 0 ? undefined : payload.subarray(end + 2) };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
