import { z } from 'zod';
import type { Clock, Network, WireTap } from '../sip/index.ts';
import { HepMirror } from './hep/hep-mirror.ts';
import { jsonOf } from './json-of.ts';
import { Ladder } from './ladder/ladder.ts';
import type { Reply } from './outbound.ts';
import type { SipdOptions } from './options.ts';

const question = z.strictObject({
  callIds: z.array(z.string().min(1).max(256)).max(20),
  prefix: z.string().min(8).max(64).optional(),
});

/** Who sees every message go by: the memory for ladders, and Homer. */
export class Witnesses {
  readonly #ladder: Ladder | undefined;
  readonly #hep: HepMirror | undefined;

  private constructor(ladder: Ladder | undefined, hep: HepMirror | undefined) {
    this.#ladder = ladder;
    this.#hep = hep;
  }

  static async open(
    { ladder: { megabytes, minutes }, hep }: Pick<SipdOptions, 'ladder' | 'hep'>,
    clock: Clock,
    network: Network,
  ): Promise<Witnesses> {
    const mirror = await HepMirror.open(hep, network, clock);
    const room = { sizeBytes: megabytes * 2 ** 20, keepMs: minutes * 60_000 };
    return new Witnesses(megabytes === 0 ? undefined : new Ladder(clock, room), mirror);
  }

  /** Undefined while nobody looks. */
  get tap(): WireTap | undefined {
    const [ladder, hep] = [this.#ladder, this.#hep];
    if (ladder === undefined && hep === undefined) return undefined;
    return (isSent, bytes, flow) => {
      ladder?.see(isSent, bytes, flow);
      hep?.see(isSent, bytes, flow);
    };
  }

  /** The command `ladder`, which drachtio's protocol does not have: a question as JSON, and `LadderAnswer` as JSON. */
  ladder(asked: Buffer | undefined): Reply {
    if (this.#ladder === undefined) return { tokens: 'NOK|no messages are kept: sip.ladder.megabytes is 0' };
    const parsed = question.safeParse(jsonOf(asked));
    if (!parsed.success) return { tokens: 'NOK|ladder wants {"callIds":[...],"prefix":"..."} on the next line' };
    const { callIds, prefix } = parsed.data;
    return { tokens: 'OK|ladder', message: Buffer.from(JSON.stringify(this.#ladder.tell({ callIds, prefix }))) };
  }

  close(): void {
    this.#ladder?.close();
    this.#hep?.close();
  }
}
