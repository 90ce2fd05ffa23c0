import net from 'node:net';

export interface MediaServerPlace {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly profile: string;
}

/** Without one of these a FreeSWITCH takes the call, and then plays, records or says nothing. */
const neededModules = [
  'mod_commands',
  'mod_dptools',
  'mod_dialplan_xml',
  'mod_sofia',
  'mod_sndfile',
  'mod_tone_stream',
  'mod_local_stream',
];

const maxAnswerBytes = 65_536;

interface Answer {
  readonly contentType: string;
  readonly replyText: string;
  readonly body: string;
}

/**
 * Tries a media server on a connection of our own before the library sees it. Rejects with what is wrong and what to do.
 *
 * drachtio-fsmrf 5.0.1: `Mrf.connect` to a port where nobody listens retries every millisecond for ever and later makes a
 * media server that nobody holds; a wrong secret is retried for ever too; a profile that is not there ends the process.
 */
export async function probeMediaServer(to: MediaServerPlace, withinMs: number): Promise<void> {
  const at = `${to.host}:${to.port}`;
  const socket = net.connect({ host: to.host, port: to.port });
  const answers = answersOf(socket, at, withinMs);
  const next = async (): Promise<Answer> => {
    const { value, done } = await answers.next();
    if (done === true) throw new Error(`${at} closed the connection`);
    return value;
  };
  const ask = async (command: string): Promise<string> => {
    socket.write(`api ${command}\n\n`);
    return (await next()).body;
  };
  try {
    const greeting = await next();
    if (greeting.contentType === 'text/rude-rejection') {
      throw new Error(
        `${at} does not accept connections from here: let us in by its ACL (app_cidr in freeswitch-conf)`,
      );
    }
    if (greeting.contentType !== 'auth/request') throw new Error(notEventSocket(at));
    socket.write(`auth ${to.secret}\n\n`);
    if (!(await next()).replyText.startsWith('+OK accepted')) throw new Error(`${at} refused the secret`);
    const fault = profileFault(to.profile, await ask('sofia status'));
    if (fault !== null) throw new Error(`${at} ${fault}`);
    const missing: string[] = [];
    for (const module of neededModules)
      if ((await ask(`module_exists ${module}`)).trim() === 'false') missing.push(module);
    if (missing.length > 0)
      throw new Error(`${at} has not loaded ${missing.join(', ')}: see modules.conf.xml of freeswitch-conf`);
  } finally {
    socket.destroy();
  }
}

/** What is wrong with a SIP profile by the answer to `sofia status`; null: it takes calls. */
export function profileFault(profile: string, status: string): string | null {
  const lines = status.split('\n').map((line) => line.trim().split(/\s+/));
  const line = lines.find(
    ([name, type, data]) => name === profile && type === 'profile' && /^sip:.+@/.test(data ?? ''),
  );
  if (line === undefined) {
    const why = /Command not found/.test(status) ? 'mod_sofia is not loaded' : 'see sip_profiles of freeswitch-conf';
    return `has no SIP profile ${profile}: ${why}`;
  }
  return line[3] === 'RUNNING' ? null : `has a SIP profile ${profile} that is ${line[3] ?? 'not up'}`;
}

/** Every answer in turn. Throws on silence, on an error of the connection and on what is no event socket. */
async function* answersOf(socket: net.Socket, at: string, withinMs: number): AsyncGenerator<Answer, void> {
  let heard = Buffer.alloc(0);
  socket.setTimeout(withinMs, () => {
    // Half an answer is one of somebody else.
    const why = heard.length > 0 ? notEventSocket(at) : `no answer from ${at} within ${withinMs} ms`;
    socket.destroy(new Error(why));
  });
  for await (const bytes of socket as AsyncIterable<Buffer>) {
    heard = Buffer.concat([heard, bytes]);
    for (let taken = take(heard, at); taken !== null; taken = take(heard, at)) {
      heard = heard.subarray(taken.sizeBytes);
      yield taken.answer;
    }
    if (heard.length > maxAnswerBytes) throw new Error(notEventSocket(at));
  }
}

function take(heard: Buffer, at: string): { answer: Answer; sizeBytes: number } | null {
  const end = heard.indexOf('\n\n');
  if (end < 0) return null;
  const headers = new Map(
    heard
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const length = headers.get('Content-Length') ?? '0';
  if (!/^\d{1,6}$/.test(length) || !headers.has('Content-Type')) throw new Error(notEventSocket(at));
  const sizeBytes = end + 2 + Number(length);
  if (heard.length < sizeBytes) return null;
  const body = heard.subarray(end + 2, sizeBytes).toString('utf8');
  const answer = { contentType: headers.get('Content-Type') ?? '', replyText: headers.get('Reply-Text') ?? '', body };
  return { answer, sizeBytes };
}

function notEventSocket(at: string): string {
  return `${at} does not speak the event socket protocol: is this the port of a media server's event socket?`;
}
