/** Text to speech: by a program of the house, kept under a keyed hash, sealed where it names a patient. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { speech as speechFinding } from '../../src/cli/doctor/installation.ts';
import { PromptFinder } from '../../src/mediad/channel/applications/prompts.ts';
import { LentKeys } from '../../src/mediad/channel/lent-keys.ts';
import { readSound } from '../../src/mediad/media/files/sound-file.ts';
import { mediadOptions } from '../../src/mediad/options.ts';
import { Synthesiser } from '../../src/mediad/speech/synthesiser.ts';
import { ROOT } from '../support/root.ts';
import { shareOf } from '../support/sound.ts';

const PROGRAM = join(ROOT, 'test/support/speaking-program.ts');

function aHouse(t: Test, more: object = {}) {
  const folder = t.testdir({ said: '', work: {} });
  const voices = { ann: [PROGRAM, folder], bob: [PROGRAM, folder] };
  const own = {
    program: process.execPath,
    voices,
    workFolder: '/dev/shm',
    cacheFolder: join(folder, 'cache'),
    ...more,
  };
  const options = mediadOptions.parse({ eventSocket: { secret: '0123456789abcdef' }, speech: own }).speech;
  const said = () =>
    readFileSync(join(folder, 'said'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { text: string; hasEnvironment: boolean });
  const cached = () => (existsSync(join(folder, 'cache')) ? readdirSync(join(folder, 'cache')) : []);
  return { folder, said, cached, open: (secret = 'secret') => Synthesiser.open(options, secret) };
}

const isInMemory = existsSync('/dev/shm');

void t.test('a text is spoken once, and then comes from the cache, also after a restart', async (t) => {
  const { said, cached, open } = aHouse(t);
  const speech = await open();
  const first = await speech.speak({ voice: 'ann', text: 'Ward\n4\u0000 B', namesPatient: false });
  if (first.kind !== 'spoken') throw new Error(first.reason);
  const sound = await readSound(first.wav);
  if (sound.kind !== 'held') throw new Error(sound.reason);
  t.ok(shareOf({ rateHz: 16_000, samples: sound.sound.samples }, 900) > 0.99);
  t.same(said(), [{ text: 'Ward 4 B\n', hasEnvironment: false }], 'on its input, without what steers terminals');
  t.same(await speech.speak({ voice: undefined, text: 'Ward 4 B', namesPatient: false }), first, 'the first voice');
  t.same(await (await open()).speak({ voice: 'ann', text: 'Ward 4 B', namesPatient: false }), first);
  t.equal(said().length, 1);
  t.equal((await speech.speak({ voice: 'bob', text: 'Ward 4 B', namesPatient: false })).kind, 'spoken');
  t.equal(said().length, 2, 'another voice is another sound');
  t.match(cached(), [/^[0-9a-f]{64}\.wav$/, /^[0-9a-f]{64}\.wav$/]);
  await (await open('another secret')).speak({ voice: 'ann', text: 'Ward 4 B', namesPatient: false });
  t.equal(said().length, 3, 'who does not have the key does not find it');
});

void t.test(
  'what names a patient is sealed on the disk and gone with the process',
  { skip: !isInMemory },
  async (t) => {
    const { folder, said, cached, open } = aHouse(t);
    const speech = await open();
    const utterance = { voice: 'ann', text: 'John Doe', namesPatient: true };
    const first = await speech.speak(utterance);
    if (first.kind !== 'spoken') throw new Error(first.reason);
    t.same(await speech.speak(utterance), first);
    t.equal(said().length, 1, 'opened from the cache');
    t.match(cached(), [/\.sealed$/]);
    const path = join(folder, 'cache', cached()[0]!);
    const bytes = readFileSync(path);
    t.notOk(bytes.includes(first.wav.subarray(1000, 1016)), 'no sound in clear');
    t.equal(statSync(path).mode & 0o777, 0o600);
    bytes[100]! ^= 1;
    writeFileSync(path, bytes);
    t.same(await speech.speak(utterance), first, 'what is damaged is spoken anew');
    t.equal(said().length, 2);
    await speech.speak({ ...utterance, namesPatient: false });
    t.equal(said().length, 3, 'a sealed one is nobody else’s');
    await open();
    t.match(cached(), [/\.wav$/], 'the next process has no key for it');
  },
);

void t.test('a text that names a patient is not written to a disk on the way', async (t) => {
  // The checkout lies on a disk.
  const { folder, said, open } = aHouse(t, { workFolder: ROOT });
  const speech = await open();
  t.match(await speech.speak({ voice: 'ann', text: 'John Doe', namesPatient: true }), { reason: /is on a disk/ });
  t.same(said(), []);
  t.ok(folder);
});

void t.test('what cannot be spoken says why, and never the text', async (t) => {
  const { said, open } = aHouse(t, { withinMs: 1500 });
  const speech = await open();
  const refusals: readonly (readonly [string, string | undefined, RegExp])[] = [
    ['please fail', 'ann', /ended with code 3/],
    ['please hang', 'ann', /not done within 1500 ms/],
    ['nothing', 'ann', /ENOENT/],
    ['hello', 'carl', /there is no voice carl; options speech.voices has ann, bob/],
    ['hello', '__proto__', /there is no voice/],
    [' \n ', 'ann', /nothing to say/],
    ['x'.repeat(1001), 'ann', /longer than 1000/],
  ];
  for (const [text, voice, reason] of refusals) {
    const result = await speech.speak({ voice, text, namesPatient: false });
    t.match(result, { kind: 'refused', reason }, text);
  }
  t.equal(said().length, 3);
  const nowhere = aHouse(t, { program: '/nonexistent/flite' });
  const reason = /not installed; on Debian: apt-get install flite/;
  t.match(await (await nowhere.open()).speak({ voice: 'ann', text: 'x', namesPatient: false }), { reason });
  t.match(speechFinding('/nonexistent/flite'), { state: 'note', remedy: 'apt-get install flite' });
  t.match(speechFinding(process.execPath), { state: 'good' });
});

void t.test('the cache stays within its bytes', async (t) => {
  const { cached, open, said } = aHouse(t, { cacheBytes: 80_000 });
  const speech = await open();
  for (const text of ['a', 'b', 'a', 'c']) await speech.speak({ voice: 'ann', text, namesPatient: false });
  t.equal(cached().length, 2);
  t.equal(said().length, 3);
  await speech.speak({ voice: 'ann', text: 'a', namesPatient: false });
  t.equal(said().length, 3, 'the one that was used is still there');
});

void t.test('clients name what is spoken as FreeSWITCH’s do', async (t) => {
  const { said, open } = aHouse(t);
  const finder = new PromptFinder([], '', new LentKeys(), await open());
  const variables = new Map<string, string>();
  const listener = { uuid: 'u', variables };
  const find = (text: string) => finder.find(text, '', listener);
  const speechItem = { kind: 'found', items: [{ kind: 'speech', name: 'tts://flite' }] };
  t.match(await find('tts://flite|bob|one: two'), speechItem);
  t.match(await find('tts://three'), speechItem);
  t.match(await find('say:four'), speechItem);
  t.match(await find('say:flite:bob:five'), speechItem);
  t.match(await find('tts://cepstral|bob|six'), { reason: /^tts: there is no engine cepstral/ });
  variables.set('tts_engine', 'flite').set('tts_voice', 'dave');
  t.match(await find('say:John Doe'), { reason: 'say: there is no voice dave; options speech.voices has ann, bob' });
  t.same(
    said().map(({ text }) => text.trim()),
    ['one: two', 'three', 'four', 'five'],
  );
});

void t.test('Debian’s flite speaks', { skip: !existsSync('/usr/bin/flite') }, async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, 'work'));
  const options = mediadOptions.parse({
    eventSocket: { secret: '0123456789abcdef' },
    speech: { workFolder: join(folder, 'work') },
  }).speech;
  for (const voice of Object.keys(options.voices)) {
    const spoken = await (await Synthesiser.open(options, 's')).speak({
      voice,
      text: 'Ward four B; -o "$HOME"',
      namesPatient: false,
    });
    if (spoken.kind !== 'spoken') throw new Error(spoken.reason);
    const sound = await readSound(spoken.wav);
    t.ok(sound.kind === 'held' && sound.sound.samples.length > sound.sound.rate, voice);
  }
  t.same(readdirSync(join(folder, 'work')), [], 'nothing is left behind');
});
