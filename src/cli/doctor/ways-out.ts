import type { Config, Listen } from '../../config/index.ts';
import { parseEndpoint } from '../../config/index.ts';
import { advertisedAddress } from '../supervise/daemon-options.ts';
import { askBySip, type SipAnswer } from '../ask-by-sip.ts';
import { alteredEchoes, alteredLines, reflectedIn, seenAs } from '../sip-reflection.ts';
import type { Finding } from './finding.ts';

// A router that "helps" with SIP rewrites addresses in it, and calls have sound one way or none. It shows where somebody
// sends back what arrived: every server does with some headers, a reflector of ours does with all of it.

const ANSWERS_WITHIN_MS = 3_000;
const REMEDY =
  'turn off "SIP ALG" (also called SIP helper, fixup, transformations) in the routers and firewalls on the way, and try again';

/** The way to each carrier, by an OPTIONS as any telephone sends it. */
export async function waysToTrunks(config: Config): Promise<readonly Finding[]> {
  const ways = Object.entries(config.trunks).map(async ([name, { target }]): Promise<readonly Finding[]> => {
    const place = target === undefined ? null : placeOf(target);
    if (place === null) return [];
    const check = `way to trunk ${name}`;
    const answer = await askBySip(place, ANSWERS_WITHIN_MS);
    if (answer.kind === 'answers') return wayFindings(check, place, answer, advertisedAddress(config));
    const says = `${shown(place)}: ${answer.why}, so a SIP ALG on the way cannot be looked for`;
    const remedy =
      'many carriers answer only from the address they know; "wardline doctor --reflector" asks one of yours';
    return [{ check, state: 'note', says, remedy }];
  });
  return (await Promise.all(ways)).flat();
}

/** The way to a `wardline reflect` outside of everything that is to be tested. */
export async function wayToReflector(config: Config, reflector: string): Promise<readonly Finding[]> {
  const check = 'way to reflector';
  const at = parseEndpoint(reflector);
  if (at === null) return [{ check, state: 'bad', says: `${reflector} must read address:port`, remedy: 'correct it' }];
  const place: Listen = { transport: 'udp', ...at };
  const answer = await askBySip(place, ANSWERS_WITHIN_MS);
  if (answer.kind === 'silent') {
    const remedy = 'start "wardline reflect" there, and let UDP to it through';
    return [{ check, state: 'bad', says: `${shown(place)}: ${answer.why}`, remedy }];
  }
  const arrived = reflectedIn(answer.heard);
  if (arrived === null) {
    return [{ check, state: 'bad', says: `${shown(place)} is no "wardline reflect"`, remedy: 'start one there' }];
  }
  const altered = alteredLines(answer.sent, arrived);
  if (altered.length > 0) return [alg(check, place, altered)];
  return wayFindings(check, place, answer, advertisedAddress(config));
}

/** What an answer shows of the way that request and answer went. */
function wayFindings(
  check: string,
  place: Listen,
  answer: Extract<SipAnswer, { kind: 'answers' }>,
  advertised: string,
): readonly Finding[] {
  const altered = alteredEchoes(answer.sent, answer.heard);
  if (altered.length > 0) return [alg(check, place, altered)];
  const seen = seenAs(answer.heard);
  if (seen !== null && seen !== answer.from.host && seen !== advertised) {
    const says = `${shown(place)} sees this machine as ${seen}, and is told ${advertised}: answers and sound may not come back`;
    const remedy = `--set sip.advertise=${seen} (drachtio-server: -x ${seen}), and let the ports through to here`;
    return [{ check, state: 'note', says, remedy }];
  }
  return [
    { check, state: 'good', says: `${shown(place)} answers ${answer.says}, and nothing was rewritten on the way` },
  ];
}

function alg(check: string, place: Listen, altered: readonly string[]): Finding {
  const more = altered.length === 1 ? '' : ` (and ${altered.length - 1} more)`;
  const says = `${shown(place)}: SIP is rewritten on the way: ${altered[0]}${more}`;
  return { check, state: 'bad', says, remedy: REMEDY };
}

/** "sip:192.0.2.10:5060;transport=udp", as the configuration checks it. */
function placeOf(target: string): Listen | null {
  const [, where = '', transport = 'udp'] = /^sip:(?:[^@]*@)?([^;]+)(?:;transport=(udp|tcp|tls))?$/.exec(target) ?? [];
  const [, host = '', port = transport === 'tls' ? '5061' : '5060'] =
    /^(\[[0-9A-Fa-f:]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(where) ?? [];
  if (host === '') return null;
  return { transport: transport as Listen['transport'], host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function shown({ transport, host, port }: Listen): string {
  return `${transport} ${host}:${port}`;
}
