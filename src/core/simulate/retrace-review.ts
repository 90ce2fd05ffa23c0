import type { CallFact } from '../audit/index.ts';
import { CALLER, type CallState, stepCall, type World } from '../call/index.ts';

/** That a recording was ended by a key, and that a caller hears it again, shows when it is marked, kept, or said again. */
export function reviewed(world: World, state: CallState, recorded: readonly CallFact[], place: number): CallState {
  const fact = recorded[place]!;
  const isBehind = fact.fact === 'recordingEnded' || fact.fact === 'recordingDiscarded';
  if (!isBehind && fact.fact !== 'recordingStarted' && fact.fact !== 'messageMarked') return state;
  if (state.name !== 'live') return state;
  const { doing } = state;
  if (doing.name !== 'recording' && doing.name !== 'reviewing') return state;
  const { messageId } = doing.name === 'recording' ? doing.taking : doing.taken;
  const ends = recorded.filter((one) => one.fact === 'recordingEnded');
  const kept = ends.find((one) => one.messageId === messageId);
  // Marks count for the takes that follow: what is not on record of this one is on record of the last.
  const marks = kept ?? ends.at(-1);
  const said = { messageId, durationMs: kept?.durationMs ?? 1, by: 'key', why: '' } as const;
  let after: CallState = state;
  if (doing.name === 'recording') after = stepCall(world, after, { type: 'recordingEnded', ...said }).state;
  const press = (keys: string): void => {
    if (after.name !== 'live' || after.doing.name !== 'reviewing') return;
    after = stepCall(world, after, {
      type: 'digitsGathered',
      leg: CALLER,
      token: after.doing.token,
      digits: keys,
    }).state;
  };
  if (fact.fact === 'messageMarked') {
    if (fact.callBack !== undefined) press('5');
    return after;
  }
  // Records of older versions tell the marks with the end alone.
  const isMissing = (mark: 'isUrgent' | 'isPrivate' | 'callBack'): boolean =>
    after.name === 'live' && after.doing.name === 'reviewing' && !after.doing.taken[mark];
  if ((isBehind ? kept?.urgent : fact.urgent) && isMissing('isUrgent')) press('3');
  if (marks?.private && isMissing('isPrivate')) press('4');
  if (marks?.callBack !== undefined && isMissing('callBack'))
    for (const keys of ['5', marks.callBack.reveal()]) press(keys);
  if (!isBehind) press('2');
  return after;
}
