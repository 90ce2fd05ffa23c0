import type { Transport } from '../../config/index.ts';

/** Where a softphone registers: "192.0.2.7:5060", for each transport that is served. */
export interface SipServer {
  readonly transport: Transport;
  readonly address: string;
}

export interface BannerFacts {
  readonly version: string;
  readonly site: string;
  readonly sip: readonly SipServer[];
  /** Example phones that nobody has replaced yet. */
  readonly phones: readonly { readonly extension: string; readonly name: string; readonly password: string }[];
  /** Numbers worth dialling and what will happen. */
  readonly numbers: readonly { readonly number: string; readonly says: string }[];
  readonly data: string;
  readonly admin: string;
}

/**
 * What the terminal shows when the house is up: enough to make a call with a softphone. Fits into 80 columns. Without
 * passwords where it goes to a log, which is kept and read by others.
 */
export function banner(facts: BannerFacts, hasPasswords: boolean): readonly string[] {
  const names = Math.max(0, ...facts.phones.map(({ name }) => name.length));
  return [
    '',
    `  Wardline ${facts.version} is up: ${facts.site}`,
    '',
    `  SIP server   ${sipServer(facts.sip)}`,
    ...facts.phones.map(
      ({ extension, name, password }, i) =>
        `  ${i === 0 ? 'Two phones ' : '           '}  ${extension}  ${name.padEnd(names)}  ${hasPasswords ? `password ${password}` : `wardline phone add ${extension} makes a password`}`,
    ),
    ...(facts.phones.length === 0 ? ['  Phones       wardline phone list'] : []),
    ...facts.numbers.map(
      ({ number, says }, i) => `  ${i === 0 ? 'Try dialling' : '            '} ${number.padEnd(6)}${says}`,
    ),
    '',
    `  Data         ${facts.data}`,
    `  Admin        http://${facts.admin}/readyz`,
    '  Stop         Ctrl-C (running calls may end first; Ctrl-C again ends them)',
    '',
  ];
}

/** "192.0.2.7:5060  (udp or tcp)" */
export function sipServer(served: readonly SipServer[]): string {
  const transports = [...new Set(served.map(({ transport }) => transport))].join(' or ');
  const addresses = [...new Set(served.map(({ address }) => address))].join(', ');
  return `${addresses}  (${transports})`;
}
