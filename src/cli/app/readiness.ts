import type { Readiness } from '../../admin/index.ts';
import type { Health } from '../../observe/index.ts';
import type { TelephonyHealth } from '../../telephony/index.ts';

/** Ready: a call would be taken now. Signalling and media must be there; a part that only limps does not count. */
export function readinessOf(telephony: TelephonyHealth, isDraining: boolean, health: Health): Readiness {
  const links = (['signalling', 'media'] as const).map((part) => ({
    part,
    isGood: telephony[part].isUp,
    says: telephony[part].isUp ? 'connected' : telephony[part].why,
  }));
  const house = { part: 'house', isGood: !isDraining, says: isDraining ? 'stopping: no new calls' : 'taking calls' };
  const limping = health.report().checks.map((check) => ({
    part: check.name,
    isGood: check.kind === 'ok',
    says: check.kind === 'ok' ? 'ok' : check.why,
  }));
  return { isReady: [...links, house].every(({ isGood }) => isGood), parts: [...links, house, ...limping] };
}
