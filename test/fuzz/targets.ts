import {
  parseMessage,
  parseNameAddr,
  parseUri,
  parseVia,
  serialise,
  serialiseNameAddr,
  serialiseUri,
  serialiseVia,
  splitList,
} from '../../src/sip/index.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findMp3Frames } from '../../src/mediad/media/files/mp3.ts';
import { findOpusPackets } from '../../src/mediad/media/files/ogg-opus.ts';
import { readWav } from '../../src/mediad/media/files/wav.ts';
import { StreamFramer } from '../../src/sip/transport/stream-framer.ts';
import { stunAnswer, isStun } from '../../src/sip/transport/stun-answer.ts';
import { bodyFault } from '../../src/sipd/admission/body-fault.ts';
import { ReservedCalls } from '../../src/sipd/admission/reserved-calls.ts';
import { parseAppMessage } from '../../src/sipd/control/app-message.ts';
import { FrameReader } from '../../src/sipd/control/frame-reader.ts';
import { digestAnswers } from './digest-answers.ts';
import { messages, valuesOf } from './corpus.ts';
import { mediaTargets } from './media-targets.ts';
import { shareTargets } from './shared-port-targets.ts';
import { srtpTargets } from './srtp-targets.ts';

/** What is fed with hostile bytes. `eat` throws where a law is broken, besides where the code itself does. */
export interface Target {
  readonly name: string;
  readonly seeds: () => readonly Buffer[];
  readonly eat: (bytes: Buffer) => void;
}

const reserved = new ReservedCalls(['911']);

/** A text that is read and written is read the same way again, by us and by whoever gets it from us. */
function isFixedPoint<T>(text: string, parse: (text: string) => T | undefined, write: (value: T) => string): void {
  const value = parse(text);
  if (value === undefined) return;
  const written = write(value);
  const again = parse(written);
  if (again === undefined) throw new Error('accepted, then refused');
  if (write(again) !== written) throw new Error('read differently the second time');
}

function datagram(bytes: Buffer): void {
  reserved.isAskedForIn(bytes);
  if (isStun(bytes)) stunAnswer(bytes, { host: '192.0.2.1', port: 5060 });
  const result = parseMessage(bytes);
  if (result.kind === 'drop') return;
  const message = result.kind === 'message' ? result.message : result.request;
  message.headers.forEach((name, value) => {
    if (/[\r\n\0]/.test(value)) throw new Error(`line end in ${name}`);
  });
  if (message.kind === 'request') bodyFault(message);
  if (result.kind !== 'message') return;
  const written = serialise(message);
  const again = parseMessage(written);
  if (again.kind !== 'message') throw new Error('accepted, then refused');
  if (!serialise(again.message).equals(written)) throw new Error('read differently the second time');
}

/** Wherever a stream is cut, the same messages come out of it. */
function stream(bytes: Buffer): void {
  const whole = new StreamFramer().push(bytes).map(({ kind }) => kind);
  const at = bytes.length === 0 ? 0 : (bytes[0] ?? 0) % bytes.length;
  const cut = new StreamFramer();
  const pieces = [bytes.subarray(0, at), bytes.subarray(at, at + 1), bytes.subarray(at + 1)];
  const kinds = pieces.flatMap((piece) => cut.push(piece)).map(({ kind }) => kind);
  if (kinds.join() !== whole.join()) throw new Error(`cut at ${at} it is ${kinds.join()}, not ${whole.join()}`);
}

function lists(bytes: Buffer): void {
  const text = bytes.toString('utf8');
  for (const value of splitList(text)) {
    isFixedPoint(value, parseNameAddr, serialiseNameAddr);
    isFixedPoint(value, parseVia, serialiseVia);
  }
}

function control(bytes: Buffer): void {
  const whole = new FrameReader().push(bytes, 100_000);
  for (const payload of whole ?? []) parseAppMessage(payload);
  parseAppMessage(bytes);
  const cut = new FrameReader();
  const at = bytes.length >> 1;
  const first = cut.push(bytes.subarray(0, at), 100_000);
  const rest = first === undefined ? undefined : cut.push(bytes.subarray(at), 100_000);
  const isSame = whole === undefined ? rest === undefined : rest?.length === whole.length - (first?.length ?? 0);
  if (!isSame) throw new Error('cut in two it is read differently');
}

function wav(bytes: Buffer): void {
  const read = readWav(bytes);
  if (read.kind === 'read' && read.samples.length * 2 > bytes.length) throw new Error('more samples than bytes');
}

/** What goes to the decoder lies in the file, and is no more than it. */
function mp3(bytes: Buffer): void {
  const found = findMp3Frames(bytes);
  if (found.kind === 'frames') within(found.frames, bytes);
}

function ogg(bytes: Buffer): void {
  const found = findOpusPackets(bytes);
  if (found.kind === 'packets') within(found.packets, bytes);
}

function within(pieces: readonly Buffer[], file: Buffer): void {
  if (pieces.reduce((sum, piece) => sum + piece.length, 0) > file.length) throw new Error('more than the file holds');
}

const soundFiles = (...names: string[]) => names.map((name) => readFileSync(join(import.meta.dirname, 'seeds', name)));

/** 100 samples. */
const smallWav = () =>
  Buffer.concat([
    Buffer.from(
      'RIFF\xec\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\xc8\0\0\0',
      'latin1',
    ),
    Buffer.alloc(200, 7),
  ]);

const uris = [
  'sip:user:secret@host.example.com:5060;transport=tcp;lr?Subject=x',
  'sips:[2001:db8::1]:5061',
  'sip:%00%41@192.0.2.1;maddr=239.0.0.1',
];
const addresses = [
  '"Dr \\"A\\"" <sip:a@b;lr>;tag=1;q=0.5, <sip:c>',
  'SIP / 2.0 / UDP [::1]:5060;branch=z9hG4bK1;rport',
];
const passwords = [
  'Digest username="a", realm="r", nonce="n", uri="sip:x", response="0123", algorithm=SHA-256, cnonce="c", qop=auth, nc=00000001',
  'Digest username="a\\"b", realm="r,s", nonce=n',
  'Basic YTpi, Digest username=x',
];

/** 1 to 6, 8 and 11 of the plan, and the files that are played. */
export const targets: readonly Target[] = [
  { name: 'datagram', seeds: messages, eat: datagram },
  { name: 'stream', seeds: messages, eat: stream },
  {
    name: 'uri',
    seeds: () =>
      [...uris, ...messages().map((bytes) => bytes.toString('latin1').split(' ')[1] ?? '')].map((x) => Buffer.from(x)),
    eat: (bytes) => isFixedPoint(bytes.toString('utf8'), parseUri, serialiseUri),
  },
  {
    name: 'lists',
    seeds: () => valuesOf(/^(via|v|from|f|to|t|contact|m|route|record-route)$/i, addresses),
    eat: lists,
  },
  {
    name: 'authorization',
    seeds: () => valuesOf(/authorization/i, passwords),
    eat: (bytes) => digestAnswers(bytes.toString()),
  },
  { name: 'wav', seeds: () => [smallWav()], eat: wav },
  { name: 'mp3', seeds: () => soundFiles('tone-22k.mp3', 'tone-44k-stereo.mp3'), eat: mp3 },
  { name: 'ogg', seeds: () => soundFiles('tone.opus'), eat: ogg },
  {
    name: 'control',
    seeds: () => messages().map((bytes) => Buffer.concat([Buffer.from(`${bytes.length + 10}#m1|sip|t|\r\n`), bytes])),
    eat: control,
  },
  ...mediaTargets,
  ...srtpTargets,
  ...shareTargets,
];
