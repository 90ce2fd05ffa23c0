/**
 * Time stamps by RFC 3161: somebody else says, under a signature that courts know, that a head of the chain existed then.
 * Whether that signature is good is judged where the evidence is looked at, with the certificates that are trusted there
 * (`openssl ts -verify`); here it is seen to be an answer to what was asked.
 */
import { createHash, randomBytes } from 'node:crypto';
import { DER, derChild, derOnly, type DerValue, derValues } from './der.ts';
import type { LineFile } from './line-file.ts';

/** A line of audit.timestamps. */
export interface TimeStamp {
  readonly place: string;
  /** What was stamped, byte for byte: a head as it is sent outside. */
  readonly head: string;
  /** The answer (TimeStampResp), DER as base64. */
  readonly answer: string;
}

export interface TimeStampRequest {
  readonly bytes: Buffer;
  /** SHA-256 of what is to be stamped. */
  readonly digest: Buffer;
  readonly nonce: Buffer;
}

const ANSWER_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;
/** AlgorithmIdentifier of SHA-256 in a MessageImprint, up to the 32 bytes. */
const IMPRINT = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const ID_SHA256 = Buffer.from('608648016503040201', 'hex');
const ID_SIGNED_DATA = Buffer.from('2a864886f70d010702', 'hex');
const ID_TST_INFO = Buffer.from('2a864886f70d0109100104', 'hex');
const GRANTED = ['00', '01'];

/** TimeStampReq (RFC 3161 section 2.4.1): version 1, SHA-256, a nonce, with the certificate of the service. */
export function timeStampRequest(text: string): TimeStampRequest {
  const digest = createHash('sha256').update(text).digest();
  const random = randomBytes(8);
  // Positive, and no byte too long.
  random[0] = ((random[0] ?? 0) & 0x7f) | 0x40;
  const nonce = Buffer.concat([Buffer.from([DER.integer, random.length]), random]);
  const content = Buffer.concat([Buffer.from('020101', 'hex'), IMPRINT, digest, nonce, Buffer.from('0101ff', 'hex')]);
  return { bytes: Buffer.concat([Buffer.from([DER.sequence, content.length]), content]), digest, nonce };
}

/** Throws, with the reason, unless `answer` grants a stamp of what was asked (section 2.4.2). */
export function checkTimeStamp(answer: Buffer, { digest, nonce }: TimeStampRequest): void {
  const parts = derValues(derOnly(answer, DER.sequence).content);
  const status = derChild(derValues(derChild(parts, 0, DER.sequence).content), 0, DER.integer);
  if (!GRANTED.includes(status.content.toString('hex'))) {
    throw new Error(`the service refused with status ${status.content.toString('hex')}`);
  }
  const token = derValues(derChild(parts, 1, DER.sequence).content);
  if (!derChild(token, 0, DER.oid).content.equals(ID_SIGNED_DATA)) throw new Error('the answer is not signed');
  const signed = derValues(derOnly(derChild(token, 1, DER.zero).content, DER.sequence).content);
  // Certificates and revocations may stand before the signatures (RFC 5652 section 5.1).
  const signers = derChild(signed, signed.length - 1, DER.set);
  if (signed.length < 4 || derValues(signers.content).length === 0) throw new Error('nobody has signed the answer');
  const content = derValues(derChild(signed, 2, DER.sequence).content);
  if (!derChild(content, 0, DER.oid).content.equals(ID_TST_INFO)) throw new Error('the answer stamps nothing');
  const octets = derOnly(derChild(content, 1, DER.zero).content, DER.octets);
  const info = derValues(derOnly(octets.content, DER.sequence).content);
  if (!isImprint(derChild(info, 2, DER.sequence), digest)) throw new Error('the answer stamps something else');
  derChild(info, 4, DER.time);
  const isOurs = info.slice(5).some(({ tag, whole }) => tag === DER.integer && whole.equals(nonce));
  if (!isOurs) throw new Error('the answer is one to another request');
}

/** A service may write the algorithm with or without its empty parameters (RFC 5754 section 2). */
function isImprint({ content }: DerValue, digest: Buffer): boolean {
  const parts = derValues(content);
  const algorithm = derValues(derChild(parts, 0, DER.sequence).content);
  return (
    derChild(algorithm, 0, DER.oid).content.equals(ID_SHA256) && derChild(parts, 1, DER.octets).content.equals(digest)
  );
}

/** Has the newest head stamped, for it says everything that the others say, and keeps the answer. Rejects with the reason. */
export async function byTimeStamp(place: string, heads: readonly string[], kept: LineFile): Promise<void> {
  const head = heads.at(-1) ?? '';
  const url = new URL(place.slice(place.indexOf('+') + 1));
  const request = timeStampRequest(head);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: request.bytes,
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url.host} answered with status ${response.status}`);
  }
  const answer = await limited(response, url.host);
  try {
    checkTimeStamp(answer, request);
  } catch (cause) {
    throw new Error(`${url.host}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const line: TimeStamp = { place, head, answer: answer.toString('base64') };
  await kept.append([JSON.stringify(line)]);
}

async function limited(response: Response, host: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`${host} answered with more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
