import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installedIn } from '../../config/index.ts';
import { missingPrompts, promptIds } from '../prompt-ids.ts';
import type { Finding } from './finding.ts';

export function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = major > 22 || (major === 22 && minor >= 18);
  if (isNew) return { check: 'Node', state: 'good', says: process.versions.node };
  return {
    check: 'Node',
    state: 'bad',
    says: `${process.versions.node} is too old`,
    remedy: 'start with "npm start", which brings its own, or install Node 24',
  };
}

const SPEECH_PROGRAM = '/usr/bin/flite';

/** Only what an app has spoken needs it; our own prompts are recorded. */
export function speech(program = SPEECH_PROGRAM): Finding {
  if (existsSync(program)) return { check: 'text to speech', state: 'good', says: program };
  return {
    check: 'text to speech',
    state: 'note',
    says: `${program} is not there: the media server refuses speak and tts://`,
    remedy: 'apt-get install flite',
  };
}

export function prompts(): Finding {
  const count = promptIds().size;
  const missing = missingPrompts();
  if (count > 0 && missing.length === 0) return { check: 'prompts', state: 'good', says: `${count} recordings` };
  const says = count === 0 ? 'there are none' : `${missing.length} missing: ${missing.slice(0, 5).join(', ')}`;
  return {
    check: 'prompts',
    state: 'bad',
    says: `${says}: callers hear nothing in their place`,
    remedy: `bring back ${join(installedIn, 'src/mediad/prompts')} (git checkout, or clone Wardline again)`,
  };
}
