import type { DialogParts } from './dialog-parts.ts';
import type { HostPort, Protocol } from '../transport/flow.ts';

/** A confirmed dialog as plain data: everything that the next endpoint under the same address needs to go on with it. */
export interface DialogSnapshot extends Omit<DialogParts, 'flow' | 'remoteTarget'> {
  readonly remoteTarget: string;
  /** Where the peer was heard last. */
  readonly protocol: Protocol;
  readonly remoteAddress: HostPort;
  readonly localSdp: string | undefined;
  readonly peerAllowsUpdate: boolean;
  /** The length of its session and whether we refresh it, RFC 4028; undefined without a limit. */
  readonly session: { readonly seconds: number; readonly isOurs: boolean } | undefined;
}
