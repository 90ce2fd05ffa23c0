/** A stand-in for flite: `node … FOLDER -o FILE` says a tone, and notes each text in FOLDER. What the text asks for, it does: `fail`, `hang`, `nothing`. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toneSamples, wavBytes } from './sound.ts';

const [, , folder = '', , file = ''] = process.argv;
const text = readFileSync(0, 'utf8');
appendFileSync(
  join(folder, 'said'),
  `${JSON.stringify({ text, hasEnvironment: Object.keys(process.env).length > 0 })}\n`,
);
if (text.includes('fail')) process.exit(3);
if (text.includes('hang')) setInterval(() => {}, 1000);
else if (!text.includes('nothing'))
  writeFileSync(file, wavBytes({ rateHz: 16_000, samples: toneSamples(900, 16_000, 0, 8000, 16_000) }));
