import { KeptLines } from './kept-lines.ts';
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

/**
 * INVITEs without a final answer, in a file that outlives this process: a signalling server may not know that nobody
 * will ever answer the caller, or stop the phone, of an app that was killed (drachtio-server 0.9.10 does not); the next
 * app does it. Ids only, no numbers.
 */
export class OpenInvites {
  readonly #left: readonly OpenInvite[];
  /** By their line in the file, without what it says of them. */
  readonly #open = new Map<string, OpenInvite>();
  readonly #log: Log;
  readonly #lines: KeptLines;

  /** `path` absent: nothing is kept. */
  constructor(path: string | undefined, log: Log) {
    this.#log = log;
    this.#left = readLeft(KeptLines.read(path));
    for (const invite of this.#left) this.#open.set(keyOf(invite.server, invite.id), invite);
    const all = () => [...this.#open.values()].map(lineOf);
    this.#lines = new KeptLines(path, { what: 'open INVITEs', log, all });
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

  close(): void {
    this.#lines.close();
  }

  #began({ server, whose, id }: { server: string; whose: Whose; id: string | undefined }): void {
    if (id === undefined || !idForm.test(id) || this.#open.has(keyOf(server, id))) return;
    this.#open.set(keyOf(server, id), { server, whose, id });
    this.#lines.write(lineOf({ server, whose, id }));
  }

  #over(server: string, id: string | undefined): void {
    if (id !== undefined && this.#open.delete(keyOf(server, id))) this.#lines.write(`- ${keyOf(server, id)}`);
  }
}

const idForm = /^[A-Za-z0-9-]{1,64}$/;

/** A server's name has no blanks (options.ts). */
function keyOf(server: string, id: string): string {
  return `${server} ${id}`;
}

function lineOf({ server, whose, id }: OpenInvite): string {
  return `${whose === 'theirs' ? '<' : '>'} ${keyOf(server, id)}`;
}

function readLeft(lines: readonly string[]): readonly OpenInvite[] {
  const open = new Map<string, OpenInvite>();
  for (const line of lines) {
    const [sign = '', server = '', id = ''] = line.split(' ');
    if (!idForm.test(id)) continue;
    if (sign === '-') open.delete(keyOf(server, id));
    else if (sign === '<' || sign === '>') {
      open.set(keyOf(server, id), { server, whose: sign === '<' ? 'theirs' : 'ours', id });
    }
  }
  return [...open.values()];
}
