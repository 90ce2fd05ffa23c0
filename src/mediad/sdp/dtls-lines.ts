/** What a description says about DTLS and ICE: RFC 5763, RFC 8122, RFC 8839. */
import type { Fingerprint } from '../dtls/fingerprint.ts';
import type { DtlsRole } from '../dtls/handshake.ts';
import type { IceCredentials } from '../ice/session.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';

/** Ours, as one leg's descriptions show it. */
export interface LocalDtls {
  /** Of our certificate, SHA-256. */
  readonly fingerprint: string;
  /** Of the session as it stands: a new description does not change who is who. undefined: there is none yet. */
  readonly role: DtlsRole | undefined;
  /** New ones when the other side has restarted (its ufrag is another). undefined: it has said nothing yet. */
  readonly ice: (remoteUfrag: string | undefined) => IceCredentials;
}

/** Theirs. */
export interface AgreedDtls {
  /** What we are. */
  readonly role: DtlsRole;
  readonly fingerprints: readonly Fingerprint[];
  /** undefined: it has no ICE, or is a lite side too. */
  readonly remoteUfrag: string | undefined;
}

/** A string is why it cannot be spoken on. */
export function readDtls(audio: MediaDescription, session: SessionDescription, local: LocalDtls): AgreedDtls | string {
  if (!audio.isControlMuxed) return 'DTLS without a=rtcp-mux: enable rtcp-mux at the phone';
  const role = roleFor(audio.setup, local.role);
  if (role === undefined) return `a=setup:${audio.setup} is not spoken here`;
  const remoteUfrag = session.isIceLite ? undefined : audio.iceUfrag;
  return { role, fingerprints: audio.fingerprints, remoteUfrag };
}

/** RFC 5763 5; whoever leaves it to us is the client. */
function roleFor(setup: string | undefined, now: DtlsRole | undefined): DtlsRole | undefined {
  switch (setup) {
    case undefined:
    case 'active':
      return 'server';
    case 'passive':
      return 'client';
    case 'actpass':
      return now ?? 'server';
    default:
      return undefined;
  }
}

/** One candidate: a lite side has only addresses of its own (RFC 8445 5.2). */
const PRIORITY = 2_130_706_431;

/** `agreed`: undefined in an offer. */
export function dtlsLines(
  local: LocalDtls,
  agreed: AgreedDtls | undefined,
  at: { address: string; port: number },
): string {
  const setup = agreed === undefined ? 'actpass' : agreed.role === 'server' ? 'passive' : 'active';
  const ice =
    agreed === undefined || agreed.remoteUfrag !== undefined ? iceLines(local.ice(agreed?.remoteUfrag), at) : '';
  return `a=fingerprint:sha-256 ${local.fingerprint}\r\na=setup:${setup}\r\n${ice}`;
}

function iceLines({ ufrag, pwd }: IceCredentials, { address, port }: { address: string; port: number }): string {
  return (
    `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${pwd}\r\n` +
    `a=candidate:1 1 UDP ${PRIORITY} ${address} ${port} typ host\r\na=end-of-candidates\r\n`
  );
}
