import { readFileSync } from 'node:fs';
import { secretFault } from './bad-secrets.ts';
import type { Finding } from './finding.ts';

/** What is dangerous in a configuration file of drachtio-server. */
export function drachtioFindings(file: string): readonly Finding[] {
  const check = 'drachtio-server configuration';
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const says = `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
    return [{ check, state: 'bad', says, remedy: 'correct the path, or who may read it' }];
  }
  const settings = text.replaceAll(/<!--[\s\S]*?(?:-->|$)/g, (comment) => comment.replace(/[^\n]/g, ''));
  const bad = (at: number, says: string, remedy: string): Finding => {
    return { check, state: 'bad', says: `${file}:${settings.slice(0, at).split('\n').length}: ${says}`, remedy };
  };
  const admin = /<admin\b([^>]*)>([^<]*)<\/admin>|<admin\b([^>]*)\/>/.exec(settings);
  const secret = /\bsecret\s*=\s*"([^"]*)"/.exec(admin?.[1] ?? admin?.[3] ?? '')?.[1];
  const listens = (admin?.[2] ?? '').trim();
  const level = /<loglevel>\s*(\w+)\s*<\/loglevel>/.exec(settings);
  const findings: Finding[] = [];
  // Ours is empty: DRACHTIO_SECRET holds the real one, and the app never logs in with an empty one.
  const fault = secret === undefined ? 'is not set, and so drachtio-server takes admin' : secret && secretFault(secret);
  if (fault) {
    findings.push(bad(admin?.index ?? 0, `the secret ${fault}`, 'secret="", and DRACHTIO_SECRET with 256 bits'));
  }
  if (['', '0.0.0.0', '*', '::'].includes(listens)) {
    const says = 'the control port, which takes commands without the secret, listens on all addresses';
    findings.push(bad(admin?.index ?? 0, says, '127.0.0.1 in <admin>; reach it from elsewhere through a tunnel'));
  }
  if (level !== null && /^(info|debug)$/i.test(level[1] ?? '')) {
    const says = `loglevel "${level[1]}" writes the numbers and names of callers into the log`;
    findings.push(bad(level.index, says, '<loglevel>warning</loglevel>'));
  }
  return findings.length > 0 ? findings : [{ check, state: 'good', says: `${file}: nothing known to be dangerous` }];
}
