// Hold music: 22 seconds of a quiet piece, cut so that its end runs on into its beginning.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { needFile, promptsFolder, run, withTempFolder } from './tools.ts';
import { type Pcm, readWav, writeWav } from './wav.ts';

const source = '/usr/share/asterisk/moh/macroform-the_simplicity.wav';

/**
 * In samples at 8 kHz. The piece repeats itself after exactly this length at this place: the second before each of the two
 * points correlates to 0.96, the best match in the package of any loop between 21 and 29 s.
 */
const loop = { start: 952_000, length: 178_605, crossfade: 2_400 };

/** Below speech, so that a caller who talks to somebody in the room is not drowned. */
const targetDbfs = -24;

/** Makes the loop and returns the number of files. */
export function makeMusic(): number {
  needFile(source, 'asterisk-moh-opsound-wav');
  mkdirSync(join(promptsFolder, 'music/8000'), { recursive: true });
  withTempFolder((temp) => {
    const converted = join(temp, 'music.wav');
    run('sox', ['-D', source, '-b', '16', '-c', '1', '-r', '8000', converted]);
    writeWav(join(promptsFolder, 'music/8000/hold.wav'), cutLoop(readWav(converted)));
  });
  return 1;
}

function cutLoop({ rate, samples }: Pcm): Pcm {
  const { start, length, crossfade } = loop;
  const cut = Float64Array.from({ length }, (_, i) => {
    const here = samples[start + i] ?? 0;
    if (i >= crossfade) return here;
    // What follows the end of the loop fades into its beginning; linear, because the two are nearly the same wave.
    const after = samples[start + length + i] ?? 0;
    return here * (i / crossfade) + after * (1 - i / crossfade);
  });
  const rms = Math.sqrt(cut.reduce((sum, sample) => sum + sample * sample, 0) / length);
  const gain = (32768 * 10 ** (targetDbfs / 20)) / rms;
  return { rate, samples: Int16Array.from(cut, (sample) => Math.round(sample * gain)) };
}
