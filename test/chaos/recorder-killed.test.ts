import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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
    const seen = { complete: 0, cut: 0, scanned: 0, behind: 0, mostMissingMs: 0 };
    for (let kill = 1; kill <= KILLS; kill++) {
      const folder = join(dir, 'messages', String(kill));
      mkdirSync(folder);
      const child = startChild(process.execPath, ['test/support/recorder.ts', folder, raw, recipient], { env });
      const pushed = new Map<string, number>();
      const written = new Map<string, number>();
      const done = new Set<string>();
      let rest = '';
      child.stdout?.on('data', (bytes: Buffer) => {
        const lines = (rest + bytes.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const [what, name = '', at, onDisk] = line.split(' ');
          if (what === 'done') done.add(name);
          else {
            pushed.set(name, Number(at));
            written.set(name, Number(onDisk));
          }
        }
      });
      const random = randomFrom(kill);
      const least = Math.floor(random() * 150);
      await until('it to record', () => [...pushed.values()].reduce((sum, at) => sum + at / 1600, 0) > least);
      const during = scanForPlaintext([folder, join(dir, 'tmp')], child.pid === undefined ? [] : [child.pid], patterns);
      await new Promise((resolve) => setTimeout(resolve, random() * 60));
      child.kill('SIGKILL');
      await ended(child);
      const after = scanForPlaintext([folder, join(dir, 'tmp')], [], patterns);
      // The recorder itself is given the sound in a file that it has closed by then.
      const clear = [...during.found, ...after.found];
      if (clear.length > 0) t.fail(`kill ${kill}: in clear`, { clear });
      seen.scanned += after.filesRead;
      for (const [name, at] of pushed) {
        const opened = await openMessage(join(folder, `${name}.sealed`), [identity]);
        if (done.has(name)) {
          const isWhole = opened.kind === 'opened' && opened.ending === 'complete' && sound.equals(opened.audio);
          if (!isWhole) t.fail(`kill ${kill}: ${name} was acknowledged and is not whole`);
          seen.complete += 1;
          continue;
        }
        const kept = opened.kind === 'opened' ? opened.audio : Buffer.alloc(0);
        if (!sound.subarray(0, kept.length).equals(kept)) t.fail(`kill ${kill}: ${name} is not what was said`);
        const onDisk = written.get(name) ?? 0;
        if (kept.length < onDisk) t.fail(`kill ${kill}: ${name} lost what the disk had taken`);
        // What is said while the disk takes a second comes on top: the promise is a second where the disk keeps up.
        const isBehind = at - onDisk > SECOND_BYTES;
        if (isBehind) seen.behind += 1;
        else if (at - kept.length > SECOND_BYTES) t.fail(`kill ${kill}: ${name} misses ${(at - kept.length) / 8} ms`);
        seen.mostMissingMs = Math.max(seen.mostMissingMs, (at - kept.length) / 8);
        seen.cut += 1;
      }
      if (readdirSync(folder).length < pushed.size) t.fail(`kill ${kill}: a message is gone`);
    }
    t.ok(seen.cut >= KILLS && seen.complete > 0, JSON.stringify(seen));
    t.equal(readFileSync(raw).length, sound.length);
  },
);
