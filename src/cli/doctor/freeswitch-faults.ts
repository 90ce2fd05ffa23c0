import { BlockList, isIP } from 'node:net';
import { secretFault } from './bad-secrets.ts';
import type { Finding } from './finding.ts';
import { type Element, type FreeswitchFiles, readFreeswitchFiles } from './freeswitch-files.ts';

type Files = FreeswitchFiles;
interface Fault {
  readonly check: string;
  readonly says: string;
  readonly remedy: string;
}

const SECRET = 'FreeSWITCH secret';
const LISTENS = 'FreeSWITCH event socket';
const ACL = 'FreeSWITCH ACL';
const PASSWORDS = 'FreeSWITCH passwords';

/**
 * What is dangerous in a FreeSWITCH configuration folder: known secrets, an event socket for everybody, an ACL that lets
 * everybody in. Bad: Wardline must not be used with it. `site`: the file that goes with our own configuration.
 */
export function freeswitchFindings(folder: string, site?: string): readonly Finding[] {
  const read = readFreeswitchFiles(folder, site === undefined ? {} : { WARDLINE_FREESWITCH_SITE: site });
  if (read.kind === 'refused') {
    const remedy = 'name the folder that freeswitch is started with (-conf)';
    return [{ check: 'FreeSWITCH configuration', state: 'bad', says: read.why, remedy }];
  }
  const { files } = read;
  const faults = [missingFiles, secret, listens, acl, passwords, profiles, arguments_, logged].flatMap((look) =>
    look(files),
  );
  if (faults.length > 0) return faults.map((fault) => ({ ...fault, state: 'bad' }));
  return [{ check: 'FreeSWITCH configuration', state: 'good', says: `${folder}: nothing known to be dangerous` }];
}

function missingFiles({ missing }: Files): readonly Fault[] {
  return missing.map((file) => ({
    check: 'FreeSWITCH configuration',
    says: `${file} is included and cannot be read`,
    remedy: 'make it (wardline freeswitch prepare), or look at who may read it and at WARDLINE_FREESWITCH_SITE',
  }));
}

function secret(files: Files): readonly Fault[] {
  if (!loads(files, 'mod_event_socket')) return [];
  const { value, at } = param(files, 'event_socket.conf', 'password');
  // FreeSWITCH takes its own when none is configured.
  const fault = value === '' ? 'is empty, and so FreeSWITCH takes ClueCon' : secretFault(value);
  if (fault === null) return [];
  const remedy = 'wardline freeswitch prepare makes one of 256 bits';
  return [{ check: SECRET, says: `${at}: the password of the event socket ${fault}`, remedy }];
}

function listens(files: Files): readonly Fault[] {
  if (!loads(files, 'mod_event_socket')) return [];
  const { value, at } = param(files, 'event_socket.conf', 'listen-ip');
  if (!['::', '0.0.0.0', '[::]'].includes(value)) return [];
  const says = `${at}: listen-ip is "${value}": the event socket, which may do everything, listens on all addresses`;
  return [{ check: LISTENS, says, remedy: 'listen-ip 127.0.0.1; reach it from elsewhere through a tunnel' }];
}

/** FreeSWITCH falls back to loopback without one, also where it listens on all addresses; that is not asked for, it happens. */
function acl(files: Files): readonly Fault[] {
  if (!loads(files, 'mod_event_socket')) return [];
  const named = files.elements.filter(
    ({ name, inside, attributes }) =>
      name === 'param' && inside === 'event_socket.conf' && attributes.get('name') === 'apply-inbound-acl',
  );
  const remedy =
    'name a list with default="deny" and the address of the app (freeswitch-conf/autoload_configs/acl.conf.xml)';
  if (named.every(({ attributes }) => (attributes.get('value') ?? '') === '')) {
    return [{ check: ACL, says: 'the event socket has no apply-inbound-acl', remedy }];
  }
  return named.flatMap(({ attributes, at }) => {
    const why = openList(files, attributes.get('value') ?? '');
    return why === null ? [] : [{ check: ACL, says: `${at}: ${why}`, remedy }];
  });
}

function passwords(files: Files): readonly Fault[] {
  const remedy = 'Wardline keeps the phones: take the directory and default_password out of this configuration';
  const ofPhones = files.variables.get('default_password');
  const fault = ofPhones === undefined ? null : secretFault(ofPhones);
  if (fault !== null) {
    const says = `default_password ${fault}: whoever reaches SIP makes calls at your cost`;
    return [{ check: PASSWORDS, says, remedy }];
  }
  return files.elements
    .filter(({ name, inside }) => name === 'param' && inside !== 'event_socket.conf')
    .filter(({ attributes }) => attributes.get('name') === 'password')
    .flatMap(({ attributes, at }) => {
      const why = secretFault(attributes.get('value') ?? '');
      return why === null ? [] : [{ check: PASSWORDS, says: `${at}: a password ${why}`, remedy }];
    })
    .slice(0, 1);
}

/** A profile that asks nobody for a password has to know who calls by the address. */
function profiles(files: Files): readonly Fault[] {
  const names = [...new Set(files.elements.map(({ inside }) => inside))].filter((inside) =>
    inside.startsWith('sofia.conf/'),
  );
  return names.flatMap((inside) => {
    const { value: asks, at } = param(files, inside, 'auth-calls');
    if (['true', 'yes', 'on', '1'].includes(asks)) return [];
    const list = param(files, inside, 'apply-inbound-acl').value;
    const why = list === '' ? 'it has no apply-inbound-acl either' : openList(files, list);
    if (why === null) return [];
    const name = inside.slice('sofia.conf/'.length);
    const remedy = 'apply-inbound-acl with a list that names the app alone, or take the profile out';
    return [{ check: `FreeSWITCH profile ${name}`, says: `${at}: calls are not authenticated, and ${why}`, remedy }];
  });
}

function arguments_(files: Files): readonly Fault[] {
  const { value } = param(files, 'switch.conf', 'api-expansion');
  if (['false', 'no', 'off', '0'].includes(value)) return [];
  const says = 'api-expansion is on: a command written into the text of a call would be run';
  return [
    { check: 'FreeSWITCH arguments', says, remedy: '<param name="api-expansion" value="false"/> in switch.conf.xml' },
  ];
}

/** From "info" on, FreeSWITCH logs the keys that are pressed. */
function logged(files: Files): readonly Fault[] {
  const { value, at } = param(files, 'switch.conf', 'loglevel');
  if (['warning', 'err', 'crit', 'alert', '3', '4', '2', '1', '0'].includes(value)) return [];
  const says = `${at}: loglevel "${value === '' ? 'debug' : value}" writes the keys that callers press into the log`;
  return [{ check: 'FreeSWITCH log', says, remedy: 'loglevel warning' }];
}

/** Why a list lets strangers in; null when it does not. */
function openList(files: Files, list: string): string | null {
  if (list === 'loopback.auto') return null;
  if (list.endsWith('.auto')) return `the list "${list}" lets a whole network in`;
  const nodes = nodesOf(files, list);
  if (nodes === null) return `there is no list "${list}", so everybody is let in`;
  const [head, ...rest] = nodes;
  if (head?.attributes.get('default') !== 'deny')
    return `the list "${list}" lets in whoever is not named (default is not deny)`;
  const wide = rest.find(
    (node) => node.attributes.get('type') === 'allow' && isWide(node.attributes.get('cidr') ?? ''),
  );
  if (wide !== undefined) return `the list "${list}" lets everybody in (${wide.attributes.get('cidr')})`;
  const allows = rest.some((node) => node.attributes.get('type') === 'allow');
  return allows ? null : `the list "${list}" is empty`;
}

/** The list itself and its nodes; null: there is none of that name. */
function nodesOf({ elements }: Files, list: string): readonly Element[] | null {
  const inAcl = elements.filter(({ inside, name }) => inside === 'acl.conf' && (name === 'list' || name === 'node'));
  const from = inAcl.findIndex(({ name, attributes }) => name === 'list' && attributes.get('name') === list);
  if (from < 0) return null;
  const next = inAcl.findIndex(({ name }, index) => index > from && name === 'list');
  return inAcl.slice(from, next < 0 ? undefined : next);
}

/** A net that two strangers of the internet are both in. */
function isWide(cidr: string): boolean {
  const [net = '', bits = ''] = cidr.split('/');
  const family = isIP(net) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(net) === 0) return false;
  const list = new BlockList();
  const width = Number(bits === '' ? (family === 'ipv6' ? 128 : 32) : bits);
  if (!Number.isInteger(width) || width < 0 || width > (family === 'ipv6' ? 128 : 32)) return true;
  list.addSubnet(net, width, family);
  const strangers = family === 'ipv6' ? ['2001:db8::1', '2a00::1'] : ['198.51.100.1', '8.8.8.8', '203.0.113.1'];
  return strangers.filter((stranger) => list.check(stranger, family)).length > 1 || width < 8;
}

/** The last one counts, as in FreeSWITCH; `value` '' when it is not set. */
function param({ elements }: Files, inside: string, name: string): { readonly value: string; readonly at: string } {
  const found = elements.findLast(
    (element) => element.name === 'param' && element.inside === inside && element.attributes.get('name') === name,
  );
  return { value: found?.attributes.get('value') ?? '', at: found?.at ?? inside };
}

function loads({ elements }: Files, module: string): boolean {
  return elements.some(
    ({ name, inside, attributes }) =>
      name === 'load' && inside === 'modules.conf' && attributes.get('module') === module,
  );
}
