import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { Recorder, type RecordResult } from '../../src/mediad/media/recorder.ts';
import { openSealed, SealedWriter } from '../../src/vault/index.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

/** A disk that many files share. */
function aDisk(bytes: number) {
  let free = bytes;
  const file = () => {
    const written: Buffer[] = [];
    const append = async (more: Uint8Array) => {
      const fits = Math.min(free, more.length);
      free -= fits;
      // As a disk does: what fits is there, and then comes the error.
      written.push(Buffer.from(more.subarray(0, fits)));
      if (fits < more.length) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    return { sink: { append, close: async () => {} }, bytes: () => Buffer.concat(written) };
  };
  return { file };
}

void t.test(
  'a disk that fills while twenty messages are recorded: each ends by itself, with what was sealed',
  async (t) => {
    const disk = aDisk(20 * 5 * 8000);
    const running = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const file = disk.file();
        const over = Promise.withResolvers<RecordResult>();
        const made: { recorder?: Recorder } = {};
        const sink = await SealedWriter.open({
          sink: file.sink,
          recipients: [recipient],
          format: { encoding: 'PCMU', rate: 8000, channels: 1 },
          metadata: {},
          onFailure: () => made.recorder?.close('failed'),
        });
        const limits = { maxMs: Infinity, silenceLevel: 0, silenceMs: 0 };
        const recorder = new Recorder({ sink, law: 'PCMU', limits, nowMs: 0, ended: over.resolve });
        made.recorder = recorder;
        return { file, recorder, sink, over: over.promise };
      }),
    );
    for (let n = 0; n < 400; n++) {
      const payload = Buffer.alloc(160, 1 + (n % 100));
      for (const { recorder } of running) recorder.push({ timestamp: n * 160, payload, law: 'PCMU' }, n * 20);
      if (n % 50 === 49) await Promise.all(running.map(({ sink }) => sink.drained()));
    }
    for (const { over, file } of running) {
      const { ending, samples, reason } = await over;
      t.match({ ending, reason }, { ending: 'failed', reason: /could not be written/ });
      t.ok(samples >= 6000 && samples % 6000 === 0, `whole segments: ${samples}`);
      const opened = await openSealed(file.bytes(), [identity]);
      t.match(opened, { kind: 'opened' });
      if (opened.kind === 'opened') t.equal(opened.audio.length, samples, 'what is said to be there is there');
    }
  },
);
