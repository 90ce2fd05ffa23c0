/**
 * The DTLS side of one leg, RFC 5763 and RFC 5764: it agrees on the keys of SRTP with whoever shows the certificate that the
 * description named. Datagrams come in and go out as arguments; the sockets are the media thread's.
 *
 *   agreeing --right certificate--> agreed        the keys are told
 *   agreeing --anything else------> failed        the reason is told, and nothing is answered any more
 */
import type { SrtpKeys } from '../media/messages.ts';
import { SUITES, type SuiteName } from '../srtp/suites.ts';
import { type Fingerprint, isOneOf } from './fingerprint.ts';
import { type DtlsIdentity, ourIdentity } from './identity.ts';
import { DtlsUnavailable, type Handle, openSsl, type OpenSsl, whatWentWrong } from './openssl.ts';
import { groupRecords } from './records.ts';

/** The client sends the first message: it is the side that says `active` (RFC 5763 5). */
export type DtlsRole = 'client' | 'server';

export interface HandshakeEvents {
  send(datagram: Buffer): void;
  agreed(keys: SrtpKeys): void;
  /** Told once. */
  failed(reason: string): void;
}

/** Ours first (RFC 5764 4.1.2): GCM costs half as much. */
const PROFILES: Readonly<Record<string, SuiteName>> = {
  SRTP_AEAD_AES_128_GCM: 'AEAD_AES_128_GCM',
  SRTP_AES128_CM_SHA1_80: 'AES_CM_128_HMAC_SHA1_80',
};
const CIPHERS = 'ECDHE+AESGCM:ECDHE+CHACHA20';
/** All browsers know these. Curves that OpenSSL is slow at would let a stranger's one packet cost twenty times as much. */
const GROUPS = Buffer.from('X25519:P-256\0');
const EXPORTER = 'EXTRACTOR-dtls_srtp';
/** What fits into a packet of every network. */
const MTU = 1200;
const LARGEST_BYTES = 4096;
const SOONEST_MS = 10;

/** Of OpenSSL's headers. */
const CONTROL = {
  mode: 33,
  mtu: 17,
  sessionCache: 44,
  timeout: 73,
  timedOut: 74,
  minProtocol: 123,
  groups: 92,
  pending: 10,
};
const RELEASE_BUFFERS = 0x10;
const DTLS_1_2 = 0xfefd;
const PEER_MUST_SHOW = 3;
const OPTIONS = { noQueryMtu: 0x1000, noTicket: 0x4000, noRenegotiation: 0x4000_0000 };
const KEY_IS_EC = 408;
const WANTS = { read: 2, write: 3 };

export class Handshake {
  readonly #ssl: OpenSsl;
  readonly #events: HandshakeEvents;
  readonly #role: DtlsRole;
  readonly #fingerprints: readonly Fingerprint[];
  readonly #output: Handle;
  readonly #input: Handle;
  readonly #session: Handle;
  #state: 'agreeing' | 'agreed' | 'failed' = 'agreeing';
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Throws DtlsUnavailable. Nothing is sent before `start`. */
  constructor(role: DtlsRole, fingerprints: readonly Fingerprint[], events: HandshakeEvents, us = ourIdentity()) {
    this.#ssl = openSsl();
    this.#role = role;
    this.#fingerprints = fingerprints;
    this.#events = events;
    const ssl = this.#ssl;
    const session = needed(ssl, ssl.SSL_new(contextOf(ssl, us)));
    this.#session = session;
    this.#input = needed(ssl, ssl.BIO_new(ssl.BIO_s_mem()));
    this.#output = needed(ssl, ssl.BIO_new(ssl.BIO_s_mem()));
    // They are freed with it.
    ssl.SSL_set_bio(session, this.#input, this.#output);
    ssl.SSL_ctrl(session, CONTROL.mtu, MTU, null);
    if (role === 'client') ssl.SSL_set_connect_state(session);
    else ssl.SSL_set_accept_state(session);
  }

  /** A client says hello; a server waits for it. */
  start(): void {
    if (!this.#isClosed && this.#state === 'agreeing') this.#proceed();
  }

  receive(datagram: Buffer): void {
    if (this.#isClosed || this.#state === 'failed' || datagram.length > LARGEST_BYTES) return;
    this.#ssl.BIO_write(this.#input, datagram, datagram.length);
    this.#proceed();
  }

  /** May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#ssl.SSL_free(this.#session);
  }

  #proceed(): void {
    const ssl = this.#ssl;
    if (this.#state === 'agreed') {
      // Nothing is ever said here; reading answers the other side's repetitions, which lacks our last message.
      const nothing = Buffer.alloc(LARGEST_BYTES);
      while (ssl.SSL_read(this.#session, nothing, nothing.length) > 0);
      ssl.ERR_clear_error();
      return this.#flush();
    }
    const result = ssl.SSL_do_handshake(this.#session);
    const wants = result === 1 ? undefined : ssl.SSL_get_error(this.#session, result);
    const outcome = result === 1 ? this.#outcome() : undefined;
    const isWaiting = wants === WANTS.read || wants === WANTS.write;
    const fault = outcome === undefined && !isWaiting ? `no DTLS: ${whatWentWrong(ssl)}` : undefined;
    ssl.ERR_clear_error();
    this.#flush();
    if (fault !== undefined) return this.#fail(fault);
    if (outcome === undefined) return this.#minding();
    clearTimeout(this.#timer);
    if (typeof outcome === 'string') return this.#fail(outcome);
    this.#state = 'agreed';
    this.#events.agreed(outcome);
  }

  /** A string is why there are no keys. */
  #outcome(): SrtpKeys | string {
    const ssl = this.#ssl;
    if (!isOneOf(this.#fingerprints, this.#theirCertificate()))
      return 'the certificate is not the one that a=fingerprint names: somebody else answers there';
    const profile = ssl.SSL_get_selected_srtp_profile(this.#session);
    const suite = profile === null ? undefined : PROFILES[ssl.profileName(profile)];
    if (suite === undefined) return `no protection profile in common: ${Object.keys(PROFILES).join(', ')}`;
    return this.#keys(suite);
  }

  #theirCertificate(): Buffer {
    const ssl = this.#ssl;
    const certificate = ssl.SSL_get1_peer_certificate(this.#session);
    if (certificate === null) return Buffer.alloc(0);
    const bio = needed(ssl, ssl.BIO_new(ssl.BIO_s_mem()));
    const written = ssl.i2d_X509_bio(bio, certificate);
    const der = Buffer.alloc(written === 1 ? ssl.BIO_ctrl(bio, CONTROL.pending, 0, null) : 0);
    if (der.length > 0) ssl.BIO_read(bio, der, der.length);
    ssl.BIO_free(bio);
    ssl.X509_free(certificate);
    return der;
  }

  /** RFC 5764 4.2. */
  #keys(suite: SuiteName): SrtpKeys | string {
    const { keyBytes, saltBytes } = SUITES[suite];
    const all = Buffer.alloc(2 * (keyBytes + saltBytes));
    const given = this.#ssl.SSL_export_keying_material(
      this.#session,
      all,
      all.length,
      EXPORTER,
      EXPORTER.length,
      null,
      0,
      0,
    );
    if (given !== 1) return `no keys: ${whatWentWrong(this.#ssl)}`;
    const cut = (from: number, bytes: number): Buffer => Buffer.from(all.subarray(from, from + bytes));
    const client = { suite, key: cut(0, keyBytes), salt: cut(2 * keyBytes, saltBytes) };
    const server = { suite, key: cut(keyBytes, keyBytes), salt: cut(2 * keyBytes + saltBytes, saltBytes) };
    all.fill(0);
    return this.#role === 'client' ? { ours: client, theirs: server } : { ours: server, theirs: client };
  }

  #flush(): void {
    const pending = this.#ssl.BIO_ctrl(this.#output, CONTROL.pending, 0, null);
    if (pending <= 0) return;
    const bytes = Buffer.alloc(pending);
    const read = this.#ssl.BIO_read(this.#output, bytes, bytes.length);
    for (const datagram of groupRecords(bytes.subarray(0, Math.max(0, read)), MTU)) this.#events.send(datagram);
  }

  /** Until all is agreed, what is not answered is sent again (RFC 6347 4.2.4). */
  #minding(): void {
    clearTimeout(this.#timer);
    const time = Buffer.alloc(16);
    if (this.#ssl.SSL_ctrl(this.#session, CONTROL.timeout, 0, time) !== 1) return;
    const waitMs = Number(time.readBigInt64LE(0)) * 1000 + Number(time.readBigInt64LE(8)) / 1000;
    this.#timer = setTimeout(() => this.#timedOut(), Math.max(SOONEST_MS, Math.ceil(waitMs)));
    this.#timer.unref();
  }

  #timedOut(): void {
    if (this.#isClosed || this.#state !== 'agreeing') return;
    const isFailed = this.#ssl.SSL_ctrl(this.#session, CONTROL.timedOut, 0, null) < 0;
    const reason = isFailed ? whatWentWrong(this.#ssl) : '';
    this.#ssl.ERR_clear_error();
    this.#flush();
    if (isFailed) this.#fail(`no DTLS: ${reason}`);
    else this.#minding();
  }

  #fail(reason: string): void {
    clearTimeout(this.#timer);
    this.#state = 'failed';
    this.#events.failed(reason);
  }
}

const contexts = new WeakMap<DtlsIdentity, Handle>();

/** One for all sessions of an identity: there is one for as long as the process runs. */
function contextOf(ssl: OpenSsl, us: DtlsIdentity): Handle {
  const known = contexts.get(us);
  if (known !== undefined) return known;
  const context = needed(ssl, ssl.SSL_CTX_new(ssl.DTLS_method()));
  ssl.SSL_CTX_ctrl(context, CONTROL.mode, RELEASE_BUFFERS, null);
  ssl.SSL_CTX_ctrl(context, CONTROL.sessionCache, 0, null);
  ssl.SSL_CTX_set_options(context, OPTIONS.noQueryMtu + OPTIONS.noTicket + OPTIONS.noRenegotiation);
  ssl.SSL_CTX_set_verify(context, PEER_MUST_SHOW, ssl.anyCertificate);
  const { certificate, key } = us;
  const isReady =
    ssl.SSL_CTX_ctrl(context, CONTROL.minProtocol, DTLS_1_2, null) === 1 &&
    ssl.SSL_CTX_set_cipher_list(context, CIPHERS) === 1 &&
    ssl.SSL_CTX_ctrl(context, CONTROL.groups, 0, GROUPS) === 1 &&
    ssl.SSL_CTX_set_tlsext_use_srtp(context, Object.keys(PROFILES).join(':')) === 0 &&
    ssl.SSL_CTX_use_certificate_ASN1(context, certificate.length, certificate) === 1 &&
    ssl.SSL_CTX_use_PrivateKey_ASN1(KEY_IS_EC, context, key, key.length) === 1;
  if (!isReady) throw new DtlsUnavailable(`DTLS cannot be set up: ${whatWentWrong(ssl)}`);
  contexts.set(us, context);
  return context;
}

function needed(ssl: OpenSsl, handle: Handle | null): Handle {
  if (handle === null) throw new DtlsUnavailable(`DTLS cannot be set up: ${whatWentWrong(ssl)}`);
  return handle;
}
