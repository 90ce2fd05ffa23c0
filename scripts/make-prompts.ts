// Makes the spoken prompts and the hold music under src/mediad/prompts (its README.md says what is where).
//
//   node scripts/make-prompts.ts                    speaks en/wardline/texts.yaml with flite   (needs flite, sox)
//   node scripts/make-prompts.ts asterisk music     converts the pieces of Debian's packages   (needs sox, ffmpeg)
//   node scripts/make-prompts.ts say                converts the pieces of numbers and dates    (needs ffmpeg)
//
// The same input gives the same bytes, so `git diff` shows what a change of text changed.
// Files whose id is no longer in texts.yaml are deleted.

import { makeAsterisk } from './prompts/asterisk.ts';
import { makeMusic } from './prompts/music.ts';
import { makeSay } from './prompts/say.ts';
import { Refusal } from './prompts/tools.ts';
import { makeWardline } from './prompts/wardline.ts';

const parts = { wardline: makeWardline, asterisk: makeAsterisk, music: makeMusic, say: makeSay };

try {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['wardline'];
  for (const name of wanted) {
    if (!isPart(name)) throw new Refusal(`make-prompts: no part "${name}"; parts are ${Object.keys(parts).join(', ')}`);
    console.log(`${name}: ${parts[name]()} files`);
  }
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function isPart(name: string): name is keyof typeof parts {
  return Object.hasOwn(parts, name);
}
