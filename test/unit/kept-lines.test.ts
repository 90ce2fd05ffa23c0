import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KeptLines } from '../../src/telephony/kept-lines.ts';

const log = { info() {}, warn() {}, error() {} };

void t.test('a house with many conversations does not write all of them anew for each', async (t) => {
  const path = join(t.testdir(), 'talks');
  const running = new Set(Array.from({ length: 1_000 }, (_, i) => `${i} ${'x'.repeat(1_000)}`));
  let rewritten = 0;
  const lines = new KeptLines(path, {
    what: 'conversations',
    log,
    all: () => {
      rewritten++;
      return running;
    },
  });
  for (let i = 1_000; i < 3_000; i++) {
    const line = `${i} ${'x'.repeat(1_000)}`;
    running.delete([...running][0] ?? '');
    running.add(line);
    lines.write(line);
  }
  t.ok(rewritten > 1 && rewritten < 5, `written anew ${rewritten} times`);
  const kept = new Set(readFileSync(path, 'utf8').split('\n'));
  for (const line of running) t.ok(kept.has(line));
  running.clear();
  lines.close();
  t.same(KeptLines.read(path), [], 'nothing is left behind');
});
