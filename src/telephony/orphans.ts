import type { Clock } from '../engine/ports.ts';
import { ownerVariable } from './media-endpoint.ts';
import type { Log } from './ports.ts';

/** A leg on the media server whose process has died, and the dialog with its phone. */
interface Orphan {
  readonly uuid: string;
  readonly dialogId: string;
  /** Name of the signalling server that knows the dialog. */
  readonly signalling: string;
}

interface Pair {
  readonly legs: readonly [Orphan, Orphan];
  /** Looks in a row that one of the phones did not answer. */
  misses: number;
}

export interface OrphanParts {
  readonly media: { api(command: string): Promise<string>; isOurs(uuid: string): boolean };
  /** Our tag: legs of other houses on the same media server are none of our business. */
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The phone of this dialog has; called before both are hung up. */
  hungUp(dialogId: string): void;
  /** `signalling`: the server that knows the dialog. */
  hangUp(dialogId: string, signalling: string): void;
  /** Final status of an OPTIONS in the dialog; null: there is no such dialog. Not told when no answer comes. */
  ask(dialogId: string, signalling: string, done: (status: number | null) => void): void;
}

const lookEveryMs = 3000;
/** Half a minute: a phone may change its network meanwhile. */
const missesAllowed = 11;
/** BYEs that may come before it is known whose they are. */
const maxEarly = 1000;

/*
 *  found alone   ──▶ hung up
 *  found bridged ──▶ talks on ── one side hangs up, vanishes or loses its sound ──▶ the other is hung up
 */

/**
 * What a process before this one left behind when it was killed. Conversations go on without us; nobody else would
 * tell one side that the other has hung up. Who waited alone is not kept waiting for somebody who is not there.
 */
export class Orphans {
  readonly #parts: OrphanParts;
  readonly #pairs = new Set<Pair>();
  readonly #early = new Set<string>();
  #timer: { cancel(): void } | null = null;
  #isClosed = false;

  constructor(parts: OrphanParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#pairs.size;
  }

  /** Looks through the media server; to be called whenever it is connected. Never rejects. */
  async find(): Promise<void> {
    try {
      await this.#find();
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'legs of an earlier process not looked for');
    }
  }

  /** BYE in a dialog that is none of this process. true: it belonged to an orphan. */
  left(dialogId: string): boolean {
    for (const pair of this.#pairs) {
      if (!pair.legs.some((leg) => leg.dialogId === dialogId)) continue;
      this.#left(pair, dialogId);
      return true;
    }
    if (this.#early.size < maxEarly) this.#early.add(dialogId);
    return false;
  }

  /** May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #find(): Promise<void> {
    const { media, log } = this.#parts;
    const channels = channelsIn(await media.api('show channels as json'));
    const found = new Map<string, Orphan>();
    for (const { uuid } of channels) {
      if (media.isOurs(uuid) || this.#knows(uuid)) continue;
      const dialog = this.#dialogIn(await media.api(`uuid_getvar ${uuid} ${ownerVariable}`));
      // Looked at again: it may have become ours in the meantime.
      if (dialog !== null && !media.isOurs(uuid)) found.set(uuid, { uuid, ...dialog });
    }
    for (const { uuid, peer } of channels) {
      const [leg, other] = [found.get(uuid), found.get(peer)];
      if (!leg) continue;
      found.delete(uuid);
      if (!other) {
        log.warn({ leg: uuid }, 'a leg that nobody owns is hung up');
        this.#hangUp(leg);
        continue;
      }
      found.delete(peer);
      log.warn({ legs: [uuid, peer] }, 'a conversation of an earlier process goes on');
      const pair: Pair = { legs: [leg, other], misses: 0 };
      this.#pairs.add(pair);
      const early = pair.legs.find(({ dialogId }) => this.#early.has(dialogId));
      if (early !== undefined) this.#left(pair, early.dialogId);
    }
    this.#early.clear();
    this.#wait();
  }

  #wait(): void {
    this.#timer?.cancel();
    if (this.#pairs.size > 0 && !this.#isClosed)
      this.#timer = this.#parts.clock.after(lookEveryMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    for (const pair of this.#pairs) {
      try {
        await this.#lookAt(pair);
      } catch {
        // The media server is away: looked at again when it is back.
      }
    }
    this.#wait();
  }

  async #lookAt(pair: Pair): Promise<void> {
    for (const { uuid } of pair.legs) {
      const answer = await this.#parts.media.api(`uuid_exists ${uuid}`);
      if (answer.trim() !== 'true') return this.#end(pair, 'soundLost');
    }
    // A BYE reaches us only from a signalling server that gives the dialogs of a dead process to the next.
    if (pair.misses > missesAllowed) return this.#end(pair, 'phoneLost');
    let missing = pair.legs.length;
    pair.misses += 1;
    for (const { dialogId, signalling } of pair.legs) {
      this.#parts.ask(dialogId, signalling, (status) => {
        if (status === null || status === 481) return this.#left(pair, dialogId);
        // What the signalling server makes of no answer.
        if (status === 408 || status === 503) return;
        missing -= 1;
        if (missing === 0) pair.misses = 0;
      });
    }
  }

  /** Told by a BYE, or by a server that knows the dialog no more: it has answered the BYE by itself. */
  #left(pair: Pair, dialogId: string): void {
    if (!this.#pairs.has(pair)) return;
    this.#parts.hungUp(dialogId);
    this.#end(pair, 'hungUp');
  }

  #end(pair: Pair, because: 'hungUp' | 'soundLost' | 'phoneLost'): void {
    if (!this.#pairs.delete(pair)) return;
    this.#parts.log.info({ because }, 'a conversation of an earlier process is over');
    for (const leg of pair.legs) this.#hangUp(leg);
  }

  #hangUp({ uuid, dialogId, signalling }: Orphan): void {
    this.#parts.hangUp(dialogId, signalling);
    this.#parts.media.api(`uuid_kill ${uuid}`).catch(() => {});
  }

  #knows(uuid: string): boolean {
    return [...this.#pairs].some(({ legs }) => legs.some((leg) => leg.uuid === uuid));
  }

  /** null: another house's, or nobody's that we could tell. */
  #dialogIn(text: string): Pick<Orphan, 'dialogId' | 'signalling'> | null {
    const [owner, dialogId = '', signalling = ''] = text.trim().split(' ');
    return owner === this.#parts.owner && dialogId !== '' ? { dialogId, signalling } : null;
  }
}

const uuidForm = /^[0-9A-Fa-f-]{1,64}$/;

/** `peer`: the leg it is bridged to, '' without one. Two that are bridged have one `call_uuid`, alone it is the leg's own. */
function channelsIn(json: string): readonly { uuid: string; peer: string }[] {
  const { rows } = JSON.parse(json) as { rows?: unknown };
  if (!Array.isArray(rows)) return [];
  const legs = rows
    .map((row: Record<string, unknown>) => ({ uuid: text(row['uuid']), call: text(row['call_uuid']) }))
    .filter(({ uuid }) => uuidForm.test(uuid));
  return legs.map(({ uuid, call }) => {
    const peer = legs.find((other) => other.uuid !== uuid && other.call === call && call !== '');
    return { uuid, peer: peer?.uuid ?? '' };
  });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
