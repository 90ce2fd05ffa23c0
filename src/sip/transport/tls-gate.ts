import { isIP, type Socket } from 'node:net';
import { connect, createServer, getCACertificates, type Server, type TlsOptions, type TLSSocket } from 'node:tls';

/** Who we are to peers on TLS, and whom we believe. PEM texts. */
export interface TlsCredentials {
  /** Our certificate, and those between it and the root. */
  readonly certificate: string;
  readonly key: string;
  /** Authorities beside those of the system. */
  readonly authorities?: string | undefined;
  /** Whether whoever connects must show a certificate that we believe. */
  readonly clientCertificates: 'ignored' | 'required';
}

// RFC 7525 4.2 as it stands with TLS 1.3 beside it: forward secrecy and authenticated encryption, nothing else.
const ciphers = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

const strict = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ciphers, honorCipherOrder: true } as const;

/** TLS over sockets that others accept and dial. New credentials count from the next connection on. */
export class TlsGate {
  readonly #server: Server;
  /** Who waits for the end of which handshake. */
  readonly #waiting = new Map<string, (secured: TLSSocket) => void>();
  #credentials: TlsCredentials;

  /** Throws Error if key and certificate do not fit each other, or are not PEM. */
  constructor(credentials: TlsCredentials) {
    this.#credentials = credentials;
    const isRequired = credentials.clientCertificates === 'required';
    const who = { requestCert: isRequired, rejectUnauthorized: isRequired };
    this.#server = usable(() => createServer({ ...contextOf(credentials), ...who }));
    this.#server.on('secureConnection', (secured) => {
      const onSecured = this.#waiting.get(endsOf(secured));
      this.#waiting.delete(endsOf(secured));
      if (onSecured === undefined) secured.destroy();
      else onSecured(secured);
    });
    // A handshake that fails ends its connection, and that is all there is to do.
    this.#server.on('tlsClientError', (_error, secured) => secured.destroy());
  }

  /** As the constructor. Whether client certificates are asked for stays as it was. */
  renew(credentials: TlsCredentials): void {
    usable(() => this.#server.setSecureContext(contextOf(credentials)));
    this.#credentials = { ...credentials, clientCertificates: this.#credentials.clientCertificates };
  }

  /** Speaks the server's part on an accepted socket, which closes if the peer does not speak its own. */
  accept(socket: Socket, onSecured: (secured: TLSSocket) => void): void {
    const ends = endsOf(socket);
    this.#waiting.set(ends, onSecured);
    socket.once('close', () => this.#waiting.delete(ends));
    this.#server.emit('connection', socket);
  }

  /** Speaks the client's part on a socket that we dial: `name` must be in the peer's certificate. */
  dial(socket: Socket, name: string): TLSSocket {
    const { authorities, certificate, key } = this.#credentials;
    return connect({
      ...strict,
      socket,
      cert: certificate,
      key,
      ca: believed(authorities),
      // A name is also asked for in the handshake; an address must not be (RFC 6066 3).
      ...(isIP(name) === 0 ? { servername: name } : {}),
      host: name,
    });
  }
}

function contextOf({ certificate, key, authorities }: TlsCredentials): TlsOptions {
  return { ...strict, cert: certificate, key, ca: authorities };
}

// OpenSSL's own words leave open what they are about.
function usable<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new Error(`certificate and key cannot be used: ${(cause as Error).message}`, { cause });
  }
}

/** Undefined means those that come with Node. */
function believed(authorities: string | undefined): string[] | undefined {
  return authorities === undefined ? undefined : [...getCACertificates('default'), authorities];
}

/** What a connection and the TLS over it have in common. */
function endsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
