import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import t from 'tap';
import { withoutCoreFile } from '../../src/processes/index.ts';
import { newIdentity, openMessage } from '../../src/vault/index.ts';
import { mulaw, scanForPlaintext, speechPatterns, tonePatterns } from '../support/plaintext-scan.ts';
import { randomFrom } from '../support/power-cut.ts';
import { ended, startChild, until } from '../support/processes.ts';
import { readWav, toneSamples } from '../support/sound.ts';

/** WARDLINE_KILLS says at how many instants; each is the same in every run. */
const KILLS = Number(process.env['WARDLINE_KILLS'] ?? 3);
const TONE = 800;
const NUMBER = '+12025550177';
const SECOND_BYTES = 8000;

/** A tone, then somebody says a number. */
const spoken = ['7', '1', '9'].flatMap((digit) => [
  ...readWav(`src/mediad/prompts/en/asterisk-core-sounds/8000/digit-${digit}.wav`).samples,
]);
const sound = Buffer.from([...toneSamples(TONE, 12_000, 0, 9000), ...spoken].map(mulaw));
const patterns = [...tonePatterns(TONE), ...speechPatterns(Int16Array.from(spoken)), Buffer.from(NUMBER)];

void t.test(
  `killed at ${KILLS} instants: nothing in clear, nothing acknowledged lost, at most a second missing`,
  async (t) => {
    const dir = t.testdir({ trap: {}, messages: {}, tmp: {} });
    const raw = join(dir, 'trap', 'sound.ul');
    writeFileSync(raw, sound);
    const traps = [tonePatterns(TONE), speechPatterns(Int16Array.from(spoken))];
    for (const some of traps)
      t.equal(scanForPlaintext([join(dir, 'trap')], [], some).found.length, 1, 'the scan finds it');
    const { identity, recipient } = newIdentity();
    const env = { ...process.env, TMPDIR: join(dir, 'tmp') };
    const seen = { complete: 0, cut: 0, scanned: 0, waited: 0, mostMissingMs: 0 };
    for (let kill = 1; kill <= KILLS; kill++) {
      const folder = join(dir, 'messages', String(kill));
      mkdirSync(folder);
      const child = startChild(process.execPath, ['test/support/recorder.ts', folder, raw, recipient], { env });
      const said = new Map<string, number>();
      const done = new Set<string>();
      eachLine(child, (line) => {
        const [what, name = '', bytes] = line.split(' ');
        if (what === 'done') done.add(name);
        else if (what === 'waits') seen.waited += 1;
        else said.set(name, Number(bytes));
      });
      const random = randomFrom(kill);
      const least = Math.floor(random() * 150);
      await until('it to record', () => [...said.values()].reduce((sum, at) => sum + at / 1600, 0) > least);
      const during = scanForPlaintext([folder, join(dir, 'tmp')], child.pid === undefined ? [] : [child.pid], patterns);
      await new Promise((resolve) => setTimeout(resolve, random() * 60));
      child.kill('SIGKILL');
      await ended(child);
      const after = scanForPlaintext([folder, join(dir, 'tmp')], [], patterns);
      // The recorder itself is given the sound in a file that it has closed by then.
      const clear = [...during.found, ...after.found];
      if (clear.length > 0) t.fail(`kill ${kill}: in clear`, { clear });
      seen.scanned += after.filesRead;
      for (const [name, saidBytes] of said) {
        const opened = await openMessage(join(folder, `${name}.sealed`), [identity]);
        if (done.has(name)) {
          const isWhole = opened.kind === 'opened' && opened.ending === 'complete' && sound.equals(opened.audio);
          if (!isWhole) t.fail(`kill ${kill}: ${name} was acknowledged and is not whole`);
          seen.complete += 1;
          continue;
        }
        const kept = opened.kind === 'opened' ? opened.audio : Buffer.alloc(0);
        if (!sound.subarray(0, kept.length).equals(kept)) t.fail(`kill ${kill}: ${name} is not what was said`);
        // By the number of each sample, not by a clock: how far it was said, and how far it is there.
        const missing = saidBytes - kept.length;
        if (missing > SECOND_BYTES) t.fail(`kill ${kill}: ${name} misses ${missing / 8} ms`);
        seen.mostMissingMs = Math.max(seen.mostMissingMs, missing / 8);
        seen.cut += 1;
      }
      if (readdirSync(folder).length < said.size) t.fail(`kill ${kill}: a message is gone`);
    }
    t.ok(seen.cut >= KILLS && seen.complete > 0, JSON.stringify(seen));
    t.equal(readFileSync(raw).length, sound.length);
  },
);

/** Where it is a name without a folder, the kernel puts core files where the process is; elsewhere they cannot be looked at. */
const corePattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();

void t.test('a process that dies leaves nothing in a core file that was said in it', async (t) => {
  if (/[|/]/.test(corePattern)) return t.plan(0, `core files go to ${corePattern}`);
  t.testdir({});
  writeFileSync(join(t.testdirName, 'sound.ul'), sound);
  const { recipient } = newIdentity();
  const died = async (name: string, how: 'careful' | 'careless', isLimited = false) => {
    const dir = join(t.testdirName, name);
    mkdirSync(join(dir, 'messages'), { recursive: true });
    const words = [
      resolve('test/support/recorder.ts'),
      join(dir, 'messages'),
      join(dir, '../sound.ul'),
      recipient,
      how,
    ];
    const command = isLimited ? withoutCoreFile(process.execPath, words) : [process.execPath, ...words];
    const shell = 'ulimit -c unlimited && cd "$1" && shift && exec "$@"';
    const child = startChild('/bin/sh', ['-c', shell, 'sh', dir, ...command.flat()]);
    let messages = 0;
    eachLine(child, (line) => {
      if (line.startsWith('done')) messages += 1;
    });
    await until('it has something in memory', () => messages > 3);
    child.kill('SIGABRT');
    await ended(child);
    const core = readdirSync(dir).find((file) => file.startsWith('core'));
    return core === undefined ? undefined : join(dir, core);
  };
  const careless = await died('careless', 'careless');
  if (careless === undefined) return t.plan(0, 'no core files are written here');
  t.equal(scanForPlaintext([dirname(careless)], [], patterns).found.length, 1, 'the scan finds it');
  t.ok(memoryIn(careless) > 1_000_000, 'and so does the sum');
  // As a program gets it that the kernel hands core files to: registers are there, and in them what was just copied.
  const handed = await died('handed', 'careful');
  // The kernel's own pages (vvar, vdso, vsyscall) are in every core file.
  t.ok(handed !== undefined && memoryIn(handed) <= 65_536, 'nothing of its memory');
  t.equal(await died('as started', 'careful', true), undefined, 'as the supervisor starts it, no core file at all');
});

/** Bytes of memory in a core file: the sizes in the file of its loaded segments (elf(5), 64 bits). */
function memoryIn(core: string): number {
  const bytes = readFileSync(core);
  const [at, size, count] = [Number(bytes.readBigUInt64LE(32)), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const header = at + i * size;
    if (bytes.readUInt32LE(header) === 1) sum += Number(bytes.readBigUInt64LE(header + 32));
  }
  return sum;
}

function eachLine(child: ReturnType<typeof startChild>, told: (line: string) => void): void {
  let rest = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    const lines = (rest + bytes.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) told(line);
  });
}
