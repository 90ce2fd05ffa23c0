import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Config } from '../../config/index.ts';
import type { Finding } from './finding.ts';

const check = 'certificate for SIP';
const DAY_MS = 86_400_000;
/** Those who renew by themselves do so a month before the end: whoever has come so far does not. */
const SOON_DAYS = 21;

/** What phones are shown by TLS: whether it is valid, for how long, fits its key, and who can read that. */
export function certificate({ sip }: Config, now = new Date()): readonly Finding[] {
  const { certificate: file, key: keyFile } = sip.tls;
  if (file === '') return [];
  const bad = (says: string, remedy: string): readonly Finding[] => [{ check, state: 'bad', says, remedy }];
  try {
    const shown = new X509Certificate(readFileSync(file));
    const key = createPrivateKey(readFileSync(keyFile));
    const [from, until] = [new Date(shown.validFrom), new Date(shown.validTo)];
    const days = Math.floor((until.getTime() - now.getTime()) / DAY_MS);
    const day = until.toISOString().slice(0, 10);
    const renew = `renew ${file}; it is read again without a restart`;
    if (!shown.checkPrivateKey(key))
      return bad(`${keyFile} is not the key of ${file}`, 'give the key it was made with');
    if (now < from) return bad(`${file} is valid only from ${from.toISOString()}`, 'look at the clock, or renew it');
    if (now >= until) return bad(`${file} has expired on ${day}: phones refuse it`, renew);
    const { mode } = statSync(keyFile);
    if ((mode & 0o007) !== 0) return bad(`everybody on this machine can read ${keyFile}`, `chmod o= ${keyFile}`);
    if ((mode & 0o070) !== 0) {
      return [{ check, state: 'note', says: `a group can read ${keyFile}`, remedy: `chmod go= ${keyFile}` }];
    }
    if (days < SOON_DAYS) return [{ check, state: 'note', says: `${file} expires in ${days} days`, remedy: renew }];
    return [{ check, state: 'good', says: `valid until ${day}, its key readable by its owner alone` }];
  } catch (error) {
    return bad(`${file} and ${keyFile}: ${(error as Error).message}`, 'give readable PEM files in sip.tls');
  }
}
