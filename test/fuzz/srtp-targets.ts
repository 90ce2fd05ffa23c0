import { rtpHeaderBytes, writeRtp } from '../../src/mediad/media/rtp-packet.ts';
import { cryptoLine, newMasterKey } from '../../src/mediad/sdp/crypto-line.ts';
import type { LocalDtls } from '../../src/mediad/sdp/dtls-lines.ts';
import { answerSdp, type LocalMedia } from '../../src/mediad/sdp/negotiate.ts';
import { AesCm } from '../../src/mediad/srtp/aes-cm.ts';
import { AesGcm } from '../../src/mediad/srtp/aes-gcm.ts';
import { sessionKeys } from '../../src/mediad/srtp/session-keys.ts';
import { SUITE_NAMES } from '../../src/mediad/srtp/suites.ts';
import type { Target } from './targets.ts';

const keys = {
  AEAD_AES_128_GCM: newMasterKey('AEAD_AES_128_GCM'),
  AES_CM_128_HMAC_SHA1_80: newMasterKey('AES_CM_128_HMAC_SHA1_80'),
};
const lines = SUITE_NAMES.map((suite, i) => cryptoLine({ tag: i + 1, master: newMasterKey(suite) })).join('');
const print = Array.from({ length: 32 }, () => 'AB').join(':');
/** Ours towards browsers. */
const browser: LocalDtls = { fingerprint: print, role: undefined, ice: () => ({ ufrag: 'ours', pwd: 'password' }) };
const browsers = `a=mid:0\r\na=fingerprint:sha-256 ${print}\r\na=setup:actpass\r\na=ice-ufrag:them\r\na=ice-pwd:x\r\na=rtcp-mux\r\n`;
const offers = ['RTP/AVP', 'RTP/SAVP', 'RTP/SAVPF', `UDP/TLS/RTP/SAVPF`].map(
  (protocol) =>
    `v=0\r\nc=IN IP4 192.0.2.7\r\nm=audio 4000 ${protocol} 0 8 101\r\n${protocol.includes('TLS') ? browsers : lines}a=ptime:20\r\na=sendrecv\r\n`,
);

function local(isRequired: boolean): LocalMedia {
  return {
    address: '192.0.2.1',
    port: 20_000,
    controlPort: 20_001,
    sessionId: '1',
    version: 1,
    codecs: { names: ['PCMU', 'PCMA'], order: 'offer' },
    security: { isRequired, offers: 'sdes', keyOf: (suite) => keys[suite], dtls: () => browser },
  };
}

/** Whatever is offered, keys are agreed on exactly where the answer says so, and a leg that must be encrypted is. */
function descriptions(bytes: Buffer): void {
  const text = bytes.toString('utf8');
  for (const isRequired of [false, true]) {
    const answered = answerSdp(text, local(isRequired));
    if (answered.kind === 'refused') continue;
    const isSaid = /^m=audio 20000 RTP\/SAVPF? /m.test(answered.sdp);
    const cryptos = answered.sdp.match(/^a=crypto:/gm)?.length ?? 0;
    const isAgreed = answered.agreed.srtp !== undefined;
    if (isSaid !== isAgreed || cryptos !== (isAgreed ? 1 : 0)) throw new Error('the answer and the agreement differ');
    const isDtlsSaid = /^m=audio 20000 UDP\/TLS\/RTP\/SAVPF? /m.test(answered.sdp);
    const { cipher, dtls } = answered.agreed;
    if (isDtlsSaid !== (cipher === 'dtls') || (dtls !== undefined && dtls.fingerprints.length === 0))
      throw new Error('DTLS with whoever comes');
    if (isRequired && cipher === 'none') throw new Error('agreed in the clear where it must be encrypted');
  }
}

const protections = SUITE_NAMES.map((suite) => {
  const [rtp, rtcp] = [sessionKeys(keys[suite], 'rtp'), sessionKeys(keys[suite], 'rtcp')];
  return suite === 'AEAD_AES_128_GCM' ? new AesGcm(rtp, rtcp) : new AesCm(rtp, rtcp);
});
const packet = writeRtp({
  payloadType: 0,
  marker: true,
  sequence: 9,
  timestamp: 160,
  ssrc: 7,
  payload: Buffer.alloc(160, 5),
});
const report = Buffer.concat([Buffer.from('80c8000600000007', 'hex'), Buffer.alloc(20, 3)]);
const sealed = protections.flatMap((protection) => [protection.sealRtp(packet, 12, 9), protection.sealRtcp(report, 1)]);

/** Nothing is opened but what was sealed. */
function packets(bytes: Buffer): void {
  // Larger ones are refused before anybody looks for a key.
  if (bytes.length > 1500) return;
  const isTrue = sealed.some((one) => one.equals(bytes));
  const start = rtpHeaderBytes(bytes);
  for (const protection of protections) {
    const opened = [
      start === 0 ? undefined : protection.openRtp(Buffer.from(bytes), start, bytes.readUInt16BE(2)),
      bytes.length < 8 ? undefined : protection.openRtcp(Buffer.from(bytes)),
    ];
    if (!isTrue && opened.some((one) => one !== undefined)) throw new Error('opened what nobody has sealed');
  }
}

/** Descriptions with keys, and packets sealed with them. */
export const srtpTargets: readonly Target[] = [
  { name: 'keys', seeds: () => offers.map((offer) => Buffer.from(offer)), eat: descriptions },
  { name: 'srtp', seeds: () => sealed, eat: packets },
];
