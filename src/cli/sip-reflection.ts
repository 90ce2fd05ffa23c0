/** The body of the reflector's answer; encoded, so that what rewrites addresses on the way does not see them. */
const REFLECTED = /\r\n\r\nreflected ([A-Za-z0-9+/=]+)\s*$/;

/** 200 to an OPTIONS, with the whole request as it arrived and where it came from; null: it is no such request. */
export function reflect(request: string, from: { readonly host: string; readonly port: number }): string | null {
  if (!/^OPTIONS sip:\S{1,200} SIP\/2\.0\r\n/.test(request)) return null;
  const [first, ...others] = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => headerOf(request, name));
  if (first === undefined || others.includes(undefined)) return null;
  const body = `reflected ${Buffer.from(request, 'latin1').toString('base64')}`;
  return [
    'SIP/2.0 200 OK',
    `Via: ${first.replace(/;rport(?==?)?(=\d*)?/, '')};received=${from.host};rport=${from.port}`,
    `From: ${others[0]}`,
    `To: ${others[1]};tag=reflector`,
    `Call-ID: ${others[2]}`,
    `CSeq: ${others[3]}`,
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** The request as it arrived, out of the reflector's answer; null: that was no reflector. */
export function reflectedIn(answer: string): string | null {
  const body = REFLECTED.exec(answer)?.[1];
  return body === undefined ? null : Buffer.from(body, 'base64').toString('latin1');
}

/** Where a response says that its request came from (RFC 3261 18.2.1, RFC 3581); null: it does not. */
export function seenAs(answer: string): string | null {
  return /;received=\[?([0-9A-Fa-f.:]{3,45})/.exec(headerOf(answer, 'Via') ?? '')?.[1] ?? null;
}

/** Headers that a server has to send back as they came, and in which addresses stand. */
const ECHOED = ['Via', 'From', 'Call-ID', 'CSeq'];

/** What is not as we sent it in what a server echoes: "Call-ID: a@10.0.0.5 became a@203.0.113.9". */
export function alteredEchoes(sent: string, answer: string): readonly string[] {
  return ECHOED.flatMap((name) => {
    const [ours, theirs] = [headerOf(sent, name), headerOf(answer, name)].map((value) => plain(name, value ?? ''));
    return ours === theirs ? [] : [`${name}: ${ours} became ${theirs === '' ? 'nothing' : theirs}`];
  });
}

/** Line by line, what is not as we sent it. */
export function alteredLines(sent: string, arrived: string): readonly string[] {
  const [ours, theirs] = [sent, arrived].map((text) => text.split('\r\n'));
  const came = new Set(theirs);
  const went = new Set(ours);
  const lost = (ours ?? []).filter((line) => !came.has(line));
  const added = (theirs ?? []).filter((line) => !went.has(line));
  return lost.map((line, i) => `${line} became ${added[i] ?? 'nothing'}`).slice(0, 8);
}

/** `received` and `rport` are the server's to add; a comma begins the Via of somebody before us. */
function plain(name: string, value: string): string {
  const text = name === 'Via' ? value.replace(/;(received|rport)(=[^;,]*)?/g, '') : value;
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}

function headerOf(message: string, name: string): string | undefined {
  const compact = { Via: 'v', From: 'f', To: 't', 'Call-ID': 'i' }[name];
  const names = compact === undefined ? name : `${name}|${compact}`;
  return new RegExp(`^(?:${names})[ \\t]*:[ \\t]*(.*?)[ \\t]*\\r?$`, 'im').exec(message)?.[1];
}
