import { sippSdp } from '../../support/sipp.ts';

// What the two SIPps say: a caller who is asked for a password, and a phone that rings for 100 ms.

/** `branch`: the ACK of a refusal belongs to the INVITE's transaction (RFC 3261 17.1.1.3), the rest has its own. */
const request = (method: string, cseq: number, rest: string, branch = '[branch]', more = '') => `
<send ${method === 'ACK' ? '' : 'retrans="500"'} ${more}><![CDATA[

${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=${branch}
From: <sip:2101@[remote_ip]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]>${method === 'INVITE' ? '' : '[peer_tag_param]'}
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Max-Forwards: 70
Contact: <sip:2101@[local_ip]:[local_port]>
${rest}
]]></send>`;

const withSdp = (more = '') => `${more}Content-Type: application/sdp
Content-Length: [len]

${sippSdp}`;

const inDialog = (method: string, cseq: number, isProxied: boolean) =>
  request(method, cseq, `${isProxied ? '[routes]\n' : ''}Content-Length: 0\n`).replace(
    'sip:[service]@[remote_ip]:[remote_port] SIP',
    '[next_url] SIP',
  );

export interface Asked {
  /** The status that asks for the password; null: nobody asks. */
  readonly challenge: 401 | 407 | null;
  /** A proxy that stays in the way is named in each request of the dialog. */
  readonly isProxied: boolean;
}

/**
 * `mayBeRefused`: 503 at once is no failure; the phones that are called count what became a call. A branch is named by how many
 * messages ago it was sent: without the right one a refusal is not acknowledged, and comes again for half a minute.
 */
export const uac = ({ challenge, isProxied }: Asked, mayBeRefused = false) => {
  const early = (refused: number) => `<recv response="100" optional="true"/>
${mayBeRefused ? `<recv response="503" optional="true" next="${refused}"/>` : ''}`;
  const empty = 'Content-Length: 0\n';
  return `
${request('INVITE', 1, withSdp(), '[branch]', challenge !== null ? '' : 'start_rtd="1"')}
${
  challenge !== null
    ? `${early(1)}
<recv response="${challenge}" auth="true"/>
${request('ACK', 1, empty, mayBeRefused ? '[branch-4]' : '[branch-3]')}
${request('INVITE', 2, withSdp('[authentication]\n'), '[branch]', 'start_rtd="1"')}`
    : ''
}
${early(2)}
<recv response="180" rtd="1"/>
<recv response="200" rrs="true"/>
${inDialog('ACK', challenge !== null ? 2 : 1, isProxied)}
<pause milliseconds="100"/>
${inDialog('BYE', 3, isProxied)}
<recv response="200" ${mayBeRefused ? 'next="3"' : ''}/>${
    mayBeRefused
      ? `<label id="2"/>${request('ACK', 2, empty, '[branch-9]', 'next="3"')}
<label id="1"/>${request('ACK', 1, empty, '[branch-15]')}<label id="3"/>`
      : ''
  }`;
};

const reply = (status: string, rest: string) => `
<send><![CDATA[

SIP/2.0 ${status}
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:2102@[local_ip]:[local_port]>
${rest}
]]></send>`;

export const uas = `
<recv request="INVITE"/>
${reply('180 Ringing', 'Content-Length: 0\n')}
<pause milliseconds="100"/>
${reply('200 OK', withSdp()).replace('<send>', '<send retrans="500">')}
<recv request="ACK"/>
<recv request="BYE"/>
<send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>`;

const registerRequest = (cseq: number, more = '') => `
<send retrans="500"><![CDATA[

REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:[extension]@[remote_ip]>;tag=[pid]r[call_number]
To: <sip:[extension]@[remote_ip]>
Call-ID: [call_id]
CSeq: ${cseq} REGISTER
Max-Forwards: 70
Contact: <sip:[extension]@[contact]>
Expires: 600
${more}Content-Length: 0

]]></send>`;

/** Of a system that asks nobody for a password. */
export const registerOpen = `${registerRequest(1)}
<recv response="200"/>`;

export const register = `${registerRequest(1)}
<recv response="401" auth="true"/>
${registerRequest(2, '[authentication]\n')}
<recv response="200"/>`;
