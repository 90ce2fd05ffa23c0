import { relays } from './media/relays.ts';
import { benchRelay, type RelayResult } from './media/relaying.ts';
import { mediad } from './media/media-servers.ts';

/** How often each takes its turn: figures of one machine change from minute to minute. */
export interface MediaWish {
  readonly calls: number;
  readonly encryptedCalls: number;
  readonly seconds: number;
  readonly rounds: number;
  /** Leaves out those whose name has not the word. */
  readonly only: string;
}

/** Sound through everything that is at hand, one after the other, then all again encrypted. */
export async function benchMedia(freeswitch: string | undefined, wish: MediaWish): Promise<readonly RelayResult[]> {
  const { there, leftOut } = relays(freeswitch);
  for (const why of leftOut) console.log(`left out: ${why}`);
  const kinds = [...there, mediad(2)].filter(({ name }) => name.includes(wish.only));
  for (const { name, configuration } of kinds) console.log(`${name}: ${configuration}`);
  const rows: RelayResult[] = [];
  const run = async (...about: Parameters<typeof benchRelay>) => {
    const row = await benchRelay(...about);
    console.log(JSON.stringify(row));
    rows.push(row);
  };
  for (let round = 0; round < wish.rounds; round++) {
    for (const kind of kinds) await run(kind, wish.calls, wish.seconds, false);
    for (const kind of kinds) if (kind.canEncrypt) await run(kind, wish.encryptedCalls, wish.seconds, true);
  }
  return rows;
}
