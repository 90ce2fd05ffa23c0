// The human voice: pieces of Debian's asterisk-core-sounds, only those listed in sources.yaml.
// 8 kHz comes from the -wav package, 16 kHz is decoded from the wideband -g722 package.

import { join } from 'node:path';
import { finish } from './level.ts';
import { needFile, promptsFolder, rates, readList, run, tidyVoiceFolder, withTempFolder } from './tools.ts';
import { readWav, writePair } from './wav.ts';

const sounds = '/usr/share/asterisk/sounds/en_US_f_Allison';
const folder = join(promptsFolder, 'en/asterisk-core-sounds');

/** Makes every WAV of the voice and returns their number. */
export function makeAsterisk(): number {
  const sources = readList(join(folder, 'sources.yaml'));
  tidyVoiceFolder(folder, new Set(sources.keys()));
  withTempFolder((temp) => {
    for (const [id, source] of sources) {
      const pair = { narrow: join(temp, 'narrow.wav'), wide: join(temp, 'wide.wav') };
      fromWav(join(sounds, `${source}.wav`), pair.narrow);
      fromG722(join(sounds, `${source}.g722`), pair.wide);
      writePair(folder, id, finish({ narrow: readWav(pair.narrow), wide: readWav(pair.wide) }));
    }
  });
  return sources.size * rates.length;
}

function fromWav(from: string, to: string): void {
  needFile(from, 'asterisk-core-sounds-en-wav');
  run('sox', ['-D', from, '-b', '16', '-c', '1', to]);
}

function fromG722(from: string, to: string): void {
  needFile(from, 'asterisk-core-sounds-en-g722');
  run('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-f',
    'g722',
    '-i',
    from,
    '-ar',
    '16000',
    '-ac',
    '1',
    '-c:a',
    'pcm_s16le',
    '-bitexact',
    to,
  ]);
}
