import t from 'tap';
import { PatientWriter } from '../../src/cli/app/patient-writer.ts';

/** Timers that ring when they are told to. */
function timers() {
  const waiting: (() => void)[] = [];
  return {
    clock: {
      after: (_ms: number, run: () => void) => {
        waiting.push(run);
        return { cancel: () => void waiting.splice(waiting.indexOf(run), 1) };
      },
    },
    /** Lets what can go on do so, then rings. */
    ring: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

void t.test('a store that is locked for a moment costs no write and no order', async (t) => {
  const { clock, ring } = timers();
  const troubles: string[] = [];
  const writer = new PatientWriter({ clock, onTrouble: (_error, what) => troubles.push(what) });
  const written: string[] = [];
  let locked = 3;
  const save = (name: string) => () => {
    if (locked-- > 0) throw new Error('locked');
    written.push(name);
  };
  const both = Promise.all([writer.write('one', save('one')), writer.write('two', save('two'))]);
  for (let i = 0; i < 3; i++) await ring();
  await both;
  t.same(written, ['one', 'two']);
  t.same(troubles, ['one'], 'told once');
});

void t.test('a stop makes a last attempt for everything, and does not wait', async (t) => {
  const { clock } = timers();
  const troubles: string[] = [];
  const writer = new PatientWriter({ clock, onTrouble: (_error, what) => troubles.push(what) });
  let attempts = 0;
  const full = () => {
    attempts++;
    return Promise.reject(new Error('full'));
  };
  void writer.write('one', full);
  void writer.write('two', full);
  await writer.close();
  await writer.close();
  t.equal(new Set(troubles).size, 2);
  t.ok(attempts >= 2);
});
