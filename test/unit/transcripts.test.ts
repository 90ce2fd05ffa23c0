import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { transcriberOf } from '../../src/cli/app/transcriber.ts';
import { makeTranscripts } from '../../src/cli/app/transcripts.ts';
import { shredMessage } from '../../src/cli/shred-message.ts';
import { openHouseKeys } from '../../src/cli/house-keys.ts';
import { textPath } from '../../src/cli/text-path.ts';
import type { SystemFact } from '../../src/core/audit/index.ts';
import { plusMs } from '../../src/core/time/index.ts';
import { systemClock } from '../../src/engine/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { newIdentity, openText, phiSealer, SealedFile, SealedWriter, sealText } from '../../src/vault/index.ts';
import { transcriptionOptions, type TranscriptionOptions } from '../../src/webhooks/options.ts';
import { HttpPosts } from '../../src/webhooks/index.ts';
import { noon, phones } from '../support/lakeside.ts';
import { until } from '../support/processes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

// Text of messages: made by a program or a service, sealed, shredded with the sound.

const words = 'please call the ward about bed seven';
const posts = new HttpPosts({ clock: systemClock, options: { allow: ['127.0.0.1'] } });
const optionsOf = (options: Partial<TranscriptionOptions>) => transcriptionOptions.parse(options);
const transcriber = (options: Partial<TranscriptionOptions>) => transcriberOf(optionsOf(options), posts)!;
const never = new AbortController().signal;
const wav = async (to: NodeJS.WritableStream) => void to.end(Buffer.from('RIFF of a message'));

const programs = t.testdir({});
let made = 0;

/** A program that Node runs. */
function program(body: string): readonly string[] {
  const file = join(programs, `${++made}.mjs`);
  writeFileSync(file, body);
  return [process.execPath, file];
}

async function aHouse(t: Test, transcribe: ReturnType<typeof transcriber>) {
  const folder = t.testdir({ voicemail: {} });
  const keys = openHouseKeys({ voicemail: { escrow: [] } } as never, join(folder, 'secrets'), randomBytes(32));
  const store = await openStore(join(folder, 'wardline.db'), { sealer: phiSealer(new Uint8Array(32)) });
  t.teardown(() => store.close());
  const path = join(folder, 'voicemail', 'M1.sealed');
  const writer = await SealedWriter.open({
    sink: await SealedFile.create(path),
    recipients: keys.recipientsFor(null, null),
    format: { encoding: 'PCMU', rate: 8000, channels: 1 },
    metadata: {},
  });
  writer.push(Buffer.alloc(12_000, 0xff));
  await writer.close();
  await store.messages.save({
    messageId: 'M1',
    mailbox: phones.ames,
    callId: null,
    at: noon,
    durationMs: 1500,
    isUrgent: false,
    isPrivate: false,
    callBack: null,
    service: null,
    urgency: null,
    sentBy: null,
    copyOf: null,
    path,
    exportedAt: null,
  });
  const facts: SystemFact[] = [];
  const uses: SystemFact[] = [];
  const logged: unknown[] = [];
  const clock = new VirtualClock(noon);
  const keep = (fields: object) => void logged.push(fields);
  let close: () => unknown = () => {};
  makeTranscripts(
    {
      keys,
      log: { info: keep, warn: keep, error: keep },
      record: async (fact: SystemFact) => (fact.fact === 'keyUsed' ? uses : facts).push(fact),
    } as never,
    { store, transcribe, unitOf: () => null, clock },
    { add: (_part, run) => (close = run) },
  );
  const read = () => openText(textPath(path), (ids) => keys.ring.identities(ids));
  return { folder, store, path, facts, uses, logged, clock, read, close: async () => close() };
}

void t.test('a program hears the message and its text is sealed like the sound, and shredded with it', async (t) => {
  const command = program(`let size = 0, begins = '';
     for await (const piece of process.stdin) { if (begins === '') begins = piece.toString('latin1', 0, 4); size += piece.length; }
     const env = Object.keys(process.env).sort().join();
     console.error('${words}');
     console.log('${words}', begins, size, env, process.cwd());`);
  const house = await aHouse(t, transcriber({ command: [...command] }));
  await until('the text', () => house.facts.length === 1);
  t.match(house.facts, [{ fact: 'messageTranscribed', messageId: 'M1', mailbox: phones.ames, tries: 1 }]);
  t.match(house.uses, [{ fact: 'keyUsed', key: 'house', messageId: 'M1', use: 'transcribed', by: 'system' }]);
  t.same(await house.read(), { kind: 'opened', text: `${words} RIFF 24044 LANG,PATH /` });
  const files = readdirSync(house.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const found = files.filter((entry) => readFileSync(join(entry.parentPath, entry.name)).includes('bed seven'));
  t.same(found, [], 'no file has it in clear');
  t.notMatch(JSON.stringify([house.facts, house.logged]), /bed seven/);
  t.equal((await openText(textPath(house.path), [newIdentity().identity]))?.kind, 'refused');
  const message = (await house.store.messages.find('M1'))!;
  const receipt = { because: 'ordered', reason: '', by: 'root' } as const;
  await shredMessage(message, receipt, { store: house.store as never, at: noon, attest: async () => {} });
  t.notOk(existsSync(textPath(house.path)));
  await house.close();
});

void t.test(
  'what goes wrong is tried three times, said without the words, and the message stays as it was',
  async (t) => {
    const command = program(`console.log('${words}'); console.error('${words}'); process.exitCode = 3;`);
    const house = await aHouse(t, transcriber({ command: [...command] }));
    const before = readFileSync(house.path);
    await until('it to be given up', () => {
      house.clock.advance(1_000);
      return house.facts.length === 1;
    });
    t.match(house.facts, [{ fact: 'transcriptGivenUp', tries: 3, because: 'ended with code 3' }]);
    t.ok(house.clock.now() >= noon + 3 * 60_000, 'with pauses');
    t.equal(house.logged.length, 2);
    t.notMatch(JSON.stringify([house.facts, house.logged]), /bed seven/);
    t.same(readFileSync(house.path), before);
    t.equal(await house.read(), null);
    t.equal(house.store.transcripts.due(plusMs(noon, 86_400_000), noon), null, 'it is not begun again');
    await house.close();
  },
);

void t.test('a program is bounded in time and in size, and ended with what it started', async (t) => {
  const folder = t.testdir({});
  const mark = join(folder, 'child');
  const hangs = program(`import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
     const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
     writeFileSync(${JSON.stringify(mark)}, String(child.pid)); setInterval(() => {}, 1000);`);
  const stop = new AbortController();
  const hanging = transcriber({ command: [...hangs] })(wav, stop.signal);
  await until('its child to run', () => existsSync(mark) && readFileSync(mark, 'utf8') !== '');
  stop.abort();
  await t.rejects(hanging, { message: 'the house stops' });
  const pid = Number(readFileSync(mark, 'utf8'));
  await until(
    'the child to be gone',
    () => !existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')),
  );
  const sleeps = program('setInterval(() => {}, 1000);');
  await t.rejects(transcriber({ command: [...sleeps], waitSeconds: 1 })(wav, never), {
    message: 'took longer than 1 s',
  });
  const talks = program("process.stdout.write('x'.repeat(300_000)); setInterval(() => {}, 1000);");
  await t.rejects(transcriber({ command: [...talks] })(wav, never), { message: /^printed more than/ });
  await t.rejects(transcriber({ command: ['/nowhere/at-all'] })(wav, never), { message: 'cannot be started (ENOENT)' });
  const deaf = program("console.log('heard nothing');");
  const long = async (to: NodeJS.WritableStream) => void to.end(Buffer.alloc(4_000_000));
  t.equal(
    (await transcriber({ command: [...deaf] })(long, never)).trim(),
    'heard nothing',
    'who does not listen may talk',
  );
});

void t.test('a service gets the WAV by POST; only what it should answer counts', async (t) => {
  const answers: [number, string][] = [];
  const asked: { readonly type: string | undefined; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString('latin1')));
    request.on('end', () => {
      asked.push({ type: request.headers['content-type'], body });
      const [status, text] = answers.shift() ?? [200, JSON.stringify({ text: words })];
      response.writeHead(status).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  t.equal(await transcriber({ url })(wav, never), words);
  t.same(asked, [{ type: 'audio/wav', body: 'RIFF of a message' }]);
  answers.push([500, words], [200, words], [200, JSON.stringify({ text: 'x'.repeat(300_000) })]);
  await t.rejects(transcriber({ url })(wav, never), { message: 'it answered with status 500' });
  await t.rejects(transcriber({ url })(wav, never), { message: /^its answer is not/ });
  await t.rejects(transcriber({ url })(wav, never), { message: /too long/ });
  const shut = transcriberOf(optionsOf({ url }), new HttpPosts({ clock: systemClock, options: { allow: [] } }));
  await t.rejects(shut!(wav, never), { message: /webhooks\.allow/ });
  t.equal(transcriberOf(optionsOf({}), posts), null, 'off unless somebody names one');
});

void t.test('a text that was cut or harmed is refused, never half of it', async (t) => {
  const folder = t.testdir({});
  const { identity, recipient } = newIdentity();
  const path = join(folder, 'a.text.sealed');
  const open = () => openText(path, [identity]);
  await sealText(path, 'first', [recipient]);
  const long = 'ü'.repeat(20_000);
  await sealText(path, long, [recipient]);
  t.same(await open(), { kind: 'opened', text: long }, 'the one before is gone');
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, -100));
  t.match(await open(), { kind: 'refused', reason: 'truncated' });
  const harmed = Buffer.from(whole);
  harmed.fill(0, whole.length - 20_000, whole.length - 19_990);
  writeFileSync(path, harmed);
  t.match(await open(), { kind: 'refused', reason: 'damaged' });
});
