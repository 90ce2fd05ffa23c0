// The pieces of `say`: numbers, days, months, letters of each language. Debian's asterisk-core-sounds, as Opus of 16 kHz: a
// tenth of the size, and played at 8 kHz as well.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { finish } from './level.ts';
import { needFile, promptsFolder, readList, run, withTempFolder } from './tools.ts';
import { readWav, writeWav } from './wav.ts';

const sounds = '/usr/share/asterisk/sounds';

const voices = { en: 'en_US_f_Allison', es: 'es_MX_f_Allison' };

/** Makes every piece of every language and returns their number. */
export function makeSay(): number {
  return Object.entries(voices).reduce((sum, [language, voice]) => sum + makeLanguage(language, voice), 0);
}

function makeLanguage(language: string, voice: string): number {
  const folder = join(promptsFolder, language, 'say');
  const sources = readList(join(folder, 'sources.yaml'));
  for (const file of readdirSync(folder))
    if (file.endsWith('.opus') && !sources.has(file.replace(/\.opus$/, ''))) rmSync(join(folder, file));
  withTempFolder((temp) => {
    for (const [id, source] of sources) {
      const [decoded, levelled] = [join(temp, 'decoded.wav'), join(temp, 'levelled.wav')];
      decode(join(sounds, voice, source), language, decoded);
      const pcm = readWav(decoded);
      writeWav(levelled, finish({ narrow: pcm, wide: pcm }).wide);
      encode(levelled, join(folder, `${id}.opus`));
    }
  });
  return sources.size;
}

function decode(source: string, language: string, to: string): void {
  needFile(`${source}.g722`, `asterisk-core-sounds-${language}-g722`);
  const pcm = ['-ar', '16000', '-ac', '1', '-c:a', 'pcm_s16le', '-bitexact'];
  run('ffmpeg', ['-v', 'error', '-y', '-f', 'g722', '-i', `${source}.g722`, ...pcm, to]);
}

function encode(wav: string, to: string): void {
  const opus = ['-c:a', 'libopus', '-b:a', '24k', '-application', 'voip', '-bitexact'];
  run('ffmpeg', ['-v', 'error', '-y', '-i', wav, '-map_metadata', '-1', ...opus, '-f', 'ogg', to]);
}
