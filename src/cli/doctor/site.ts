import type { Config } from '../../config/index.ts';
import { instant } from '../../core/time/index.ts';
import { checkDocuments } from '../site-documents.ts';
import type { Finding } from './finding.ts';

export async function documents(config: Config): Promise<Finding> {
  const checked = await checkDocuments(config, instant(Date.now()));
  if (checked.kind === 'bad') {
    const [first = '', ...more] = checked.problems;
    const says = more.length === 0 ? first : `${first} (and ${more.length} more)`;
    return {
      check: 'documents',
      state: 'bad',
      says,
      remedy: 'correct the file; "wardline plan check" lists everything',
    };
  }
  const { plan, roster } = checked;
  return {
    check: 'documents',
    state: 'good',
    says: `${plan.source.routes.length} numbers, ${roster.services().length} services, ${roster.people().length} people`,
  };
}

/** No carrier has more addresses than that. */
const WIDEST_PREFIX = 8;

export function trunks(config: Config): readonly Finding[] {
  const known = Object.entries(config.trunks);
  if (known.length === 0) {
    const says = 'none is configured: mobiles and outside numbers cannot be rung';
    const remedy = '--set "trunks.carrier.target=sip:HOST:PORT;transport=udp" and trunks.carrier.allowFrom=[HOST]';
    return [{ check: 'trunk', state: 'note', says, remedy }];
  }
  return known.map(([name, trunk]): Finding => {
    const check = `trunk ${name}`;
    if (trunk.target === undefined) {
      const remedy = `--set "trunks.${name}.target=sip:HOST:PORT;transport=udp"`;
      return { check, state: 'bad', says: 'has no target: nothing can be rung by it', remedy };
    }
    const open = trunk.allowFrom.find((from) => Number(/\/(\d{1,3})$/.exec(from)?.[1] ?? 32) < WIDEST_PREFIX);
    if (open !== undefined) {
      const remedy = `--set "trunks.${name}.allowFrom=[ADDRESS]", with the carrier's own addresses`;
      return { check, state: 'bad', says: `${open} lets half the internet bring calls in`, remedy };
    }
    if (trunk.allowFrom.length === 0) {
      const remedy = `--set "trunks.${name}.allowFrom=[ADDRESS]"`;
      return { check, state: 'note', says: `${trunk.target}; it may not bring calls in`, remedy };
    }
    return { check, state: 'good', says: `${trunk.target}; calls from ${trunk.allowFrom.join(', ')}` };
  });
}
