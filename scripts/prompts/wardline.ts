// Our own prompts: texts.yaml spoken by flite's voice "slt".

import { join } from 'node:path';
import { finish, type RatePair, targetDbfs } from './level.ts';
import { promptsFolder, rates, readList, run, tidyVoiceFolder, withTempFolder } from './tools.ts';
import { type Pcm, readWav, writePair } from './wav.ts';

const folder = join(promptsFolder, 'en/wardline');

/** flite's own pace is brisk. This one suits a tired or frightened listener; a word alone has no context and is said slower. */
const stretch = { sentence: 1.05, word: 1.25 };

/**
 * sox effects that bring the long-term spectrum near that of the human voice: slt carries most of its power at its pitch
 * (below 200 Hz, which a telephone hardly conveys, so that it would sound softer at the same level) and is dull above 2 kHz.
 */
const equalizer = 'highpass 120 bass -9 200 equalizer 350 1.0q 2 equalizer 3000 0.8q 4'.split(' ');

/** The "s" of slt lies above 6 kHz. At 8 kHz little of it is left; this brings that to where the human voice has it ("STAT"). */
const narrowbandTreble = 'treble 10 3400'.split(' ');

/** Makes every WAV of the voice and returns their number. */
export function makeWardline(): number {
  const texts = readList(join(folder, 'texts.yaml'));
  tidyVoiceFolder(folder, new Set(texts.keys()));
  withTempFolder((temp) => {
    for (const [id, text] of texts) {
      if (id !== 'beep')
        run('flite', [
          '-voice',
          'slt',
          '--setf',
          `duration_stretch=${text.includes(' ') ? stretch.sentence : stretch.word}`,
          '-t',
          text,
          '-o',
          join(temp, 'flite.wav'),
        ]);
      writePair(folder, id, id === 'beep' ? finish({ narrow: beep(8000), wide: beep(16000) }) : speech(temp));
    }
  });
  return texts.size * rates.length;
}

function speech(temp: string): RatePair {
  const at = (rate: number, effects: readonly string[]): Pcm => {
    const converted = join(temp, `${rate}.wav`);
    run('sox', [
      '-D',
      join(temp, 'flite.wav'),
      '-b',
      '16',
      converted,
      'gain',
      '-12',
      ...effects,
      'rate',
      '-v',
      String(rate),
    ]);
    return readWav(converted);
  };
  return finish({ narrow: at(8000, [...equalizer, ...narrowbandTreble]), wide: at(16000, equalizer) });
}

/** The tone before a recording: 1000 Hz, 400 ms, as loud as the speech, without a click at either end. */
function beep(rate: number): Pcm {
  const amplitude = 32768 * Math.SQRT2 * 10 ** (targetDbfs / 20);
  const length = 0.4 * rate;
  const samples = Int16Array.from({ length }, (_, i) => {
    const fade = Math.min(1, i / (0.005 * rate), (length - 1 - i) / (0.005 * rate));
    return Math.round(amplitude * fade * Math.sin((2 * Math.PI * 1000 * i) / rate));
  });
  return { rate, samples };
}
