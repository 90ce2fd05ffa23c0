import { z } from 'zod';
import type { Clock, WireTap } from '../sip/index.ts';
import { Ladder } from './ladder/ladder.ts';
import type { Reply } from './outbound.ts';
import type { SipdOptions } from './options.ts';

const question = z.strictObject({
  callIds: z.array(z.string().min(1).max(256)).max(20),
  prefix: z.string().min(8).max(64).optional(),
});

/** Who sees every message go by. */
export class Witnesses {
  readonly #ladder: Ladder | undefined;

  constructor(clock: Clock, { ladder }: Pick<SipdOptions, 'ladder'>) {
    const { megabytes, minutes } = ladder;
    if (megabytes > 0) this.#ladder = new Ladder(clock, { sizeBytes: megabytes * 2 ** 20, keepMs: minutes * 60_000 });
  }

  /** Undefined while nobody looks. */
  get tap(): WireTap | undefined {
    const ladder = this.#ladder;
    if (ladder === undefined) return undefined;
    return (isSent, bytes, flow) => ladder.see(isSent, bytes, flow);
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
  }
}

function jsonOf(text: Buffer | undefined): unknown {
  try {
    return JSON.parse(text?.toString() ?? '');
  } catch {
    return undefined;
  }
}
