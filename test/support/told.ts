import type { OnCallAnswer, OnCallResult } from '../../src/core/oncall/index.ts';

/** An answer with everything read that it looks up: so that two can be compared. */
export function told(result: OnCallResult | undefined) {
  if (result?.kind !== 'onCall') return result;
  const all = ({ personId, person, tier, because, since, until }: OnCallAnswer) => {
    return { personId, person, tier, because, since, until };
  };
  return { ...result, answer: all(result.answer), also: result.also?.map(all) };
}
