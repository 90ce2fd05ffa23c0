import { newIdentity } from '../../src/mediad/dtls/identity.ts';
import { Handshake } from '../../src/mediad/dtls/handshake.ts';
import { ATTRIBUTE, BINDING, writeStun } from '../../src/mediad/ice/stun.ts';
import { kindOf } from '../../src/mediad/media/datagram-kind.ts';
import { NominatedLatch } from '../../src/mediad/media/nominated-latch.ts';
import { writeRtp } from '../../src/mediad/media/rtp-packet.ts';
import { mediaLeg, phoneWith } from '../support/media-leg.ts';
import { PCMU } from '../../src/mediad/media/codec/codec.ts';
import type { Target } from './targets.ts';

const session = { local: { ufrag: 'ours', pwd: 'a password of ours' }, remoteUfrag: 'them' };
const phoneAt = { address: '192.0.2.7', port: 4000 };
const strangerAt = { address: '203.0.113.66', port: 6666 };
const check = (pwd: string) =>
  writeStun(
    BINDING.request,
    Buffer.alloc(12, 7),
    [
      [ATTRIBUTE.username, Buffer.from('ours:them')],
      [ATTRIBUTE.priority, Buffer.alloc(4, 1)],
      [ATTRIBUTE.iceControlling, Buffer.alloc(8, 1)],
      [ATTRIBUTE.useCandidate, Buffer.alloc(0)],
    ],
    pwd,
  );
const right = check(session.local.pwd);

/** Only the one message that knows the password is answered, or moves anything. */
function checks(bytes: Buffer): void {
  const latch = new NominatedLatch(session);
  const isAnswered = latch.check(Buffer.from(bytes), strangerAt) !== undefined;
  const isNominated = latch.target !== undefined;
  if ((isAnswered || isNominated) && !bytes.equals(right)) throw new Error('answered who knows nothing');
}

const us = newIdentity();
const them = newIdentity();
const fingerprints = [{ hash: 'sha-256', value: them.fingerprint }] as const;
const hellos: Buffer[] = [];
const events = { send: () => {}, agreed: () => {}, failed: () => {} };
const client = new Handshake(
  'client',
  fingerprints,
  { ...events, send: (hello) => hellos.push(Buffer.from(hello)) },
  them,
);
client.start();
client.close();

/** Whatever comes, there are no keys without a handshake, and nothing breaks. */
function handshakes(bytes: Buffer): void {
  const agreed = () => {
    throw new Error('keys out of nothing');
  };
  const server = new Handshake('server', fingerprints, { ...events, agreed }, us);
  server.receive(bytes);
  server.receive(bytes);
  server.close();
}

const sound = writeRtp({
  payloadType: 0,
  marker: true,
  sequence: 9,
  timestamp: 160,
  ssrc: 7,
  payload: Buffer.alloc(160, 5),
});

/** On the port where all of it comes together: a stranger is never heard and never answered. */
function sharedPort(bytes: Buffer): void {
  if (bytes.equals(right)) return;
  const said: Buffer[] = [];
  const leg = mediaLeg((datagram) => said.push(datagram));
  leg.setRemote({ ...phoneWith(PCMU, 0, phoneAt), dtls: { ice: session } }, 0);
  leg.receive(Buffer.from(bytes), strangerAt, 0);
  leg.tick(20);
  const { packetsIn, foreignIn, brokenIn } = leg.report().counters;
  if (said.length > 0) throw new Error('somebody was answered');
  if (packetsIn !== 0 || foreignIn + brokenIn !== 1) throw new Error(`${kindOf(bytes)} counted as something else`);
  leg.close();
}

/** STUN, DTLS and sound on one port. */
export const shareTargets: readonly Target[] = [
  { name: 'stun', seeds: () => [right, check('another')], eat: checks },
  { name: 'dtls', seeds: () => hellos, eat: handshakes },
  { name: 'shared-port', seeds: () => [right, check('another'), ...hellos, sound], eat: sharedPort },
];
