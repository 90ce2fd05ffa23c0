import { type HostPort, type Network, systemNetwork } from '../../src/sip/index.ts';

/** A machine whose UDP is in our hands, whatever addresses the datagrams name; TCP is the real one. */
export class Wire {
  /** Everything that was sent, newest last. */
  readonly sent: { readonly bytes: Buffer; readonly to: HostPort }[] = [];
  #onDatagram: (bytes: Buffer, from: HostPort) => void = () => {};

  readonly network: Network = {
    ...systemNetwork,
    bindUdp: async (at, onDatagram) => {
      this.#onDatagram = onDatagram;
      return { local: { ...at, port: 5060 }, send: (bytes, to) => void this.sent.push({ bytes, to }), close() {} };
    },
  };

  arrives(bytes: Buffer, from: HostPort): void {
    this.#onDatagram(bytes, from);
  }
}
