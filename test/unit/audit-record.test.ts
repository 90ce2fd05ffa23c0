import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, createWriteStream, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import t, { type Test } from 'tap';
import { AuditLog, type AuditLogOptions, AuditReader } from '../../src/audit-log/index.ts';
import { LineFile } from '../../src/audit-log/line-file.ts';
import { link } from '../../src/audit-log/link.ts';
import { checkTimeStamp, timeStampRequest } from '../../src/audit-log/time-stamp.ts';
import { auditSigningSeed } from '../../src/cli/audit-signing-seed.ts';
import { configSchema } from '../../src/config/schema.ts';
import type { AppendResult, ChainHead, ChainRow, ChainStore } from '../../src/core/audit/index.ts';
import { instant } from '../../src/core/time/index.ts';
import type { AuditEntry } from '../../src/engine/ports.ts';
import { createHealth, createLogger } from '../../src/observe/index.ts';
import { until } from '../support/processes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { realClock as clock } from '../support/real-clock.ts';

const GENESIS: ChainHead = { seq: 0, hash: new Uint8Array(32) };
const SEED = Buffer.alloc(32, 4);
const quiet = createLogger({ name: 'test', level: 'error', destination: { write: () => {} } });

/** A chain in memory, which a test may harm. */
class MemoryChain implements ChainStore {
  rows: ChainRow[] = [];
  async head(): Promise<ChainHead> {
    return this.rows.at(-1) ?? GENESIS;
  }
  async append(after: ChainHead, rows: readonly ChainRow[]): Promise<AppendResult> {
    const head = await this.head();
    if (head.seq !== after.seq) return { kind: 'headMoved', head };
    this.rows.push(...rows);
    return { kind: 'appended' };
  }
  async read(afterSeq: number, limit: number): Promise<readonly ChainRow[]> {
    return this.rows.filter(({ seq }) => seq > afterSeq).slice(0, limit);
  }
  async ofCall(): Promise<readonly ChainRow[]> {
    return [];
  }
  async faults(): Promise<readonly string[]> {
    return [];
  }
}

/** `count` facts, a second apart. */
function facts(count: number, from = 0): AuditEntry[] {
  return Array.from({ length: count }, (_, i) => ({
    at: instant(1_790_000_000_000 + (from + i) * 1000),
    callId: null,
    fact: { fact: 'stepStarted', step: from + i, says: 'Dr Ames', dwellMs: 1000 },
  }));
}

async function openLog(dir: string, store: ChainStore, more: Partial<AuditLogOptions> & { anchors?: string[] } = {}) {
  const { anchors = [], ...rest } = more;
  const checkpointPath = join(dir, 'audit.checkpoints');
  const signing = { checkpointPath, seed: SEED, checkpointEntries: 16, checkpointMinutes: 5, anchors };
  const health = createHealth();
  const options: AuditLogOptions = {
    store,
    headPath: join(dir, 'audit.head'),
    spoolPath: join(dir, 'audit.spool'),
    headKey: Buffer.alloc(32, 7),
    seal: (text) => text,
    bootId: `boot${Math.random()}`,
    clock,
    deadlineMs: 60_000,
    logger: quiet,
    health,
    signing,
    ...rest,
  };
  const log = await AuditLog.open(options);
  const copies = anchors.filter((place) => place.startsWith('/'));
  return {
    log,
    health,
    reader: new AuditReader({ ...options, signing: { ...signing, copies, receiptPath: join(dir, 'audit.receipts') } }),
    checkpointPath,
  };
}

/** None while there is no such file. */
const linesOf = (path: string): Record<string, unknown>[] =>
  (existsSync(path) ? readFileSync(path, 'utf8') : '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

void t.test('checkpoints follow from one another, over restarts, kills and entries of other processes', async (t) => {
  const dir = t.testdir({});
  const chain = new MemoryChain();
  const first = await openLog(dir, chain);
  await first.log.attest(facts(40));
  const command = await openLog(dir, chain, { spoolPath: null, signing: null });
  await command.log.attest(facts(3, 40));
  await command.log.close();
  await first.log.attest(facts(2, 43));
  await until('the entries of the command are signed too', () => linesOf(first.checkpointPath).length === 2);
  await first.log.close();
  t.match(await first.reader.verify(), { kind: 'intact', entries: 45, signedUpTo: 45 });

  // Killed: what was under no checkpoint yet is read back at the next start. A torn line is one that is not there.
  const killed = await openLog(dir, chain);
  t.teardown(() => killed.log.close());
  await killed.log.attest(facts(5, 45));
  writeFileSync(first.checkpointPath, '{"at":1,"from":46,', { flag: 'a' });
  const next = await openLog(dir, chain);
  await next.log.attest(facts(1, 50));
  await next.log.close();
  t.match(await next.reader.verify(), { kind: 'intact', entries: 51, signedUpTo: 51 });
  const checkpoints = readFileSync(first.checkpointPath, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as { from: number; seq: number });
  let signed = 0;
  for (const { from, seq } of checkpoints) {
    t.equal(from, signed + 1);
    signed = seq;
  }
});

void t.test('few entries are signed after some minutes', async (t) => {
  const dir = t.testdir({});
  const virtual = new VirtualClock(instant(1_790_000_000_000));
  const { log, checkpointPath } = await openLog(dir, new MemoryChain(), { clock: virtual });
  const written = log.attest(facts(3));
  virtual.advance(10);
  await written;
  virtual.advance(5 * 60_000);
  await until('a checkpoint', () => linesOf(checkpointPath).length === 1);
  t.match(linesOf(checkpointPath), [{ from: 1, seq: 3 }]);
  let isClosed = false;
  void log.close().then(() => {
    isClosed = true;
  });
  await until('closed', () => {
    virtual.advance(5);
    return isClosed;
  });
});

void t.test('a chain from before there were checkpoints is signed from its first entry', async (t) => {
  const dir = t.testdir({});
  const chain = new MemoryChain();
  const old = await openLog(dir, chain, { signing: null });
  await old.log.attest(facts(100));
  await old.log.close();
  const { log, reader } = await openLog(dir, chain);
  await until('all of it is signed', async () => {
    const verdict = await reader.verify();
    return verdict.kind === 'intact' && verdict.signedUpTo >= 96;
  });
  await log.close();
  t.match(await reader.verify(), { kind: 'intact', signedUpTo: 100 });
});

void t.test('what does not follow is not signed; signing goes on behind it, and the gap is seen', async (t) => {
  const dir = t.testdir({});
  const chain = new MemoryChain();
  const before = await openLog(dir, chain);
  await before.log.attest(facts(20));
  await before.log.close();
  const unsigned = await openLog(dir, chain, { signing: null });
  await unsigned.log.attest(facts(4, 20));
  await unsigned.log.close();
  const edited = chain.rows[21] as ChainRow;
  chain.rows[21] = { ...edited, body: edited.body.replace('Dr Ames', 'Dr Bell') };
  const after = await openLog(dir, chain);
  await until('it is told', () => after.health.report().checks.some(({ kind }) => kind === 'failing'));
  t.match(
    after.health.report().checks.find(({ kind }) => kind === 'failing'),
    { why: /entry 22 does not follow/ },
  );
  await after.log.attest(facts(3, 24));
  await after.log.close();
  const verdict = await after.reader.verify();
  t.match(verdict.kind === 'broken' && verdict.problems.map(({ what, seq }) => [what, seq]), [['edited', 22]]);
  const covered = linesOf(after.checkpointPath).map(({ from, seq }) => [from, seq]);
  t.same(covered.slice(-2), [
    [21, 21],
    [25, 27],
  ]);
  chain.rows[21] = edited;
  t.match(await after.reader.verify(), { problems: [{ what: 'checkpointMissing', seq: 22, says: /22 to 24/ }] });
});

void t.test('harm to the checkpoints themselves is found', async (t) => {
  const dir = t.testdir({});
  const { log, reader, checkpointPath } = await openLog(dir, new MemoryChain());
  await log.attest(facts(50));
  await log.close();
  const whole = readFileSync(checkpointPath, 'utf8');
  const lines = whole.trimEnd().split('\n');
  t.ok(lines.length >= 3);
  const seqOf = (i: number) => (JSON.parse(lines[i] ?? '') as { seq: number }).seq;
  const harmed = async (text: string) => {
    writeFileSync(checkpointPath, text);
    const verdict = await reader.verify();
    return verdict.kind === 'broken' ? verdict.problems.map(({ what, seq }) => [what, seq]) : [];
  };
  t.same(await harmed(lines.slice(1).join('\n').concat('\n')), [['checkpointMissing', 1]], 'the first one removed');
  t.same(await harmed([lines[0], ...lines.slice(2), ''].join('\n')), [['checkpointMissing', seqOf(0) + 1]]);
  const forged = (lines[1] ?? '').replace(/"hash":"../, '"hash":"00');
  t.match(await harmed([lines[0], forged, ...lines.slice(2), ''].join('\n')), [
    ['checkpointMissing', seqOf(0) + 1],
    ['checkpointForged', seqOf(1)],
  ]);
  const marks = (lines[1] ?? '').replace(/"marks":"..../, '"marks":"AAAA');
  t.match(await harmed([lines[0], marks, ...lines.slice(2), ''].join('\n')), [
    ['checkpointMissing', seqOf(0) + 1],
    ['checkpointForged', seqOf(1)],
  ]);
  t.same(await harmed(`${lines.join('\n')}\n${lines.join('\n')}\n`), [], 'a write that was repeated is no harm');
  t.same(await harmed(whole), []);
});

void t.test('an anchor that cannot be read at the start is told', async (t) => {
  const dir = t.testdir({ heads: { 'a-folder-in-its-place': '' }, data: {} });
  const outside = join(dir, 'heads');
  const { log, health } = await openLog(join(dir, 'data'), new MemoryChain(), { anchors: [outside] });
  const failing = { name: `audit anchor ${outside}`, kind: 'failing', why: /the chain was not compared with it/ };
  t.match(
    health.report().checks.find(({ name }) => name.startsWith('audit anchor')),
    failing,
  );
  await log.close();
});

void t.test('a whole data folder that was set back is found by what is anchored outside', async (t) => {
  const outside = join(t.testdir({ outside: {}, data: {} }), 'outside', 'heads');
  const dir = join(outside, '..', '..', 'data');
  const chain = new MemoryChain();
  const first = await openLog(dir, chain, { anchors: [outside] });
  await first.log.attest(facts(30));
  await first.log.close();
  const kept = {
    rows: [...chain.rows],
    files: ['audit.head', 'audit.checkpoints'].map((f) => readFileSync(join(dir, f))),
  };
  const second = await openLog(dir, chain, { anchors: [outside] });
  await second.log.attest(facts(30, 30));
  await second.log.close();
  t.match(await second.reader.verify(), { kind: 'intact', entries: 60 });

  chain.rows = kept.rows;
  for (const [i, file] of ['audit.head', 'audit.checkpoints'].entries()) {
    writeFileSync(join(dir, file), kept.files[i] as Buffer);
  }
  t.match(await second.reader.verify(), {
    kind: 'broken',
    problems: [{ what: 'removed', seq: 31, says: /outside\/heads/ }],
  });
  const third = await openLog(dir, chain, { anchors: [outside] });
  await third.log.attest(facts(1, 60));
  const records = await third.reader.list({ afterSeq: 30, limit: 5 });
  t.match(records[0]?.fact, { fact: 'auditBroken', certifiedEntries: 60, foundEntries: 30, because: /outside\/heads/ });
  await third.log.close();
});

void t.test(
  'a file of heads that somebody moves away or deletes is begun anew, not written to in the dark',
  async (t) => {
    const path = join(t.testdir({}), 'heads');
    const file = new LineFile(path);
    const lines = async (of: string) => (await new LineFile(of).newest()).toReversed();
    await file.append(['1', '2']);
    renameSync(path, `${path}.old`);
    await file.append(['3']);
    t.same([await lines(`${path}.old`), await lines(path)], [['1', '2'], ['3']]);
    rmSync(path);
    await file.append(['4']);
    await file.append(['5']);
    t.same(await lines(path), ['4', '5']);
    await file.close();
  },
);

void t.test('heads go to syslog and to a web address, again when nobody answered', async (t) => {
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  const datagrams: string[] = [];
  udp.on('message', (message) => void datagrams.push(message.toString()));
  await once(udp, 'listening');
  let stream = '';
  const tcp = createServer((socket) => {
    socket.on('data', (bytes) => {
      stream += bytes.toString();
    });
  }).listen(0, '127.0.0.1');
  const posted: string[] = [];
  const http = createHttpServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => {
      body += bytes.toString();
    });
    request.on('end', () => {
      posted.push(body);
      response.writeHead(posted.length === 1 ? 503 : 204).end();
    });
  }).listen(0, '127.0.0.1');
  await Promise.all([once(tcp, 'listening'), once(http, 'listening')]);
  const port = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  t.teardown(() => {
    udp.close();
    tcp.close();
    http.close();
  });
  const { log, health, checkpointPath } = await openLog(t.testdir({}), new MemoryChain(), {
    anchors: [`udp://127.0.0.1:${port(udp)}`, `tcp://127.0.0.1:${port(tcp)}`, `http://127.0.0.1:${port(http)}/heads`],
  });
  await log.attest(facts(16));
  await until('the web address refused one', () => posted.length === 1);
  await until('health says so', () => health.report().kind === 'failing');
  await until('all have it', () => datagrams.length === 1 && stream !== '' && posted.length === 2);
  const [{ marks: _, ...head } = {}] = linesOf(checkpointPath);
  t.same(JSON.parse(posted[1] ?? ''), head);
  t.match(datagrams[0], /^<109>1 \d{4}-\S+Z \S+ wardline \d+ auditCheckpoint - \{/);
  t.same(JSON.parse(datagrams[0]?.replace(/^[^{]*/, '') ?? ''), head);
  const rest = stream.slice(stream.indexOf(' ') + 1);
  t.equal(Number.parseInt(stream, 10), Buffer.byteLength(rest), 'octets are counted');
  t.same(JSON.parse(rest.replace(/^[^{]*/, '')), head);
  await until('health is well again', () => health.report().kind === 'ok');
  await log.close();
});

/** A time-stamp service out of OpenSSL; `twist` may harm its answers. */
async function timeStampService(t: Test, dir: string, twist: (answer: Buffer, nth: number) => Buffer) {
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-keyout', 'key.pem', '-out', 'cert.pem', '-config', 'tsa.cnf'],
  );
  let asked = 0;
  const http = createHttpServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => void parts.push(part));
    request.on('end', () => {
      asked += 1;
      writeFileSync(join(dir, 'query'), Buffer.concat(parts));
      openssl(
        ...['ts', '-reply', '-config', 'tsa.cnf', '-section', 'tsa', '-queryfile', 'query'],
        ...['-signer', 'cert.pem', '-inkey', 'key.pem', '-out', 'reply'],
      );
      response.writeHead(200, { 'content-type': 'application/timestamp-reply' });
      response.end(twist(readFileSync(join(dir, 'reply')), asked));
    });
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.teardown(() => http.close());
  return { place: `rfc3161+http://127.0.0.1:${(http.address() as AddressInfo).port}/tsr`, openssl };
}

const TSA_CONFIG = `
[req]
distinguished_name = dn
x509_extensions = ext
prompt = no
[dn]
CN = tsa
[ext]
extendedKeyUsage = critical, timeStamping
[tsa]
default_policy = 1.2.3.4.1
serial = ./serial
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
`;

void t.test('a time-stamp service stamps heads, and OpenSSL bears it out', async (t) => {
  const dir = t.testdir({ 'tsa.cnf': TSA_CONFIG, serial: '01', data: {} });
  let kept: Buffer = Buffer.alloc(0);
  const { place, openssl } = await timeStampService(t, dir, (answer, nth) => {
    // First a torn answer, then an older one, then what was asked for.
    if (nth === 1) kept = answer;
    return nth === 1 ? answer.subarray(0, 300) : nth === 2 ? kept : answer;
  });
  const { log, health, checkpointPath } = await openLog(join(dir, 'data'), new MemoryChain(), { anchors: [place] });
  const stamps = join(dir, 'data', 'audit.timestamps');
  const why = () => JSON.stringify(health.report());
  await log.attest(facts(16));
  await until('a torn answer is told', () => /the encoding ends early/.test(why()));
  await until('an answer to another request is told', () => /one to another request/.test(why()));
  await until('it is stamped', () => linesOf(stamps).length === 1);
  await until('health is well again', () => health.report().kind === 'ok');
  const [stamp = {}] = linesOf(stamps);
  const [{ marks: _, ...head } = {}] = linesOf(checkpointPath);
  t.same(JSON.parse(String(stamp['head'])), head);
  writeFileSync(join(dir, 'head'), String(stamp['head']));
  writeFileSync(join(dir, 'stamp'), Buffer.from(String(stamp['answer']), 'base64'));
  openssl('ts', '-verify', '-data', 'head', '-in', 'stamp', '-CAfile', 'cert.pem');
  writeFileSync(join(dir, 'head'), String(stamp['head']).replace('"seq":16', '"seq":17'));
  t.throws(() => openssl('ts', '-verify', '-data', 'head', '-in', 'stamp', '-CAfile', 'cert.pem'), /mismatch/);
  await log.close();
});

void t.test('what is no time stamp is refused with the reason, wherever it is harmed', (t) => {
  const request = timeStampRequest('head');
  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /0 values where one belongs/],
    ['300530030201000500', /2 values where one belongs/],
    ['3081053003020102', /not DER/],
    ['3000', /value 0 has tag none/],
    ['30053003020102', /refused with status 02/],
    ['3080', /not DER/],
    ['3084ffffffff', /not DER/],
    ['30053003020100', /value 1 has tag none/],
    ['1f1f00', /long tag/],
  ];
  for (const [hex, why] of refused) t.throws(() => checkTimeStamp(Buffer.from(hex, 'hex'), request), why, hex);
  t.equal(request.bytes.length, 2 + (request.bytes[1] ?? 0));

  const der = (tag: number, ...content: (Buffer | string)[]): Buffer => {
    const bytes = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)));
    const length = bytes.length < 0x80 ? [bytes.length] : [0x81, bytes.length];
    return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
  };
  const answer = (more: {
    type?: string;
    stamps?: string;
    digest?: Buffer;
    nonce?: Buffer;
    signers?: Buffer;
  }): Buffer => {
    const { type = '2a864886f70d010702', stamps = '2a864886f70d0109100104', digest = request.digest } = more;
    const imprint = der(0x30, der(0x30, '0609608648016503040201'), der(0x04, digest));
    const time = der(0x18, Buffer.from('20261122080000Z'));
    const info = der(0x30, '020101', '06032a0304', imprint, '020105', time, more.nonce ?? request.nonce);
    const content = der(0x30, der(0x06, stamps), der(0xa0, der(0x04, info)));
    const signed = der(0x30, '020103', '3100', content, more.signers ?? der(0x31, '3000'));
    return der(0x30, '3003020100', der(0x30, der(0x06, type), der(0xa0, signed)));
  };
  t.doesNotThrow(() => checkTimeStamp(answer({}), request), 'also without the empty parameters of the algorithm');
  const untrue: readonly (readonly [Parameters<typeof answer>[0], RegExp])[] = [
    [{ type: '2a864886f70d010701' }, /is not signed/],
    [{ signers: Buffer.from('3100', 'hex') }, /nobody has signed/],
    [{ stamps: '2a864886f70d010701' }, /stamps nothing/],
    [{ digest: Buffer.alloc(32) }, /stamps something else/],
    [{ nonce: Buffer.from('020101', 'hex') }, /another request/],
  ];
  for (const [more, why] of untrue) t.throws(() => checkTimeStamp(answer(more), request), why);
  t.end();
});

void t.test('an export is checked by the program of the documentation, and every harm to it is found', async (t) => {
  const dir = t.testdir({});
  const chain = new MemoryChain();
  const { log, reader } = await openLog(dir, chain);
  await log.attest(facts(49));
  // Signs that some editors and readers take for the end of a line, and one that stands for what could not be read.
  for (const says of ['Dr Andr\u00e9\u2028\u0085\r', 'Dr \ufffd'])
    await log.attest([
      { at: instant(1_790_000_060_000), callId: null, fact: { fact: 'stepStarted', step: 1, says, dwellMs: 1 } },
    ]);
  await log.attest(facts(9, 51));
  await log.close();
  const made = async (first: number, last: number, publicKey = reader.publicKey) => {
    const file = join(dir, 'export.jsonl');
    const out = createWriteStream(file);
    const lines = reader.exportLines({ first, last }, { site: 'lakeside', at: 1 });
    let line = await lines.next();
    for (; line.done !== true; line = await lines.next()) out.write(`${line.value}\n`);
    out.end();
    await finished(out);
    return { file, publicKey, told: line.value };
  };
  const check = (file: string, key: string) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['docs/verify-audit-export.mjs', file, key], {
      encoding: 'utf8',
    });
    t.equal(stderr, '');
    return { status, says: stdout };
  };
  const program = readFileSync('docs/verify-audit-export.mjs', 'utf8');
  t.ok(program.split('\n').length <= 101, 'a hundred lines at most');
  t.same(
    [...program.matchAll(/^import .* from '(.*)';$/gm)].map(([, name]) => name),
    ['node:crypto', 'node:fs'],
    'public libraries only',
  );

  const { file, publicKey, told } = await made(1, 60);
  t.same(told, { entries: 60, isSigned: true });
  const whole = readFileSync(file, 'utf8');
  t.match(check(file, publicKey), {
    status: 0,
    says: /^intact: 60 entries of lakeside, under checkpoints up to entry 60/,
  });
  t.match(check((await made(20, 41)).file, publicKey), { status: 0, says: /intact: 22 entries/ });
  t.match(check((await made(60, 60)).file, publicKey), { status: 0, says: /intact: 1 entries/ });
  const stranger = new AuditReader({
    store: chain,
    headPath: '',
    headKey: SEED,
    signing: { seed: Buffer.alloc(32, 9), checkpointPath: '', receiptPath: '' },
  }).publicKey;
  writeFileSync(file, whole);
  t.match(check(file, stranger), { status: 1, says: /not signed with this key/ });

  const lines = whole.trimEnd().split('\n');
  const at = (seq: number) => lines.findIndex((line) => line.startsWith(`{"type":"entry","seq":${seq},`));
  const anew = (from: number, change: (body: string) => string): string[] => {
    const rows = link(
      GENESIS,
      chain.rows.map((row) => ({ ...row, body: row.seq === from ? change(row.body) : row.body })),
    );
    return lines.map((line) => {
      const thing = JSON.parse(line) as { type: string; seq: number };
      const row = rows[thing.seq - 1];
      if (thing.type !== 'entry' || row === undefined) return line;
      return JSON.stringify({ ...thing, body: row.body, hash: Buffer.from(row.hash).toString('hex') });
    });
  };
  const signedAt = (seq: number) =>
    lines.findIndex((line) => line.startsWith('{"type":"checkpoint"') && line.includes(`"seq":${seq},`));
  const exchanged = (one: number, other: number) => lines.with(one, lines[other] ?? '').with(other, lines[one] ?? '');
  const edited = (seq: number, change: (line: string) => string) => {
    const changed = lines.map((line, i) => (i === at(seq) ? change(line) : line));
    if (changed.join() === lines.join()) t.fail(`entry ${seq}: nothing was edited`);
    return changed;
  };
  const without = (...seqs: number[]) => lines.filter((_, i) => !seqs.map(at).includes(i));
  const harms: Readonly<Record<string, readonly [harmed: readonly string[], entry: number]>> = {
    'an entry edited': [lines.map((line, i) => (i === at(23) ? line.replace('Ames', 'Bell') : line)), 23],
    'an entry removed': [without(30), 30],
    'an entry inserted': [lines.toSpliced(at(31), 0, lines[at(7)] ?? ''), 31],
    'two entries exchanged': [lines.with(at(12), lines[at(40)] ?? '').with(at(40), lines[at(12)] ?? ''), 12],
    'the end cut': [lines.slice(0, at(50)), 50],
    'entries at the end removed': [without(58, 59, 60), 58],
    'everything chained anew from an entry on': [anew(37, (body) => body.replace('Ames', 'Bell')), 37],
    'another chain in its place': [anew(1, (body) => body.replace('Ames', 'Bell')), 1],
    'two checkpoints exchanged': [exchanged(signedAt(16), signedAt(32)), 1],
    'a checkpoint removed': [lines.toSpliced(signedAt(32), 1), 17],
    'the last checkpoint removed': [lines.toSpliced(signedAt(60), 1), Infinity],
    'a checkpoint twice': [lines.toSpliced(signedAt(32), 0, lines[signedAt(32)] ?? ''), 17],
    'an entry twice': [lines.toSpliced(at(9), 0, lines[at(9)] ?? ''), 10],
    'an entry torn': [lines.with(at(14), lines[at(14)]?.slice(0, 60) ?? ''), 14],
    'an entry with a member that says otherwise before': [
      edited(14, (line) => line.replace('"body":', '"body":"{}","body":')),
      14,
    ],
    'an entry with a member of its own': [edited(14, (line) => line.replace(/}$/, ',"says":"Dr Bell"}')), 14],
    'a number written otherwise': [edited(14, (line) => line.replace('"seq":14', '"seq":14.0')), 14],
    'a letter written otherwise': [edited(14, (line) => line.replace('Ames', '\\u0041mes')), 14],
    'a letter in another normal form': [edited(50, (line) => line.replace('\u00e9', 'e\u0301')), 50],
    'half of a pair in place of the sign for what cannot be read': [
      edited(51, (line) => line.replace('\ufffd', '\\ud83d')),
      51,
    ],
    'a body that is no text': [edited(14, (line) => line.replace(/"body":"(?:[^"\\]|\\.)*"/, '"body":[1]')), 14],
    'a huge entry': [edited(14, (line) => line.replace('Ames', 'A'.repeat(20_000_000))), 14],
    'a second beginning': [lines.toSpliced(at(20), 0, (lines[0] ?? '').replace('"from":1', '"from":20')), 20],
    'another house\u2019s name at the beginning': [lines.with(0, lines[0]?.replace('lakeside', 'seaside') ?? ''), 1],
    'another house\u2019s name at the end': [
      lines.with(lines.length - 1, lines.at(-1)?.replace('lakeside', 'seaside') ?? ''),
      1,
    ],
    'an empty line': [lines.toSpliced(at(20), 0, ''), 20],
  };
  for (const [name, [harmed, entry]] of Object.entries(harms)) {
    writeFileSync(file, `${harmed.join('\n')}\n`);
    const { status, says } = check(file, publicKey);
    t.equal(status, 1, name);
    t.match(says, entry === Infinity ? /^[^:]+$/ : new RegExp(`^${entry}: `), `${name}: found at that entry`);
  }
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const sign = bytes.indexOf('\ufffd');
  writeFileSync(file, Buffer.concat([bytes.subarray(0, sign), Buffer.from([0xff]), bytes.subarray(sign + 3)]));
  t.match(check(file, publicKey), { status: 1, says: /^51: / }, 'bytes that are no text');

  chain.rows[9] = { ...(chain.rows[9] as ChainRow), body: '{}' };
  t.same((await made(1, 60)).told, { entries: 60, isSigned: false }, 'what does not follow gets no signature');
  rmSync(file);
});

void t.test('what was chained anew gets no signature by way of an export', async (t) => {
  const dir = t.testdir({});
  const chain = new MemoryChain();
  const { log, reader, checkpointPath } = await openLog(dir, chain);
  await log.attest(facts(60));
  await log.close();
  const genuine = [...chain.rows];
  const lines = readFileSync(checkpointPath, 'utf8').trimEnd().split('\n');
  const told = async (first: number, last: number) => {
    const made = reader.exportLines({ first, last }, { site: 'lakeside', at: 1 });
    let line = await made.next();
    while (line.done !== true) line = await made.next();
    return line.value.isSigned;
  };
  const anew = (from: number) => [
    ...link(
      GENESIS,
      genuine.map((row) => (row.seq === from ? { ...row, body: row.body.replace('Ames', 'Bell') } : row)),
    ),
  ];

  t.ok(await told(1, 60));
  t.ok(await told(20, 25), 'the checkpoint stands behind the range');
  chain.rows = anew(22);
  for (const [first, last] of [
    [1, 60],
    [20, 25],
    [22, 22],
    [40, 45],
  ] as const)
    t.notOk(await told(first, last));
  t.ok(await told(1, 21), 'what is older is as it was');

  // The last checkpoint is gone, so that the certified head alone tells of the end.
  writeFileSync(checkpointPath, `${lines.slice(0, -1).join('\n')}\n`);
  chain.rows = anew(52);
  for (const [first, last] of [
    [50, 55],
    [53, 54],
    [60, 60],
  ] as const)
    t.notOk(await told(first, last));
  t.ok(await told(1, 48), 'what is under a checkpoint is as it was');
  chain.rows = genuine;
  t.ok(await told(50, 55));
  chain.rows = genuine.slice(0, 58);
  t.notOk(await told(50, 55), 'the end was cut, so nothing bears it out');
  chain.rows = genuine;
  rmSync(join(dir, 'audit.head'));
  t.notOk(await told(50, 55));
  t.ok(await told(1, 48));
});

void t.test('the key that signs comes from a file, the environment or a command', (t) => {
  const key = Buffer.alloc(32, 9);
  const text = key.toString('base64url');
  const dir = t.testdir({ key: text, open: text, torn: text.slice(1) });
  for (const [file, mode] of [
    ['key', 0o600],
    ['open', 0o644],
    ['torn', 0o600],
  ] as const)
    chmodSync(join(dir, file), mode);
  const secrets = { auditSigningSeed: SEED };
  const from = (signingKey: string) => {
    const { audit } = configSchema.parse({ audit: { signingKey } });
    return Buffer.from(auditSigningSeed({ audit }, secrets));
  };
  process.env['WARDLINE_TEST_SIGNING_KEY'] = text;
  t.teardown(() => delete process.env['WARDLINE_TEST_SIGNING_KEY']);
  t.same(from('secrets'), SEED);
  for (const place of [join(dir, 'key'), 'env:WARDLINE_TEST_SIGNING_KEY', `command: cat ${join(dir, 'key')}`]) {
    t.same(from(place), key, place);
  }
  const refused: readonly (readonly [string, RegExp])[] = [
    [join(dir, 'open'), /chmod 600/],
    [join(dir, 'torn'), /torn is damaged/],
    ['env:WARDLINE_TEST_NO_KEY', /the environment has no WARDLINE_TEST_NO_KEY/],
    [`command:cat ${join(dir, 'torn')}`, /the command gives no key/],
    [`command:cat ${join(dir, 'none')}`, /cat ended with code 1/],
    [`command:${join(dir, 'none')}`, /ENOENT/],
    ['somewhere', /must be secrets, an absolute path/],
  ];
  for (const [place, why] of refused) t.throws(() => from(place), why, place);
  t.end();
});
