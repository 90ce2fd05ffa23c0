import { type ChainStore, type Fact, readBody } from '../../core/audit/index.ts';

/** Commands may have written behind the end of the house; so many entries are looked through for it. */
const LOOK_BACK = 500;

/**
 * The fact `timeLost` when the house that ran last did not say that it stopped: it was killed, or the power was cut. `now`:
 * milliseconds since 1970.
 */
export async function lostTime(chain: ChainStore, now: number): Promise<Extract<Fact, { fact: 'timeLost' }> | null> {
  const { seq } = await chain.head();
  const rows = await chain.read(Math.max(0, seq - LOOK_BACK), LOOK_BACK);
  for (const row of rows.toReversed()) {
    const { at, callId, fact } = readBody(row.body, () => null);
    if (fact.fact === 'stopped') return null;
    // Commands write between the starts; these two are the house itself.
    if (callId === null && fact.fact !== 'started' && fact.fact !== 'loginsSeen') continue;
    return { fact: 'timeLost', from: new Date(at).toISOString(), until: new Date(now).toISOString() };
  }
  return null;
}
