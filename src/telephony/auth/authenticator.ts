import { timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '../../engine/ports.ts';
import type { Credentials, DigestSecrets, LoginWatch } from '../ports.ts';
import { Backoff } from './backoff.ts';
import { type DigestAlgorithm, type DigestAnswer, digestHash, digestResponse, parseDigestAnswers } from './digest.ts';
import { Nonces } from './nonces.ts';

export interface AuthRequest {
  readonly method: string;
  /** `Authorization` or `Proxy-Authorization` as received, '' without one. */
  readonly authorization: string;
  readonly sourceIp: string;
  /** '' without one. */
  readonly userAgent: string;
}

export type AuthResult =
  | { readonly kind: 'known'; readonly extension: string }
  /** Challenge values, one header line each, in order of preference. */
  | { readonly kind: 'challenge'; readonly challenges: readonly string[]; readonly failed: FailedAnswer | null }
  | { readonly kind: 'tooManyFailures'; readonly retryAfterSeconds: number };

/** A wrong password for an extension that has a phone; null for a name that nobody has, which may be anything. */
export interface FailedAnswer {
  readonly extension: string | null;
}

/**
 * Digest authentication (RFC 7616, RFC 8760) of phones. An unknown extension and a wrong password take the same work
 * and get the same answer, so neither the bytes nor the time tell which extensions exist.
 */
export class Authenticator {
  readonly #credentials: Credentials;
  readonly #realm: string;
  readonly #digests: readonly DigestAlgorithm[];
  readonly #md5OnlyAgents: readonly string[];
  readonly #nonces: Nonces;
  readonly #bySource: Backoff;
  readonly #byUser: Backoff;
  /** Stands in for a phone that does not exist. */
  readonly #nobody: DigestSecrets;
  readonly #isKnownDevice: (extension: string, sourceIp: string) => boolean;
  readonly #watch: LoginWatch | undefined;

  constructor(parts: {
    credentials: Credentials;
    realm: string;
    digests: readonly DigestAlgorithm[];
    md5OnlyAgents: readonly string[];
    clock: Clock;
    random: Random;
    /** An address this phone has a registration from: strangers' wrong guesses must not lock it out. */
    isKnownDevice: (extension: string, sourceIp: string) => boolean;
    /** Told who registered, and who showed a wrong password. */
    watch?: LoginWatch | undefined;
  }) {
    this.#watch = parts.watch;
    this.#credentials = parts.credentials;
    this.#realm = parts.realm;
    this.#digests = parts.digests;
    this.#md5OnlyAgents = parts.md5OnlyAgents;
    this.#nonces = new Nonces(parts.clock, parts.random);
    this.#bySource = new Backoff(parts.clock);
    this.#byUser = new Backoff(parts.clock);
    this.#isKnownDevice = parts.isKnownDevice;
    const chance = Buffer.from(parts.random.bytes(32)).toString('hex');
    this.#nobody = { md5: digestHash('MD5', chance), sha256: digestHash('SHA-256', chance) };
  }

  check(request: AuthRequest): AuthResult {
    const result = this.#judge(request);
    const { sourceIp, method } = request;
    if (result.kind === 'known') {
      if (method === 'REGISTER') this.#watch?.right(result.extension, sourceIp);
    } else if (result.kind === 'tooManyFailures' || result.failed !== null) {
      this.#watch?.wrong(result.kind === 'challenge' ? (result.failed?.extension ?? '') : '', sourceIp);
    }
    return result;
  }

  #judge(request: AuthRequest): AuthResult {
    const answer = this.#ownAnswer(request.authorization);
    if (answer === undefined) return this.#challenge(request, {});

    const exempt = this.#isKnownDevice(answer.username, request.sourceIp);
    const waitMs = exempt ? 0 : Math.max(this.#bySource.waitMs(request.sourceIp), this.#byUser.waitMs(answer.username));
    // The answer is not even looked at: a guess made too early teaches nothing.
    if (waitMs > 0) return { kind: 'tooManyFailures', retryAfterSeconds: Math.ceil(waitMs / 1000) };

    if (!this.#isRight(request, answer)) {
      this.#bySource.failed(request.sourceIp);
      this.#byUser.failed(answer.username);
      const extension = this.#credentials.ha1(answer.username) === undefined ? null : answer.username;
      return this.#challenge(request, { failed: { extension } });
    }
    // Right password, old or used nonce: say stale, so that the phone answers again without asking its user.
    if (!this.#nonces.isFresh(answer.nonce) || !this.#nonces.use(answer.nonce, answer.nc)) {
      return this.#challenge(request, { stale: true });
    }
    this.#bySource.succeeded(request.sourceIp);
    this.#byUser.succeeded(answer.username);
    return { kind: 'known', extension: answer.username };
  }

  #ownAnswer(authorization: string): DigestAnswer | undefined {
    return parseDigestAnswers(authorization).find(
      (answer) => answer.realm === this.#realm && this.#digests.includes(answer.algorithm),
    );
  }

  #isRight(request: AuthRequest, answer: DigestAnswer): boolean {
    const known = this.#credentials.ha1(answer.username);
    const secrets = known ?? this.#nobody;
    const ha1 = answer.algorithm === 'MD5' ? secrets.md5 : secrets.sha256;
    const expected = Buffer.from(digestResponse(request.method, ha1, answer));
    const given = Buffer.alloc(expected.length);
    given.write(answer.response);
    const equal = timingSafeEqual(expected, given) && answer.response.length === expected.length;
    // The digest's uri is not compared with the request's: proxies rewrite the one and clients abbreviate the other
    // (RFC 3261 22.4). A captured answer is of no use for another call anyway, because its count is used up.
    return equal && known !== undefined;
  }

  #challenge(request: AuthRequest, how: { readonly stale?: boolean; readonly failed?: FailedAnswer }): AuthResult {
    const nonce = this.#nonces.make();
    const challenges = this.#offeredTo(request.userAgent).map(
      (algorithm) =>
        `Digest realm="${this.#realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${how.stale === true ? ', stale=true' : ''}`,
    );
    return { kind: 'challenge', challenges, failed: how.failed ?? null };
  }

  #offeredTo(userAgent: string): readonly DigestAlgorithm[] {
    if (!this.#digests.includes('MD5')) return this.#digests;
    const isSimple = this.#md5OnlyAgents.some((start) =>
      start === '' ? userAgent === '' : userAgent.startsWith(start),
    );
    return isSimple ? ['MD5'] : this.#digests;
  }
}
