import type { HostPort, Protocol } from '../transport/flow.ts';

/** A confirmed dialog as plain data: everything that the next endpoint under the same address needs to go on with it. */
export interface DialogSnapshot {
  readonly role: 'uac' | 'uas';
  readonly createdBy: 'INVITE' | 'SUBSCRIBE';
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** Values for From and To of our requests. */
  readonly local: string;
  readonly remote: string;
  readonly routeSet: readonly string[];
  readonly remoteTarget: string;
  readonly localCseq: number;
  readonly remoteCseq: number | undefined;
  /** Where the peer was heard last. */
  readonly protocol: Protocol;
  readonly remoteAddress: HostPort;
  readonly localSdp: string | undefined;
  readonly peerAllowsUpdate: boolean;
  /** The length of its session and whether we refresh it, RFC 4028; undefined without a limit. */
  readonly session: { readonly seconds: number; readonly isOurs: boolean } | undefined;
}
