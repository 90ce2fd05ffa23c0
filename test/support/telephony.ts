import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { Random } from '../../src/engine/ports.ts';
import type { Credentials, Log } from '../../src/telephony/index.ts';

export { VirtualClock as TestClock } from './virtual-clock.ts';

export const random: Random = { below: (below) => randomInt(below), bytes: (count) => randomBytes(count) };

/** Keeps what was logged, so that a test can say that nothing went wrong. */
export class TestLog implements Log {
  readonly lines: { level: string; fields: object; words: string }[] = [];

  info(fields: object, words: string): void {
    this.lines.push({ level: 'info', fields, words });
  }

  warn(fields: object, words: string): void {
    this.lines.push({ level: 'warn', fields, words });
  }

  error(fields: object, words: string): void {
    this.lines.push({ level: 'error', fields, words });
  }

  /** Errors since the last look. */
  takeErrors(): readonly unknown[] {
    return this.lines.splice(0).filter(({ level }) => level === 'error');
  }
}

/** Phones whose password is "secret-<extension>". */
export function credentialsFor(realm: string, extensions: readonly string[]): Credentials {
  const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');
  return {
    ha1(extension) {
      if (!extensions.includes(extension)) return undefined;
      const text = `${extension}:${realm}:secret-${extension}`;
      return { md5: hash('md5', text), sha256: hash('sha256', text) };
    },
  };
}

/** What a phone answers to a challenge line. */
export function answerChallenge(
  challenge: string,
  as: { username: string; password: string; method: string; uri: string; nc?: number },
): string {
  const read = (name: string): string => new RegExp(`${name}="?([^",]+)`).exec(challenge)?.[1] ?? '';
  const algorithm = read('algorithm');
  const hash = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const nc = (as.nc ?? 1).toString(16).padStart(8, '0');
  const cnonce = randomBytes(6).toString('hex');
  const ha1 = hash(`${as.username}:${read('realm')}:${as.password}`);
  const response = hash(`${ha1}:${read('nonce')}:${nc}:${cnonce}:auth:${hash(`${as.method}:${as.uri}`)}`);
  return (
    `Digest username="${as.username}", realm="${read('realm')}", nonce="${read('nonce')}", uri="${as.uri}", ` +
    `response="${response}", algorithm=${algorithm}, cnonce="${cnonce}", qop=auth, nc=${nc}`
  );
}
