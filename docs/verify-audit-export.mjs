// Checks an export of the audit (wardline audit export --out FILE) without Wardline: node verify-audit-export.mjs FILE PUBLICKEY
// PUBLICKEY is what `wardline audit key` printed, handed over by another way than the file. Needs Node 20 and nothing else.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';

const [file, publicKey] = process.argv.slice(2);
if (publicKey === undefined) {
  console.error('usage: node verify-audit-export.mjs FILE PUBLICKEY');
  process.exit(2);
}
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(publicKey, 'base64url')]);
const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
const isSigned = (text, sig) => verify(null, Buffer.from(text), key, Buffer.from(sig, 'base64url'));

const KEYS = { // of each type of line, in order
  export: 'type,version,site,at,publicKey,from,to,prev',
  entry: 'type,seq,body,hash',
  checkpoint: 'type,at,from,hash,key,marksHash,prev,seq,sig,marks',
  end: 'type,at,checkpoints,entries,from,hash,key,prev,site,to,sig',
};
const [MAX_LINE_BYTES, MAX_PROBLEMS] = [16 * 1024 * 1024, 1000];
const problems = []; // [entry, what is wrong]
let header, end; // the first and the last line
let next, prev; // the entry that must come now, and the hash of the one before
let [entries, checkpoints, signedUpTo, lastText] = [0, 0, 0, ''];
let hashes = new Map(); // of entries without a checkpoint so far

/** undefined for a line that is not written exactly as exports are: every byte of it counts. */
function parsed(bytes) {
  try {
    const thing = JSON.parse(bytes);
    const isExact = Object.keys(thing).join() === KEYS[thing.type] && Buffer.from(JSON.stringify(thing)).equals(bytes);
    const { seq = 1, from = 1, body = '', hash = '', prev: before = '', marks = '', sig = '' } = thing;
    const isText = [body, hash, before, marks, sig].every((text) => typeof text === 'string') && body.isWellFormed();
    return isExact && isText && Number.isSafeInteger(seq) && Number.isSafeInteger(from) ? thing : undefined;
  } catch {}
}

function takeEntry({ seq, body, hash }) {
  if (seq !== next) problems.push([next, `entry ${next} is not there, ${seq} stands in its place`]);
  if (seq < next) return; // inserted, or moved to behind its place
  if (seq === next && sha256(prev, body).toString('hex') !== hash) problems.push([seq, `entry ${seq} does not follow from the one before`]);
  [prev, next] = [Buffer.from(hash, 'hex'), seq + 1];
  entries += 1;
  hashes.set(seq, hash);
}

function takeCheckpoint({ at, from, hash, key: id, marks, marksHash, prev: before, seq, sig }) {
  const text = `wardline audit checkpoint 1\n${JSON.stringify({ at, from, hash, key: id, marksHash, prev: before, seq })}`;
  const bytes = Buffer.from(marks, 'base64');
  if (!isSigned(text, sig) || sha256(bytes).toString('hex') !== marksHash) return problems.push([seq, `the checkpoint of entry ${seq} is not signed with this key`]);
  const isNext = checkpoints === 0 ? from <= header.from : from === signedUpTo + 1 && before === sha256(lastText).toString('hex');
  if (!isNext) problems.push([Math.max(header.from, Math.min(from, signedUpTo + 1)), `entries before ${from} are under no checkpoint: one was left out`]);
  for (let entry = Math.max(from, header.from); entry <= seq; entry++) {
    const mark = bytes.toString('hex', (entry - from) * 8, (entry - from + 1) * 8);
    const isBorneOut = entry === seq ? hashes.get(seq) === hash : hashes.get(entry)?.startsWith(mark);
    if (isBorneOut) continue;
    problems.push([entry, `entry ${entry} is not the one that was signed`]);
    break;
  }
  [signedUpTo, lastText, checkpoints, hashes] = [seq, text, checkpoints + 1, new Map()];
}

function takeEnd() {
  if (end === undefined) return problems.push([next ?? 0, `the export is cut behind entry ${(next ?? 1) - 1}`]);
  const { type, sig, ...signed } = end;
  if (!isSigned(`wardline audit export 2\n${JSON.stringify(signed)}`, sig)) problems.push([Infinity, 'the export as a whole is not signed with this key']);
  for (const what of ['at', 'from', 'prev', 'site', 'to']) if (header[what] !== end[what]) problems.push([end.from, `"${what}" at the beginning is not what was signed`]);
  if (header.version !== 2 || header.publicKey !== publicKey) problems.push([end.from, 'the first line was edited, or is of another version']);
  if (next !== end.to + 1) problems.push([next, `entries ${next} to ${end.to} are missing at the end`]);
  else if (prev.toString('hex') !== end.hash) problems.push([end.to, `entry ${end.to} is not the one that was signed`]);
  if (entries !== end.entries || checkpoints !== end.checkpoints) problems.push([Infinity, `${entries} entries and ${checkpoints} checkpoints; signed were ${end.entries} and ${end.checkpoints}`]);
}

function take(bytes) {
  const thing = parsed(bytes);
  if (thing === undefined) problems.push([next ?? 0, `the line of entry ${next ?? 0} is not one of an export: torn or edited`]);
  else if (end !== undefined) problems.push([Infinity, 'something stands behind the end']);
  else if ((header === undefined) !== (thing.type === 'export')) problems.push([next ?? 0, 'an export has one beginning, at its beginning']);
  else if (thing.type === 'export') [header, next, prev] = [thing, thing.from, Buffer.from(thing.prev, 'hex')];
  else if (thing.type === 'entry') takeEntry(thing);
  else if (thing.type === 'checkpoint') takeCheckpoint(thing);
  else end = thing;
}

let rest = Buffer.alloc(0); // lines end with a line feed and with nothing else that somebody may call the end of a line
for await (const bytes of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
  rest = Buffer.concat([rest, bytes]);
  for (let to = rest.indexOf(10); to !== -1; rest = rest.subarray(to + 1), to = rest.indexOf(10)) take(rest.subarray(0, to));
  if (rest.length > MAX_LINE_BYTES || problems.length > MAX_PROBLEMS) break;
}
if (rest.length > 0) take(rest.subarray(0, MAX_LINE_BYTES));
if (header !== undefined) takeEnd();
else problems.push([0, `${file} does not begin like an export`]);

problems.sort(([a], [b]) => a - b);
for (const [entry, says] of problems.slice(0, 20)) console.log(entry === Infinity ? says : `${entry}: ${says}`);
if (problems.length === 0) console.log(`intact: ${entries} entries of ${header.site}, under checkpoints up to entry ${signedUpTo}`);
process.exit(problems.length === 0 ? 0 : 1);
