import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import type { Log } from './ports.ts';

/** `theirs`: a caller waits for our answer. `ours`: a phone rings because we asked it to. */
export type Whose = 'theirs' | 'ours';

export interface OpenInvite {
  /** Name of the signalling server: each counts its ids by itself, and another one knows nothing of them. */
  readonly server: string;
  readonly whose: Whose;
  /** The signalling server's id of the transaction. */
  readonly id: string;
}

/** The INVITEs at one signalling server. */
export interface InvitesAt {
  /** Of a process before this one; `over` when they are dealt with. */
  readonly left: readonly OpenInvite[];
  /** How many have no final answer now. */
  count(): number;
  began(whose: Whose, id: string | undefined): void;
  over(id: string | undefined): void;
}

/** Rewritten with what is still open when it is as long as this. */
const maxBytes = 256 * 1024;

/**
 * INVITEs without a final answer, in a file that outlives this process: a signalling server may not know that nobody
 * will ever answer the caller, or stop the phone, of an app that was killed (drachtio-server 0.9.10 does not); the next
 * app does it. Ids only, no numbers. Not synced to the disk: the machine's own death ends the signalling server too.
 */
export class OpenInvites {
  readonly #left: readonly OpenInvite[];
  /** By their line in the file, without what it says of them. */
  readonly #open = new Map<string, OpenInvite>();
  readonly #log: Log;
  readonly #path: string | undefined;
  #file: number | null = null;
  #bytes = 0;

  /** `path` absent: nothing is kept. A file that cannot be used is logged and does without. */
  constructor(path: string | undefined, log: Log) {
    this.#log = log;
    this.#path = path;
    this.#left = path === undefined ? [] : readLeft(path);
    if (path === undefined) return;
    this.#try(() => {
      this.#file = openSync(path, 'w', 0o600);
    });
    for (const invite of this.#left) this.#began(invite);
  }

  /** Those at one server. What is left at servers that are not in `servers` any more is nobody's: it is forgotten. */
  of(servers: readonly string[]): readonly InvitesAt[] {
    for (const invite of this.#left.filter(({ server }) => !servers.includes(server))) {
      this.#log.warn({ server: invite.server, whose: invite.whose }, 'an INVITE is left at a server we do not know');
      this.#over(invite.server, invite.id);
    }
    return servers.map((server) => ({
      left: this.#left.filter((invite) => invite.server === server),
      count: () => [...this.#open.values()].filter((invite) => invite.server === server).length,
      began: (whose, id) => this.#began({ server, whose, id }),
      over: (id) => this.#over(server, id),
    }));
  }

  /** Leaves no file behind where nothing is open. */
  close(): void {
    if (this.#file === null) return;
    closeSync(this.#file);
    this.#file = null;
    if (this.#path !== undefined && this.#open.size === 0) rmSync(this.#path, { force: true });
  }

  #began({ server, whose, id }: { server: string; whose: Whose; id: string | undefined }): void {
    if (id === undefined || !idForm.test(id) || this.#open.has(keyOf(server, id))) return;
    this.#open.set(keyOf(server, id), { server, whose, id });
    this.#write(lineOf({ server, whose, id }));
  }

  #over(server: string, id: string | undefined): void {
    if (id !== undefined && this.#open.delete(keyOf(server, id))) this.#write(`- ${keyOf(server, id)}\n`);
  }

  #write(line: string): void {
    const file = this.#file;
    if (file === null) return;
    this.#try(() => {
      if (this.#bytes > maxBytes) {
        ftruncateSync(file);
        this.#bytes = writeSync(file, [...this.#open.values()].map(lineOf).join(''), 0);
      } else this.#bytes += writeSync(file, line, this.#bytes);
    });
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      // A full disk must not stop a call; what is lost is a courtesy after our own death.
      this.#log.warn({ err: error }, 'open INVITEs not kept');
      this.close();
    }
  }
}

const idForm = /^[A-Za-z0-9-]{1,64}$/;

/** A server's name has no blanks (options.ts). */
function keyOf(server: string, id: string): string {
  return `${server} ${id}`;
}

function lineOf({ server, whose, id }: OpenInvite): string {
  return `${whose === 'theirs' ? '<' : '>'} ${keyOf(server, id)}\n`;
}

function readLeft(path: string): readonly OpenInvite[] {
  const open = new Map<string, OpenInvite>();
  for (const line of textOf(path).split('\n')) {
    const [sign = '', server = '', id = ''] = line.split(' ');
    if (!idForm.test(id)) continue;
    if (sign === '-') open.delete(keyOf(server, id));
    else if (sign === '<' || sign === '>') {
      open.set(keyOf(server, id), { server, whose: sign === '<' ? 'theirs' : 'ours', id });
    }
  }
  return [...open.values()];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
