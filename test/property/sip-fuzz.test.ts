import t from 'tap';
import { FrameReader } from '../../src/sipd/control/frame-reader.ts';
import { failuresOf } from '../fuzz/corpus.ts';
import { faultOf, feed } from '../fuzz/feed.ts';
import { targets } from '../fuzz/targets.ts';

// What strangers, apps and files say, broken in every way: `npm run fuzz` does the same for as long as you like.

/** 153,000 in all. */
const executions = 17_000;
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() >>> 0);

for (const target of targets) {
  t.test(`${target.name}: nothing throws, dawdles, or is read in two ways`, (t) => {
    for (const { name, bytes } of failuresOf(target.name)) t.equal(faultOf(target.eat, bytes).fault, undefined, name);
    const fed = feed(target, executions, seed);
    if (fed.kind === 'failed') t.fail(`seed ${seed}: ${fed.why}`, { input: fed.bytes.toString('base64') });
    else t.pass(`${executions} inputs of seed ${seed}`);
    t.end();
  });
}

t.test('a frame of the control port says its length in plain digits, or is none', (t) => {
  const bad = ['-1#x', '0x10#x', '4294967300#x', ' 5#hello', '5,5#hello', '#', '0#', '1001#', 'hello', '12345678'];
  for (const text of bad) t.equal(new FrameReader().push(Buffer.from(text), 1_000), undefined, text);
  t.same(new FrameReader().push(Buffer.from('5#hello5#world3#ab'), 1_000)?.map(String), ['hello', 'world']);
  t.end();
});
