/**
 * What a browser does for a call, by libdatachannel: full ICE, DTLS and SRTP. It runs in a process of its own (the library ends
 * the process when it is loaded twice) and hands the bare RTP on to a UDP port, so that any phone of the tests can speak through it.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Audio, PeerConnection, type Track } from 'node-datachannel';
import type { BrowserAnswer, BrowserOrder } from './browser-phone.ts';

/** As Chromium numbers it. */
const OURS = 0x5150;
const peer = new PeerConnection('browser', { iceServers: [], disableAutoNegotiation: true });
const socket = createSocket('udp4');
let phone: { port: number } | undefined;
let track: Track | undefined;

function tell(message: BrowserAnswer): void {
  process.send!(message);
}

function use(opened: Track): void {
  track = opened;
  opened.onMessage((packet) => {
    if (phone !== undefined) socket.send(packet, phone.port, '127.0.0.1');
  });
}

/** The description is shown when all addresses are in it. */
function whole(describe: () => void): void {
  const done = (): void => tell({ sdp: peer.localDescription()!.sdp });
  if (peer.gatheringState() === 'complete') {
    describe();
    return done();
  }
  peer.onGatheringStateChange((state) => state === 'complete' && done());
  describe();
}

function perform(order: BrowserOrder): void {
  switch (order.do) {
    case 'listen':
      phone = { port: order.phonePort };
      return tell({ port: socket.address().port });
    case 'offer': {
      const audio = new Audio('0', 'SendRecv');
      audio.addAudioCodec(0, 'PCMU');
      audio.addSSRC(OURS, 'browser', 'stream', 'sound');
      use(peer.addTrack(audio));
      return whole(() => peer.setLocalDescription('offer'));
    }
    case 'answer':
      peer.onTrack(use);
      return whole(() => {
        peer.setRemoteDescription(order.sdp, 'offer');
        peer.setLocalDescription('answer');
      });
    case 'accept':
      return peer.setRemoteDescription(order.sdp, 'answer');
  }
}

peer.onStateChange((state) => tell({ state }));
socket.on('message', (packet) => {
  if (track?.isOpen() === true) track.sendMessageBinary(packet);
});
socket.bind(0, '127.0.0.1');
await once(socket, 'listening');
process.on('message', perform);
process.on('disconnect', () => process.exit());
