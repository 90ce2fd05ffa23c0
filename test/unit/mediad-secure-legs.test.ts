/** SRTP by SDES from the description to the ear: what is agreed, what is heard, and what never is. */
import t from 'tap';
import type { BridgeFrame } from '../../src/mediad/media/bridge.ts';
import { PCMU } from '../../src/mediad/media/codec/codec.ts';
import { MediaLeg } from '../../src/mediad/media/media-leg.ts';
import type { Endpoint, RemoteMedia, SrtpKeys } from '../../src/mediad/media/messages.ts';
import { readRtp, writeRtp } from '../../src/mediad/media/rtp-packet.ts';
import { newIceCredentials } from '../../src/mediad/ice/ice-lite.ts';
import { cryptoLine, newMasterKey } from '../../src/mediad/sdp/crypto-line.ts';
import { answerSdp, type LocalMedia, offerSdp, readAnswer } from '../../src/mediad/sdp/negotiate.ts';
import { SrtpReceiver, SrtpSender } from '../../src/mediad/srtp/srtp.ts';
import { type MasterKey, SUITE_NAMES, type SuiteName } from '../../src/mediad/srtp/suites.ts';
import { phoneWith } from '../support/media-leg.ts';

const theirs = {
  AEAD_AES_128_GCM: newMasterKey('AEAD_AES_128_GCM'),
  AES_CM_128_HMAC_SHA1_80: newMasterKey('AES_CM_128_HMAC_SHA1_80'),
};
const ours = {
  AEAD_AES_128_GCM: newMasterKey('AEAD_AES_128_GCM'),
  AES_CM_128_HMAC_SHA1_80: newMasterKey('AES_CM_128_HMAC_SHA1_80'),
};

const local = (isRequired = false): LocalMedia => ({
  address: '192.0.2.1',
  port: 20_000,
  controlPort: 20_001,
  sessionId: '1',
  version: 1,
  codecs: { names: ['PCMU', 'PCMA'], order: 'offer' },
  security: {
    isRequired,
    offers: isRequired ? 'sdes' : 'none',
    keyOf: (suite) => ours[suite],
    dtls: () => ({ fingerprint: '', role: undefined, ice: newIceCredentials }),
  },
});

const audio = (protocol: string, attributes = '', port = 4000) => `m=audio ${port} ${protocol} 0\r\n${attributes}`;
const offer = (...media: readonly string[]) => `v=0\r\nc=IN IP4 192.0.2.7\r\n${media.join('')}`;
const crypto = (tag: number, suite: SuiteName) => cryptoLine({ tag, master: theirs[suite] });

t.test('of what is offered the first key that we can use is answered with ours, under its tag', async (t) => {
  for (const suite of SUITE_NAMES) {
    for (const protocol of ['RTP/SAVP', 'RTP/SAVPF']) {
      const answered = answerSdp(
        offer(audio(protocol, `a=crypto:1 F8_128_HMAC_SHA1_80 inline:x\r\n${crypto(7, suite)}${crypto(8, suite)}`)),
        local(),
      );
      if (answered.kind === 'refused') return t.fail(answered.reason);
      t.same(answered.agreed.srtp, { ours: ours[suite], theirs: theirs[suite] });
      t.match(answered.sdp, new RegExp(`m=audio 20000 ${protocol} 0`));
      t.ok(answered.sdp.includes(cryptoLine({ tag: 7, master: ours[suite] })));
      t.equal(answered.sdp.split('a=crypto').length, 2, 'one key');
    }
  }
});

t.test('an encrypted line goes before one in the clear, wherever it stands', async (t) => {
  const answered = answerSdp(
    offer(audio('RTP/AVP', '', 4000), audio('RTP/SAVP', crypto(1, 'AES_CM_128_HMAC_SHA1_80'), 4002)),
    local(),
  );
  if (answered.kind === 'refused') return t.fail(answered.reason);
  t.equal(answered.agreed.remotePort, 4002);
  t.match(answered.sdp, /m=audio 0 RTP\/AVP 0\r\nm=audio 20000 RTP\/SAVP 0/);
});

t.test('keys that we would get wrong count as absent, and SAVP without a key is refused', async (t) => {
  const key = Buffer.alloc(30, 1).toString('base64');
  const AES = 'AES_CM_128_HMAC_SHA1_80';
  for (const line of [
    '',
    `a=crypto:1 ${AES}_32 inline:${key}\r\n`,
    `a=crypto:1 ${AES} inline:${key}|2^20|1:4\r\n`,
    `a=crypto:1 ${AES} inline:${key}|1:4\r\n`,
    `a=crypto:1 ${AES} inline:${key};inline:${key}\r\n`,
    `a=crypto:1 ${AES} inline:${key} UNENCRYPTED_SRTP\r\n`,
    `a=crypto:1 ${AES} inline:${key} UNAUTHENTICATED_SRTP\r\n`,
    `a=crypto:1 ${AES} inline:${key} KDR=1\r\n`,
    `a=crypto:1 ${AES} inline:${key.slice(0, -4)}\r\n`,
    `a=crypto:1 ${AES} inline:${key}AAAA\r\n`,
    `a=crypto:1 ${AES} inline:${key.replace(/^./, '*')}\r\n`,
    `a=crypto:x ${AES} inline:${key}\r\n`,
    `a=crypto:1 AEAD_AES_128_GCM inline:${key}\r\n`,
    `a=crypto:1 toString inline:${key}\r\n`,
  ]) {
    t.match(answerSdp(offer(audio('RTP/SAVP', line)), local()), { kind: 'refused', reason: /a=crypto/ }, line);
  }
  for (const line of [`inline:${key}|2^31`, `inline:${key} WSH=128`, `inline:${key}|100`])
    t.match(answerSdp(offer(audio('RTP/SAVP', `a=crypto:1 ${AES} ${line}\r\n`)), local()), { kind: 'answered' }, line);
  t.match(answerSdp(offer(audio('UDP/TLS/RTP/SAVPF')), local()), { kind: 'refused' });
});

t.test('a leg that must be encrypted offers and takes nothing else', async (t) => {
  const ourOffer = offerSdp(local(true));
  t.match(ourOffer, /m=audio 20000 RTP\/SAVP /);
  t.equal(ourOffer.split('a=crypto').length, 1 + SUITE_NAMES.length);
  t.match(readAnswer(offer(audio('RTP/AVP')), local(true)), { kind: 'refused', reason: /not encrypted.*enable SRTP/ });
  t.match(readAnswer(offer(audio('RTP/SAVP')), local(true)), { kind: 'refused', reason: /a=crypto/ });
  t.match(answerSdp(offer(audio('RTP/AVP')), local(true)), { kind: 'refused', reason: /not encrypted/ });
  t.match(readAnswer(offer(audio('RTP/SAVP', crypto(2, 'AES_CM_128_HMAC_SHA1_80'))), local(true)), {
    kind: 'agreed',
    agreed: { srtp: { theirs: theirs.AES_CM_128_HMAC_SHA1_80, ours: ours.AES_CM_128_HMAC_SHA1_80 } },
  });
  t.notMatch(offerSdp(local()), /crypto|SAVP/);
});

const phoneAt = { address: '192.0.2.7', port: 4000 };
const neighbourAt = { address: '192.0.2.7', port: 4999 };
const attackerAt = { address: '203.0.113.66', port: 6666 };

function aLeg(srtp: SrtpKeys | undefined) {
  const sent: { datagram: Buffer; to: Endpoint }[] = [];
  const leg = new MediaLeg({
    transport: {
      send: (datagram, to) => sent.push({ datagram: Buffer.from(datagram), to }),
      sendControl: () => {},
      connect: () => {},
      disconnect: () => {},
      close: () => {},
    },
    events: { digit: () => {}, silent: () => {}, measured: () => {}, reported: () => {} },
    silenceMs: 0,
    nowMs: 0,
  });
  const remote: RemoteMedia = { ...phoneWith(PCMU, 0, phoneAt), srtp };
  leg.setRemote(remote, 0);
  const heard: Buffer[] = [];
  const peer = {
    takes: 'packets',
    push: (frame: BridgeFrame) => void (frame.kind === 'audio' && heard.push(Buffer.from(frame.payload))),
    close: () => {},
  } as const;
  leg.bridge(peer);
  return {
    leg,
    remote,
    sent,
    heard,
    hear: (datagram: Buffer, from: Endpoint = phoneAt, nowMs = 0) => leg.receive(Buffer.from(datagram), from, nowMs),
  };
}

const packet = (sequence: number, fill = sequence) =>
  writeRtp({
    payloadType: 0,
    marker: false,
    sequence,
    timestamp: sequence * 160,
    ssrc: 5,
    payload: Buffer.alloc(160, fill),
  });

for (const suite of SUITE_NAMES) {
  const keys: SrtpKeys = { ours: ours[suite], theirs: theirs[suite] };

  t.test(`${suite}: only what the phone has sealed is heard, once; all else is counted`, async (t) => {
    const { leg, heard, hear } = aLeg(keys);
    const phone = new SrtpSender(theirs[suite]);
    const first = phone.seal(packet(1))!;
    hear(packet(1));
    hear(new SrtpSender(newMasterKey(suite)).seal(packet(1))!);
    hear(first.subarray(0, -1));
    hear(first.subarray(0, 13));
    t.same(heard, []);
    hear(first);
    hear(first);
    hear(phone.seal(packet(2))!);
    t.same(heard, [Buffer.alloc(160, 1), Buffer.alloc(160, 2)]);
    t.match(leg.report().counters, { packetsIn: 2, unauthenticIn: 4, brokenIn: 1, foreignIn: 0 });
    leg.close();
  });

  t.test(`${suite}: what is sent is sealed with our key, and no number twice`, async (t) => {
    const { leg, sent } = aLeg(keys);
    leg.unbridge();
    const phone = new SrtpReceiver(ours[suite]);
    for (let i = 0; i < 50; i++) leg.tick(i * 20);
    t.equal(sent.length, 50);
    for (const { datagram } of sent) {
      const opened = phone.open(datagram);
      if (typeof opened === 'string') return t.fail(opened);
      t.same(readRtp(opened)?.payload, Buffer.alloc(160, 0xff));
    }
    leg.close();
  });

  t.test(
    `${suite}: a description that changes something else goes on with the keys; a new key begins anew`,
    async (t) => {
      const { leg, remote, heard, hear } = aLeg(keys);
      const phone = new SrtpSender(theirs[suite]);
      const [one, two] = [phone.seal(packet(1))!, phone.seal(packet(2))!];
      hear(one);
      leg.setRemote({ ...remote, srtp: { ours: copy(keys.ours), theirs: copy(keys.theirs) } }, 0);
      hear(one);
      hear(two);
      t.equal(heard.length, 2, 'the first is not heard again');
      const next = newMasterKey(suite);
      leg.setRemote({ ...remote, srtp: { ...keys, theirs: next } }, 0);
      hear(phone.seal(packet(3))!);
      hear(new SrtpSender(next).seal(packet(3))!);
      t.equal(heard.length, 3, 'only the new key');
      leg.close();
    },
  );

  t.test(`${suite}: a phone that begins anew can open what it is sent, however long the call has lasted`, async (t) => {
    const { leg, remote, sent } = aLeg(keys);
    leg.unbridge();
    const elsewhere = { address: '192.0.2.8', port: 4100 };
    const other = { ...keys, theirs: newMasterKey(suite) };
    let nowMs = 0;
    const talk = (frames: number) => {
      sent.length = 0;
      for (let i = 0; i < frames; i++) leg.tick((nowMs += 20));
      return readRtp(sent.at(-1)!.datagram)!.ssrc;
    };
    // Further than 16 bits of numbers go: whoever comes new cannot know the rest.
    const first = talk(66_000);
    t.equal(new SrtpReceiver(keys.ours).open(Buffer.from(sent.at(-1)!.datagram)), 'unauthentic');
    const changes: readonly (readonly [string, RemoteMedia, boolean])[] = [
      ['the same again', remote, false],
      ['on hold', { ...remote, sendTo: undefined }, false],
      ['back', remote, false],
      ['another address', { ...remote, sendTo: elsewhere }, true],
      ['on hold there', { ...remote, sendTo: undefined }, false],
      ['back where it was first', remote, true],
      ['another key', { ...remote, srtp: other }, true],
    ];
    let ssrc = first;
    for (const [what, description, isNew] of changes) {
      leg.setRemote(description, nowMs);
      if (description.sendTo === undefined) continue;
      const now = talk(5);
      t.equal(now !== ssrc, isNew, what);
      if (isNew) {
        const fresh = new SrtpReceiver(keys.ours);
        for (const { datagram, to } of sent) {
          t.type(fresh.open(Buffer.from(datagram)), Buffer, what);
          t.same(to, description.sendTo);
        }
      }
      ssrc = now;
    }
    leg.close();
  });

  t.test(`${suite}: nobody else is heard or sent to, before the latch and after it`, async (t) => {
    const { leg, sent, heard, hear } = aLeg(keys);
    const attacker = new SrtpSender(newMasterKey(suite));
    const spray = (from: number) => {
      for (let i = from; i < from + 50; i++) {
        for (const at of [attackerAt, neighbourAt])
          for (const datagram of [packet(i, 0x66), attacker.seal(packet(i, 0x66))]) {
            if (datagram !== undefined) hear(datagram, at, i * 10);
          }
        leg.tick(i * 10);
      }
    };
    spray(0);
    const phone = new SrtpSender(theirs[suite]);
    const first = phone.seal(packet(1))!;
    hear(first, attackerAt, 600);
    hear(first, phoneAt, 610);
    hear(first, neighbourAt, 610);
    spray(100);
    hear(phone.seal(packet(2))!, attackerAt, 2000);
    hear(phone.seal(packet(3))!, phoneAt, 2000);
    t.same(heard, [Buffer.alloc(160, 1), Buffer.alloc(160, 3)]);
    t.same([...new Set(sent.map(({ to }) => `${to.address}:${to.port}`))], ['192.0.2.7:4000']);
    leg.close();
  });
}

t.test('in the clear too: nobody else is heard or sent to, before the latch and after it', async (t) => {
  const { leg, sent, heard, hear } = aLeg(undefined);
  const spray = () => {
    for (let i = 0; i < 50; i++) {
      hear(packet(i, 0x66), attackerAt, i * 10);
      leg.tick(i * 10);
    }
  };
  spray();
  hear(packet(1), phoneAt, 600);
  spray();
  for (let i = 0; i < 50; i++) hear(packet(i, 0x66), neighbourAt, 700 + i * 10);
  hear(packet(2), phoneAt, 2000);
  t.same(heard, [Buffer.alloc(160, 1), Buffer.alloc(160, 2)]);
  t.same([...new Set(sent.map(({ to }) => `${to.address}:${to.port}`))], ['192.0.2.7:4000']);
  t.match(leg.report().counters, { foreignIn: 150, packetsIn: 2 });
  leg.close();
});

function copy({ suite, key, salt }: MasterKey): MasterKey {
  return { suite, key: Uint8Array.from(key), salt: Uint8Array.from(salt) };
}
