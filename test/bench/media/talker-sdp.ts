/** What a talker says of itself, and what it reads of the other side's answer. */
import { cryptoLine, readCryptoLine } from '../../../src/mediad/sdp/crypto-line.ts';
import type { Place, Talker } from './talkers.ts';

export function describeTalker({ port, key }: Pick<Talker, 'port' | 'key'>): string {
  return [
    ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
    `m=audio ${port} RTP/${key === undefined ? 'AVP' : 'SAVP'} 0`,
    ...['a=rtpmap:0 PCMU/8000', 'a=ptime:20', 'a=sendrecv', 'a=rtcp-mux'],
    key === undefined ? '' : cryptoLine({ tag: 1, master: key }),
  ].join('\r\n');
}

export function placeIn(sdp: string): Place {
  const [, port = '0'] = /^m=audio (\d+)/m.exec(sdp) ?? [];
  const [, crypto] = /^a=crypto:(.*?)\r?$/m.exec(sdp) ?? [];
  return { port: Number(port), key: crypto === undefined ? undefined : readCryptoLine(crypto)?.master };
}
