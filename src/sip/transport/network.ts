import { createSocket } from 'node:dgram';
import { createConnection, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { type NameLookup, systemNames } from '../names/name-lookup.ts';
import type { HostPort } from './flow.ts';
import { isLoopback } from './local-address.ts';

/**
 * The sockets of the world. Another implementation makes a whole network in memory, for tests. `::` means all addresses
 * of IPv6 and none of IPv4: nobody comes under an address of the other kind, which no list of addresses would know.
 */
export interface Network {
  /** Rejects with a Node system error, code EADDRINUSE and the like. */
  bindUdp(at: HostPort, onDatagram: (bytes: Buffer, from: HostPort) => void): Promise<UdpSocket>;
  listenTcp(at: HostPort, onConnection: (socket: Socket) => void): Promise<Server>;
  connectTcp(to: HostPort): Socket;
  readonly names: NameLookup;
  /** The most bytes of a request that surely are not cut into fragments on the way to an address. */
  longestDatagramTo(host: string): number;
}

export interface UdpSocket {
  /** The real port, also when 0 was asked for. */
  readonly local: HostPort;
  send(bytes: Buffer, to: HostPort): void;
  close(): void;
}

// Linux gives at most net.core.rmem_max; asking for more than that is no error.
const receiveBufferBytes = 4 * 1024 * 1024;

export const systemNetwork: Network = {
  bindUdp(at, onDatagram) {
    return new Promise((resolve, reject) => {
      const socket = createSocket({
        type: isIPv6(at.host) ? 'udp6' : 'udp4',
        ipv6Only: isIPv6(at.host),
        recvBufferSize: receiveBufferBytes,
        // Only literal addresses get here; the default would go through the resolver's queue for each datagram.
        lookup: (address, _options, done) => done(null, address, address.includes(':') ? 6 : 4),
      });
      socket.once('error', reject);
      socket.bind(at.port, at.host, () => {
        socket.removeListener('error', reject);
        // ECONNREFUSED, EMSGSIZE and the like for single datagrams: a datagram that could not be sent is a datagram lost,
        // and the timers of its transaction take care of that.
        socket.on('error', () => {});
        const { address, port } = socket.address();
        let isOpen = true;
        resolve({
          local: { host: address, port },
          send: (bytes, to) => {
            // A forged datagram can come from port 0, which cannot be answered.
            if (isOpen && to.port > 0) socket.send(bytes, to.port, to.host);
          },
          close: () => {
            isOpen = false;
            socket.close();
          },
        });
      });
      socket.on('message', (bytes, from) => onDatagram(bytes, { host: from.address, port: from.port }));
    });
  },
  listenTcp(at, onConnection) {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true, keepAlive: true }, onConnection);
      server.once('error', reject);
      server.listen({ host: at.host, port: at.port, ipv6Only: isIPv6(at.host) }, () => {
        server.removeListener('error', reject);
        // EMFILE while accepting: the connection is lost, the server goes on.
        server.on('error', () => {});
        resolve(server);
      });
    });
  },
  connectTcp: (to) => createConnection({ host: to.host, port: to.port, noDelay: true, keepAlive: true }),
  names: systemNames,
  // RFC 3261 18.1.1, where the way is not known.
  longestDatagramTo: (host) => (isLoopback(host) ? 65_507 : 1_300),
};
