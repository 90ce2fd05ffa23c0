/** SRTP: the published vectors, and what must never be heard. */
import { createSecretKey } from 'node:crypto';
import t from 'tap';
import { AesCm } from '../../src/mediad/srtp/aes-cm.ts';
import { AesGcm } from '../../src/mediad/srtp/aes-gcm.ts';
import { IndexWindow } from '../../src/mediad/srtp/index-window.ts';
import { sessionKeys } from '../../src/mediad/srtp/session-keys.ts';
import { SrtpReceiver, SrtpSender } from '../../src/mediad/srtp/srtp.ts';
import { type MasterKey, SUITE_NAMES, SUITES } from '../../src/mediad/srtp/suites.ts';
import { writeRtp } from '../../src/mediad/media/rtp-packet.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

const CM_MASTER: MasterKey = {
  suite: 'AES_CM_128_HMAC_SHA1_80',
  key: hex('E1F97A0D3E018BE0D64FA32C06DE4139'),
  salt: hex('0EC675AD498AFEEBB6960B3AABE6'),
};

t.test('RFC 3711 B.3: session keys come from the master key', async (t) => {
  const { key, salt, auth } = sessionKeys(CM_MASTER, 'rtp');
  t.same(key.export(), hex('C61E7A93744F39EE10734AFE3FF7A087'));
  t.same(salt, hex('30CBBC08863D8C85D49DB34A9AE1'));
  t.same(auth, hex('CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4'));
});

t.test('RFC 3711 B.2: the key stream of AES in counter mode', async (t) => {
  const keys = {
    key: createSecretKey(hex('2B7E151628AED2A6ABF7158809CF4F3C')),
    salt: hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'),
    auth: Buffer.alloc(20),
  };
  const packet = Buffer.concat([hex('800000000000000000000000'), Buffer.alloc(48)]);
  const sealed = new AesCm(keys, keys).sealRtp(packet, 12, 0);
  t.same(
    sealed.subarray(12, 60),
    hex(`E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0`),
  );
});

t.test('a packet of the suite from master key to tag, as libsrtp makes it', async (t) => {
  const plain = hex('800f1234decafbadcafebabe abababab abababab abababab abababab');
  const sealed = hex('800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb');
  t.same(new SrtpSender(CM_MASTER).seal(plain), sealed);
  t.same(new SrtpReceiver(CM_MASTER).open(Buffer.from(sealed)), plain);
});

t.test('RFC 7714 section 16: an RTP and an RTCP packet under AEAD_AES_128_GCM', async (t) => {
  const keys = {
    key: createSecretKey(hex('000102030405060708090a0b0c0d0e0f')),
    salt: hex('517569642070726f2071756f'),
    auth: Buffer.alloc(0),
  };
  const gcm = new AesGcm(keys, keys);
  const rtp = hex(`8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070
    61727465 73207472 6573`);
  const srtp = hex(`8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
    51c7d19b 36de3adf 8833 899d7f27 beb16a91 52cf765e e4390cce`);
  t.same(gcm.sealRtp(rtp, 12, 0xf17b), srtp);
  t.same(gcm.openRtp(Buffer.from(srtp), 12, 0xf17b), rtp);
  const rtcp = hex(`81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef
    deadbeef deadbeef deadbeef`);
  const srtcp = hex(`81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
    4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`);
  t.same(gcm.sealRtcp(rtcp, 0x5d4), srtcp);
  t.same(gcm.openRtcp(Buffer.from(srtcp)), { packet: rtcp, index: 0x5d4 });
});

const keyOf = (suite: MasterKey['suite'], fill = 1): MasterKey => ({
  suite,
  key: Buffer.alloc(SUITES[suite].keyBytes, fill),
  salt: Buffer.alloc(SUITES[suite].saltBytes, fill + 1),
});

const rtp = (sequence: number, { ssrc = 0x1234, size = 160, fill = sequence & 0xff } = {}) =>
  writeRtp({
    payloadType: 0,
    marker: false,
    sequence,
    timestamp: sequence * 160,
    ssrc,
    payload: Buffer.alloc(size, fill),
  });

const report = (ssrc = 0x1234) => {
  const packet = Buffer.alloc(28, 7);
  packet.writeUInt32BE(0x80c8_0006, 0);
  packet.writeUInt32BE(ssrc, 4);
  return packet;
};

for (const suite of SUITE_NAMES) {
  t.test(`${suite}: what is sealed is opened, of every size, and is not to be read on the way`, async (t) => {
    const sender = new SrtpSender(keyOf(suite));
    const receiver = new SrtpReceiver(keyOf(suite));
    for (const size of [0, 1, 15, 16, 17, 160, 480, 1400]) {
      const packet = rtp(size, { size, fill: 0x55 });
      const sealed = sender.seal(packet)!;
      t.equal(sealed.subarray(12).includes(Buffer.alloc(Math.min(size, 8) || 99, 0x55)), false);
      t.same(receiver.open(sealed), packet, `${size} bytes`);
    }
    const sealed = sender.sealControl(report());
    t.notSame(sealed.subarray(8, 28), report().subarray(8));
    t.same(receiver.openControl(sealed), report());
  });

  t.test(`${suite}: truncated, changed and wrongly keyed packets are not opened, and do no harm`, async (t) => {
    const sealed = new SrtpSender(keyOf(suite)).seal(rtp(1))!;
    const control = new SrtpSender(keyOf(suite)).sealControl(report());
    const receiver = new SrtpReceiver(keyOf(suite));
    for (let size = 0; size < sealed.length; size++) {
      t.type(receiver.open(Buffer.from(sealed.subarray(0, size))), 'string', `${size} of ${sealed.length} bytes`);
    }
    for (let size = 0; size < control.length; size++) {
      t.type(receiver.openControl(Buffer.from(control.subarray(0, size))), 'string', `${size} of ${control.length}`);
    }
    for (let bit = 0; bit < sealed.length * 8; bit += 5) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      t.type(receiver.open(changed), 'string', `bit ${bit} of SRTP`);
    }
    for (let bit = 0; bit < control.length * 8; bit += 5) {
      const changed = Buffer.from(control);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      t.type(receiver.openControl(changed), 'string', `bit ${bit} of SRTCP`);
    }
    t.equal(new SrtpReceiver(keyOf(suite, 3)).open(Buffer.from(sealed)), 'unauthentic');
    t.equal(receiver.open(rtp(2)), 'unauthentic', 'in the clear');
    t.equal(receiver.open(Buffer.alloc(1501, 0x80)), 'broken');
    t.same(receiver.open(Buffer.from(sealed)), rtp(1), 'and the true one is heard');
    t.same(receiver.openControl(Buffer.from(control)), report());
  });

  t.test(`${suite}: nothing is heard twice`, async (t) => {
    const sender = new SrtpSender(keyOf(suite));
    const receiver = new SrtpReceiver(keyOf(suite));
    const sealed = [1, 2, 3, 200].map((sequence) => sender.seal(rtp(sequence))!);
    for (const packet of [sealed[2]!, sealed[0]!]) t.type(receiver.open(Buffer.from(packet)), Buffer);
    for (const packet of [sealed[2]!, sealed[0]!]) t.equal(receiver.open(Buffer.from(packet)), 'replayed');
    t.type(receiver.open(Buffer.from(sealed[3]!)), Buffer);
    t.equal(receiver.open(Buffer.from(sealed[1]!)), 'replayed', 'too old for anybody to tell');
    const control = sender.sealControl(report());
    t.type(receiver.openControl(Buffer.from(control)), Buffer);
    t.equal(receiver.openControl(Buffer.from(control)), 'replayed');
  });

  t.test(`${suite}: two packets never leave under one number`, async (t) => {
    const sender = new SrtpSender(keyOf(suite));
    t.type(sender.seal(rtp(7, { fill: 1 })), Buffer);
    t.equal(sender.seal(rtp(7, { fill: 2 })), undefined);
    t.type(sender.seal(rtp(6)), Buffer, 'one that comes late is sent');
  });

  t.test(`${suite}: the numbers roll over, also out of order and with losses`, async (t) => {
    const sender = new SrtpSender(keyOf(suite));
    const receiver = new SrtpReceiver(keyOf(suite));
    const order = [65_533, 65_535, 1, 65_534, 0, 3, 2];
    for (const sequence of order) t.same(receiver.open(sender.seal(rtp(sequence))!), rtp(sequence), String(sequence));
    // Three more rounds: what was sealed under another round is another packet.
    const first = sender.seal(rtp(100))!;
    t.type(receiver.open(Buffer.from(first)), Buffer);
    for (let at = 200; at < 200_000; at += 20_000) t.type(receiver.open(sender.seal(rtp(at & 0xffff))!), Buffer);
    t.type(receiver.open(Buffer.from(first)), 'string');
  });

  t.test(`${suite}: each SSRC has numbers of its own, and there is an end of them`, async (t) => {
    const sender = new SrtpSender(keyOf(suite));
    const receiver = new SrtpReceiver(keyOf(suite));
    t.type(receiver.open(sender.seal(rtp(65_535, { ssrc: 1 }))!), Buffer);
    t.type(receiver.open(sender.seal(rtp(0, { ssrc: 1 }))!), Buffer);
    t.type(receiver.open(sender.seal(rtp(65_535, { ssrc: 2 }))!), Buffer, 'begins at round 0');
    for (let ssrc = 3; ssrc <= 64; ssrc++) t.type(receiver.open(sender.seal(rtp(1, { ssrc }))!), Buffer);
    t.equal(receiver.open(sender.seal(rtp(1, { ssrc: 65 }))!), 'unauthentic');
    t.type(receiver.open(sender.seal(rtp(1, { ssrc: 1 }))!), Buffer, 'those that are known go on');
  });
}

t.test('a number before the first of all is no packet', async (t) => {
  const window = new IndexWindow();
  window.saw(window.indexOf(10));
  t.ok(window.indexOf(65_530) < 0);
  t.notOk(window.isNew(window.indexOf(65_530)));
});
