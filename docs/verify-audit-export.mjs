// Checks an export of the audit (wardline audit export --out FILE) without Wardline: node verify-audit-export.mjs FILE PUBLICKEY
// PUBLICKEY is what `wardline audit key` printed, handed over by another way than the file. Needs Node 20 and nothing else.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const [file, publicKey] = process.argv.slice(2);
if (publicKey === undefined) {
  console.error('usage: node verify-audit-export.mjs FILE PUBLICKEY');
  process.exit(2);
}
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(publicKey, 'base64url')]);
const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
const isSigned = (text, sig) => verify(null, Buffer.from(text), key, Buffer.from(sig, 'base64url'));

const problems = []; // [entry, what is wrong]
let header; // the first line
let end; // the last line
let next; // the entry that must come now
let prev; // hash of the entry before
let entries = 0;
let signedUpTo = 0;
let hashes = new Map(); // of entries without a checkpoint so far

function takeEntry({ seq, body, hash }) {
  if (seq !== next) problems.push([next, `entry ${next} is not there, ${seq} stands in its place`]);
  if (seq < next) return; // inserted, or moved to behind its place
  if (seq === next && sha256(prev, body).toString('hex') !== hash) problems.push([seq, `entry ${seq} does not follow from the one before`]);
  prev = Buffer.from(hash, 'hex');
  next = seq + 1;
  entries += 1;
  hashes.set(seq, hash);
}

function takeCheckpoint({ at, from, hash, key: id, marks, marksHash, prev: before, seq, sig }) {
  const text = `wardline audit checkpoint 1\n${JSON.stringify({ at, from, hash, key: id, marksHash, prev: before, seq })}`;
  const bytes = Buffer.from(marks, 'base64');
  if (!isSigned(text, sig) || sha256(bytes).toString('hex') !== marksHash) {
    problems.push([seq, `the checkpoint of entry ${seq} is not signed with this key`]);
    return;
  }
  for (let entry = Math.max(from, header.from); entry <= seq; entry++) {
    const mark = bytes.toString('hex', (entry - from) * 8, (entry - from + 1) * 8);
    const isBorneOut = entry === seq ? hashes.get(seq) === hash : hashes.get(entry)?.startsWith(mark);
    if (!isBorneOut) {
      problems.push([entry, `entry ${entry} is not the one that was signed`]);
      break;
    }
  }
  signedUpTo = seq;
  hashes = new Map();
}

function takeEnd() {
  if (end === undefined) return problems.push([next, `the export is cut behind entry ${next - 1}`]);
  const { at, entries: count, from, hash, key: id, prev: before, to, sig } = end;
  const text = `wardline audit export 1\n${JSON.stringify({ at, entries: count, from, hash, key: id, prev: before, to })}`;
  if (!isSigned(text, sig)) problems.push([Infinity, 'the export as a whole is not signed with this key']);
  if (header.from !== from || header.prev !== before) problems.push([from, 'the export does not begin where it was signed']);
  if (next !== to + 1) problems.push([next, `entries ${next} to ${to} are missing at the end`]);
  else if (prev.toString('hex') !== hash) problems.push([to, `entry ${to} is not the one that was signed`]);
  if (entries !== count) problems.push([Infinity, `${entries} entries, ${count} were signed`]);
}

for await (const line of createInterface({ input: createReadStream(file) })) {
  const thing = JSON.parse(line);
  if (header === undefined && thing.type !== 'export') throw new Error(`${file} does not begin like an export`);
  if (end !== undefined) problems.push([Infinity, 'something stands behind the end']);
  if (thing.type === 'export') {
    header = thing;
    next = thing.from;
    prev = Buffer.from(thing.prev, 'hex');
  } else if (thing.type === 'entry') takeEntry(thing);
  else if (thing.type === 'checkpoint') takeCheckpoint(thing);
  else if (thing.type === 'end') end = thing;
  else problems.push([next, `a line of the kind ${thing.type}`]);
}
takeEnd();

problems.sort(([a], [b]) => a - b);
for (const [entry, says] of problems.slice(0, 20)) console.log(entry === Infinity ? says : `${entry}: ${says}`);
if (problems.length === 0) console.log(`intact: ${entries} entries of ${header.site}, under checkpoints up to entry ${signedUpTo}`);
process.exit(problems.length === 0 ? 0 : 1);
