import { readFileSync, statSync } from 'node:fs';
import type { Clock, Logger, Timer, TlsCredentials } from '../sip/index.ts';
import type { TlsFiles } from './options.ts';

const lookEveryMs = 10_000;

/** Certificate and key as they are on disk, looked at again and again: renewing them needs no restart. */
export class CertificateFiles {
  readonly #files: TlsFiles;
  #seen: TlsCredentials;
  #timer: Timer | undefined;

  /** Throws Error that names the file, the reason and the remedy. */
  constructor(files: TlsFiles) {
    this.#files = files;
    this.#seen = read(files);
  }

  get credentials(): TlsCredentials {
    return this.#seen;
  }

  /** `use` is called with what has changed, and throws if that does not fit together: then the old ones stay. */
  watch(clock: Clock, logger: Logger, use: (credentials: TlsCredentials) => void): void {
    this.#timer = clock.after(lookEveryMs, () => {
      this.look(logger, use);
      this.watch(clock, logger, use);
    });
  }

  look(logger: Logger, use: (credentials: TlsCredentials) => void): void {
    try {
      const now = read(this.#files);
      if (isSame(now, this.#seen)) return;
      // Remembered even if it is of no use, so that it is complained about once.
      this.#seen = now;
      use(now);
      logger.info({ file: this.#files.certificate }, 'certificate renewed');
    } catch (error) {
      logger.warn({ error: (error as Error).message }, 'certificate not renewed');
    }
  }

  close(): void {
    this.#timer?.stop();
  }
}

function read({ certificate, key, authorities, clientCertificates }: TlsFiles): TlsCredentials {
  return {
    certificate: pem(certificate),
    key: privatePem(key),
    authorities: authorities === undefined ? undefined : pem(authorities),
    clientCertificates,
  };
}

function privatePem(file: string): string {
  const text = pem(file);
  if ((statSync(file).mode & 0o007) !== 0) {
    throw new Error(`everybody on this machine can read the key ${file}: run chmod o= on it`);
  }
  return text;
}

function pem(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (!text.includes('-----BEGIN ')) throw new Error(`${file} is no PEM file: it has no line -----BEGIN`);
  return text;
}

function isSame(a: TlsCredentials, b: TlsCredentials): boolean {
  return a.certificate === b.certificate && a.key === b.key && a.authorities === b.authorities;
}
