import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of one test, and what it signs for 127.0.0.1, ::1 and the names. */
export class Authority {
  readonly certificate: string;
  readonly #folder: string;
  readonly #key: string;
  #serial = 1;

  constructor(folder: string, name = 'ca') {
    this.#folder = folder;
    this.certificate = join(folder, `${name}.pem`);
    this.#key = join(folder, `${name}.key`);
    const subject = `/CN=${name} of a test`;
    openssl('req', '-x509', ...newKey(this.#key), '-out', this.certificate, '-days', '3650', '-subj', subject);
  }

  get pem(): string {
    return readFileSync(this.certificate, 'utf8');
  }

  /** `days`: how long it is valid; it may have ended. */
  issue(name: string, options: { readonly names?: readonly string[]; readonly days?: number } = {}): Pair {
    const file = (end: string) => join(this.#folder, `${name}.${end}`);
    const names = (options.names ?? ['localhost']).map((dns) => `DNS:${dns}`);
    const [key, request, certificate, more] = [file('key'), file('csr'), file('pem'), file('ext')];
    writeFileSync(more, `subjectAltName=${['IP:127.0.0.1', 'IP:::1', ...names].join(',')}\n`);
    openssl('req', ...newKey(key), '-out', request, '-subj', `/CN=${name}`);
    const by = ['-CA', this.certificate, '-CAkey', this.#key, '-set_serial', String(this.#serial++)];
    const valid = ['-days', String(options.days ?? 3650)];
    openssl('x509', '-req', '-in', request, ...by, ...valid, '-extfile', more, '-out', certificate);
    chmodSync(key, 0o600);
    return { certificate, key };
  }
}

function newKey(file: string): readonly string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file];
}

function openssl(...words: readonly string[]): void {
  execFileSync('openssl', words, { stdio: 'pipe' });
}
