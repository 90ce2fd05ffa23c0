import type { LegTarget, OfferedAs } from '../core/call/index.ts';
import { quoteName } from './name-addr.ts';
import type { TelephonyOptions } from './options.ts';
import type { Trunks } from './trunks.ts';

/** RFC 3261 20.26, and RFC 7462 5 for the sound of the bell. */
const urgencies = {
  stat: { priority: 'emergency', bell: 'high' },
  urgent: { priority: 'urgent', bell: 'normal' },
  routine: { priority: 'normal', bell: 'low' },
} as const;

/** What the called party is shown: who calls and how urgent it is. */
export function offeredHeaders(
  target: LegTarget,
  as: OfferedAs,
  options: TelephonyOptions,
  trunks: Trunks,
): Record<string, string> {
  const identity =
    target.kind === 'number' ? trunkIdentity(target.trunk, as, options, trunks) : phoneIdentity(as, options);
  if (as.urgency === null) return identity;
  const { priority, bell } = urgencies[as.urgency];
  return { ...identity, Priority: priority, 'Alert-Info': `<urn:alert:priority:${bell}>` };
}

function phoneIdentity(as: OfferedAs, { sip }: TelephonyOptions): Record<string, string> {
  const address = `${quoteName(as.displayName)} <sip:${userPart(as.number)}@${sip.realm}>`;
  return { From: address, 'P-Asserted-Identity': address };
}

/** A carrier learns the hospital's number and nothing about the ward or the patient. */
function trunkIdentity(
  trunk: string,
  as: OfferedAs,
  { sip }: TelephonyOptions,
  trunks: Trunks,
): Record<string, string> {
  const options = trunks.get(trunk);
  const address = `<sip:${userPart(options?.callerId ?? as.number)}@${sip.realm}>`;
  return { From: address, ...(options?.assertIdentity ? { 'P-Asserted-Identity': address } : {}) };
}

function userPart(number: string): string {
  return number.replace(/[^0-9A-Za-z+*._-]/g, '').slice(0, 64) || 'anonymous';
}
