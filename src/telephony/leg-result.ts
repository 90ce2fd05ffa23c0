import type { LegResult, LegTarget } from '../core/call/index.ts';
import { type Cipher, needsSrtp } from './media-cipher.ts';

/** What a final SIP status (300…699) of an outgoing INVITE means for the call (RFC 3261 21.3 to 21.6). */
export function legResult(
  sipStatus: number,
  target: LegTarget,
  { hasRung: rang, cipher }: { readonly hasRung: boolean; readonly cipher: Cipher },
): LegResult {
  switch (sipStatus) {
    case 486:
    case 600:
      return { kind: 'busy', sipStatus };
    case 403:
      return target.kind === 'number' ? trunkRefused(target.trunk, sipStatus) : { kind: 'declined', sipStatus };
    case 603:
    case 607:
    case 608:
      return { kind: 'declined', sipStatus };
    case 480:
    case 487:
      return { kind: 'noAnswer', sipStatus };
    case 408:
      // The stack makes a 408 itself: after ringing it means nobody answered, before that nobody was there.
      return { kind: rang ? 'noAnswer' : 'unreachable', sipStatus };
    case 415:
    case 488:
    case 606:
      return {
        kind: 'mediaFailed',
        why: `no common codec${cipher === 'none' ? '' : `, or ${needsSrtp}`} (${sipStatus})`,
      };
    case 401:
    case 407:
      return target.kind === 'number' ? trunkRefused(target.trunk, sipStatus) : { kind: 'unreachable', sipStatus };
    default:
      return target.kind === 'number' && sipStatus >= 500 && sipStatus < 600
        ? trunkRefused(target.trunk, sipStatus)
        : { kind: 'unreachable', sipStatus };
  }
}

function trunkRefused(trunk: string, sipStatus: number): LegResult {
  return { kind: 'trunkUnavailable', why: `trunk ${trunk} answered ${sipStatus}` };
}

/** When several phones of one extension failed, the most telling answer stands for the leg. */
export function tellingResult(results: readonly LegResult[]): LegResult {
  const order: readonly LegResult['kind'][] = [
    'declined',
    'busy',
    'noAnswer',
    'cancelled',
    'mediaFailed',
    'unreachable',
    'trunkUnavailable',
    'notRegistered',
  ];
  const [first] = [...results].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  return first ?? { kind: 'notRegistered' };
}
