import type { Flow, HostPort, Protocol } from '../transport/flow.ts';

/** The connection a peer had to an endpoint that is no more: it has to come to us, what is sent to it is lost. */
export class LostFlow implements Flow {
  readonly protocol: Protocol;
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly isOpen = false;

  constructor(protocol: Protocol, local: HostPort, remote: HostPort) {
    this.protocol = protocol;
    this.local = local;
    this.remote = remote;
  }

  send(): void {}

  onLost(): () => void {
    return () => {};
  }
}
