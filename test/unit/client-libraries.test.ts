import { EventEmitter, once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t from 'tap';
import { endCauses } from '../../src/core/call/index.ts';
import {
  answerCaller,
  askForOffer,
  byeFromMemory,
  cleanArgument,
  connectSrf,
  createSrf,
  disconnectSrf,
  dropConnection,
  endById,
  type Endpoint,
  failUnfinished,
  guardWire,
  headerLines,
  isConnected,
  isUnknownRequest,
  LiveEndpoint,
  MediaClient,
  modifyDialog,
  ping,
  probeListen,
  probeMediaServer,
  rehome,
  requestById,
  safely,
  sendable,
  slimDialog,
  type SrfClient,
  type SrfDialog,
  type SrfRequest,
  type SrfResponse,
  sipStatusOf,
  writeTogether,
} from '../../src/telephony/client-libraries/index.ts';
import { MediaLink } from '../../src/telephony/media-link.ts';
import { telephonySchema } from '../../src/telephony/options.ts';
import type { Signalling } from '../../src/telephony/signalling.ts';
import { until } from '../support/processes.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

const require = createRequire(import.meta.url);

interface Message {
  status: number;
  readonly body: string;
  set(name: string, value: string): Message;
  get(name: string): string | undefined;
  getParsedHeader(name: string): unknown;
  toString(): string;
}
interface SrfModule {
  SipMessage: new (text?: string) => Message;
  Dialog: new (srf: unknown, type: 'uac', parts: object) => SrfDialog;
}
const Srf = require('drachtio-srf') as SrfModule;
const WireProtocol = require('drachtio-srf/lib/wire-protocol') as new (
  options: object,
) => EventEmitter & {
  connect(to: { host: string; port: number }): void;
  disconnect(socket: net.Socket): void;
};

void t.test('the versions that the work-arounds are for', async (t) => {
  const version = (name: string): string => (require(`${name}/package.json`) as { version: string }).version;
  t.equal(version('drachtio-srf'), '5.0.29');
  t.equal(version('drachtio-fsmrf'), '5.0.1');
  t.equal(version('drachtio-modesl'), '1.3.1');
});

void t.test('a fault in one listener does not stop the messages after it', async (t) => {
  const server = await listen(t, (socket) => socket.write('3#one3#two'));
  const faults: string[] = [];
  const heard: string[] = [];
  const wire = new WireProtocol({});
  wire.on('error', () => {});
  wire.on(
    'msg',
    safely(
      'msg',
      (where, error) => faults.push(`${where}: ${String(error)}`),
      (_: net.Socket, text: string) => {
        heard.push(text);
        if (text === 'one') throw new Error('ours');
      },
    ),
  );
  const connected = once(wire, 'connect') as Promise<[net.Socket]>;
  wire.connect({ host: '127.0.0.1', port: server.port });
  const [socket] = await connected;
  while (heard.length < 2) await once(socket, 'data');
  t.same(heard, ['one', 'two']);
  t.same(faults, ['msg: Error: ours']);
  wire.disconnect(socket);
});

void t.test('two challenges stay two header lines', async (t) => {
  const message = new Srf.SipMessage();
  message.status = 401;
  message.set('WWW-Authenticate', headerLines('WWW-Authenticate', ['Digest a', 'Digest b']));
  const lines = message.toString().split('\r\n');
  t.same(
    lines.filter((line) => /^www-authenticate:/i.test(line)).map((line) => line.split(': ')[1]),
    ['Digest a', 'Digest b'],
  );
});

void t.test('nothing in an argument can become a command or be expanded', async (t) => {
  t.equal(cleanArgument('a\r\napi uuid_kill x\n\n${system(rm)}'), 'aapi uuid_kill xsystem(rm)');
});

void t.test('a modify that was refused does not block the next one', async (t) => {
  const sent: EventEmitter[] = [];
  const agent = {
    request(_: object, callback: (error: null, request: EventEmitter) => void) {
      const request = new EventEmitter();
      sent.push(request);
      callback(null, request);
    },
  };
  const party = { params: { tag: 'x' }, uri: 'sip:x@h' };
  const message = {
    agent,
    get: () => 'c1',
    getParsedHeader: (name: string) => (name === 'Contact' ? [party] : party),
    body: 'v=0',
    method: 'INVITE',
    stackDialogId: 'c1;from-tag=x',
  };
  const dialog = new Srf.Dialog({ removeDialog() {} }, 'uac', { req: message, res: message });
  const refused = modifyDialog(dialog, 'v=0 first');
  sent[0]?.emit('response', { status: 488, reason: 'Not Acceptable Here' }, () => {});
  const error = await refused.then(
    () => null,
    (reason: unknown) => reason,
  );
  t.equal(sipStatusOf(error), 488);
  const accepted = modifyDialog(dialog, 'v=0 second');
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(sent.length, 2, 'the second re-INVITE is on its way');
  sent[1]?.emit('response', { status: 200, body: 'v=0 answer' }, () => {});
  t.equal(await accepted, 'v=0 answer');
});

void t.test('a dialog lets go of the messages that made it, and is used as before', (t) => {
  const asked: { method: string; stackDialogId: string; _socket: unknown }[] = [];
  const agent = { request: (options: (typeof asked)[number]) => void asked.push(options) };
  const message = (raw: string, more: object) => {
    const read = new Srf.SipMessage(raw);
    const calls = {
      agent,
      method: 'INVITE',
      uri: 'sip:2102@127.0.0.1',
      get: read.get.bind(read),
      getParsedHeader: read.getParsedHeader.bind(read),
    };
    return { ...calls, raw, msg: read, body: read.body, socket: 'the first', ...more };
  };
  const lines = 'From: <sip:1@h>;tag=a\r\nTo: <sip:2@h>;tag=b\r\nCall-ID: c1\r\nContact: <sip:2@h:5062>\r\n';
  const req = message(`INVITE sip:2102@127.0.0.1 SIP/2.0\r\n${lines}\r\nv=0 offer`, {});
  const res = message(`SIP/2.0 200 OK\r\n${lines}\r\nv=0 answer`, { stackDialogId: 'c1;from-tag=a' });
  const known = new Map<string, SrfDialog>();
  const client = {
    findDialogById: (id: string) => known.get(id),
    addDialog: (one: SrfDialog) => void known.set(one.id, one),
    removeDialog: (one: SrfDialog) => void known.delete(one.id),
  };
  const dialog = new Srf.Dialog(client, 'uac', { req, res });
  const seen = ({
    id,
    type,
    sip,
    local,
    remote,
    socket,
    dialogType,
  }: SrfDialog & { socket?: unknown; dialogType?: string }) =>
    structuredClone({ id, type, sip, local, remote, socket, dialogType });
  const before = seen(dialog);
  t.match(before, { id: 'c1;from-tag=a', sip: { localTag: 'a', remoteTag: 'b' }, remote: { sdp: 'v=0 answer' } });
  slimDialog(dialog);
  t.equal(known.size, 0, 'one that is over is not listed again');
  client.addDialog(dialog);
  slimDialog(dialog);
  t.same([...known], [['c1;from-tag=a', dialog]], 'one that is not stays listed');
  t.same(seen(dialog), before);
  t.same(Object.keys(dialog.req), ['method', 'socket']);
  t.same(Object.keys(dialog.res), ['stackDialogId', 'socket']);
  rehome({ _app: { client: { mapServer: new Map([['the second', {}]]) } } } as never, [dialog]);
  dialog.destroy({}, () => {});
  t.match(asked, [{ method: 'BYE', stackDialogId: 'c1;from-tag=a', _socket: 'the second' }]);
  t.end();
});

t.test('every status that is sent, or passed on, is one the library has words for', async (t) => {
  const wordsFor = createRequire(require.resolve('drachtio-srf'))('sip-status') as Record<number, string | undefined>;
  t.equal(wordsFor[607], undefined, 'there are some it does not know');
  const sent = Object.values(endCauses).map(({ sip }) => sip);
  const passed = Array.from({ length: 600 }, (_, i) => sendable(100 + i));
  for (const status of new Set([...sent, ...passed, sendable(null)])) t.ok(wordsFor[status], String(status));
  t.same([486, 607, null].map(sendable), [486, 500, 500]);
});

/** An endpoint as the library hands it over, which never answers; with what it and its dialog are told. */
function aSilentEndpoint(t: { teardown(run: () => void): void }, byeAnswer: Error | null = null) {
  const told: string[] = [];
  const never = new Promise<never>(() => {});
  const dialog = Object.assign(new EventEmitter(), {
    connected: true,
    destroy: (_: object, done: (error: Error | null) => void) => {
      told.push('BYE');
      done(byeAnswer);
    },
    modify: () => {},
  });
  const conn = new EventEmitter();
  const endpoint = Object.assign(new EventEmitter(), {
    connected: true,
    uuid: 'u-1',
    conn,
    local: { sdp: 'v=0' },
    dialog,
    api: async (command: string, args: readonly string[]) => void told.push([command, ...args].join(' ')),
    play: (file: string) => (told.push(`play ${file}`), never),
    playCollect: () => (told.push('playCollect'), never),
    execute: (application: string, argument: string) => (told.push(`${application} ${argument}`), never),
    bridge: () => never,
  });
  t.teardown(() => endpoint.removeAllListeners());
  let ended = 0;
  const live = new LiveEndpoint(endpoint as unknown as Endpoint, {
    ended: () => (ended += 1),
    silent: () => {},
    hinted: () => {},
  });
  /** The media server begins with a question, or is done with it. */
  const question = (
    event: 'CHANNEL_EXECUTE' | 'CHANNEL_EXECUTE_COMPLETE',
    application = 'play_and_get_digits',
  ): void => {
    conn.emit(`esl::event::${event}::u-1`, { getHeader: () => application });
  };
  return { live, endpoint, told, question, ended: () => ended };
}

const oneKey = { file: 'f', min: 1, max: 1 } as Parameters<LiveEndpoint['collect']>[0];

void t.test('nothing that is asked of an endpoint is waited for when it has ended', async (t) => {
  const [one, other] = [aSilentEndpoint(t), aSilentEndpoint(t)];
  const { live, endpoint, ended } = one;
  const collected = live.collect(oneKey, { isAgain: false });
  const asked = [live.play('f'), live.record('/r', [60]), live.bridge(other.live)];
  const modified = t.rejects(live.modify('v=0'), /endpoint is gone/);
  endpoint.emit('destroy');
  endpoint.emit('destroy');
  t.same(await Promise.all(asked), ['gone', 'gone', 'gone']);
  await modified;
  t.equal(await collected, '');
  t.equal(await other.live.bridge(live), 'gone', 'nor is what it was to be bridged with');
  t.equal(ended(), 1, 'told once');
  t.same(one.told.slice(-1), ['BYE'], 'a media server that was killed says none');
});

void t.test('a key between two questions answers the second, if that is the first once more', async (t) => {
  const { live, endpoint, told, question } = aSilentEndpoint(t);
  const press = (...keys: string[]): void => keys.forEach((key) => endpoint.emit('dtmf', { dtmf: key }));
  const ask = (isAgain: boolean, max = 1): Promise<string> => live.collect({ ...oneKey, max }, { isAgain });
  const asked = (): number => told.filter((line) => line === 'playCollect').length;

  press('9');
  void ask(false);
  question('CHANNEL_EXECUTE');
  press('4');
  question('CHANNEL_EXECUTE_COMPLETE');
  press('5', '6');
  t.equal(await ask(true), '5', 'not what the question itself has counted, nor what was pressed before it');
  t.equal(await ask(true), '6', 'in their order');
  t.equal(asked(), 1, 'the media server is not asked');

  const late = ask(true);
  question('CHANNEL_EXECUTE', 'playback');
  press('7');
  t.equal(await late, '7', 'the question is on its way, and the media server threw the key away');
  t.equal(told.at(-1), 'uuid_break u-1 all', 'so it is not asked');

  press('1');
  const entry = ask(true, 3);
  press('2');
  question('CHANNEL_EXECUTE');
  question('CHANNEL_EXECUTE_COMPLETE');
  t.equal(await ask(true), '1', 'an entry of several keys begins anew');
  press(...'x'.repeat(50));
  void ask(false);
  question('CHANNEL_EXECUTE');
  question('CHANNEL_EXECUTE_COMPLETE');
  const fresh = ask(true);
  endpoint.emit('destroy');
  t.equal(await fresh, '', 'a new question forgets what came before it');
  t.equal(await entry, '');
});

void t.test('an endpoint is hung up and set past what it is doing; an argument stays one', async (t) => {
  const { live, told, endpoint } = aSilentEndpoint(t);
  void live.play('a${system(rm)}\n!b');
  live.set('x', 'y\n\napi uuid_kill z');
  live.breakOff();
  live.hangUp();
  t.same(told, ['play asystem(rm)!b', 'uuid_setvar u-1 x yapi uuid_kill z', 'uuid_break u-1 all', 'BYE']);
  endpoint.emit('destroy');
  t.equal(told.length, 4, 'one BYE is enough');
  const lost = aSilentEndpoint(t, new Error('unable to find dialog'));
  lost.live.hangUp();
  t.same(lost.told, ['BYE', 'uuid_kill u-1'], 'a dialog that nobody knows ends with its channel');
});

void t.test('a request without Contact is refused before a 200 is sent', async (t) => {
  const srf = createSrf('test');
  let sent = 0;
  const request = { has: () => false, on() {} } as unknown as SrfRequest;
  const response = { send: () => void (sent += 1) } as unknown as SrfResponse;
  const error = await new Promise((resolve) =>
    answerCaller(srf, request, response, { localSdp: 'v=0', headers: {} }, resolve),
  );
  t.match(error, { message: /no Contact/ });
  t.equal(sent, 0);
});

void t.test('a CANCEL that crosses the 200 is told once, and the dialog is ended', async (t) => {
  let ended = 0;
  const dialog = { destroy: () => void (ended += 1) } as unknown as SrfDialog;
  const srf = {
    createUAS(_: unknown, __: unknown, ___: unknown, callback: (error: unknown, dialog?: SrfDialog) => void) {
      callback('Request Terminated');
      callback(null, dialog);
    },
  } as unknown as SrfClient;
  const request = { has: () => true } as unknown as SrfRequest;
  const outcomes: unknown[] = [];
  answerCaller(srf, request, {} as SrfResponse, { localSdp: 'v=0', headers: {} }, (error) => outcomes.push(error));
  t.equal(outcomes.length, 1);
  t.ok(outcomes[0] instanceof Error, 'words become an Error');
  t.equal(ended, 1);
});

void t.test('an answer to a request that is over is known by the words of both servers', async (t) => {
  const refused = (why: string): Promise<Error | null> => {
    const srf = {
      createUAS: (_: unknown, __: unknown, ___: unknown, callback: (error: unknown) => void) => callback(why),
    } as unknown as SrfClient;
    const request = { has: () => true } as unknown as SrfRequest;
    return new Promise((resolve) =>
      answerCaller(srf, request, {} as SrfResponse, { localSdp: 'v=0', headers: {} }, resolve),
    );
  };
  t.ok(isUnknownRequest(await refused('Response not sent due to unknown transaction')));
  t.notOk(isUnknownRequest(await refused('transport is closed')));
  t.notOk(isUnknownRequest(null));
});

void t.test('dialogs move to the new connection', async (t) => {
  const socket = { is: 'new' };
  const srf = { _app: { client: { mapServer: new Map([[socket, {}]]) } } } as unknown as SrfClient;
  const dialog = { req: { socket: 'old' }, res: { socket: 'old' } } as unknown as SrfDialog;
  rehome(srf, [dialog]);
  t.equal(dialog.req.socket, socket);
  t.equal(dialog.res.socket, socket);
});

void t.test('whoever waited for an answer on a lost connection is told', async (t) => {
  const heard: unknown[] = [];
  const request = new EventEmitter().on('response', ({ status }: { status: number }) => heard.push(status));
  const unfinished = {
    pendingRequests: new Map([['message', (tokens: readonly string[]) => heard.push(tokens[0])]]),
    pendingSipRequests: new Map([['transaction', { req: request as unknown as SrfRequest }]]),
  };
  failUnfinished(unfinished);
  t.same(heard, ['NOK', 503]);
  failUnfinished(unfinished);
  t.equal(heard.length, 2, 'once');
});

void t.test('a client that never got a connection stops trying when told', async (t) => {
  const server = await listen(t, () => {});
  server.close();
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const srf = createSrf('test');
  srf.on('error', () => {});
  const failed = new Promise<void>((resolve) => srf.on('reconnecting', () => resolve()));
  connectSrf(srf, { host: '127.0.0.1', port: server.port, secret: 'x', tls: null });
  await failed;
  t.equal(timers(), before + 1, 'it waits to try again');
  disconnectSrf(srf);
  t.equal(timers(), before);
});

/** A signalling server that takes everybody, says `answers` to what it is sent, and keeps what it heard. */
async function aSignallingServer(
  t: { teardown(run: () => void): void },
  answers: (payload: string, id: string) => string | undefined = () => undefined,
) {
  const heard: string[] = [];
  const server = await listen(t, (socket) => {
    let held = '';
    socket.on('data', (bytes) => {
      held += bytes.toString();
      const frames: string[] = [];
      for (let match = /^(\d+)#/.exec(held); match !== null; match = /^(\d+)#/.exec(held)) {
        const [head, length] = [match[0].length, Number(match[1])];
        frames.push(held.slice(head, head + length));
        held = held.slice(head + length);
      }
      heard.push(...frames.map((frame) => frame.slice(frame.indexOf('|') + 1)));
      for (const frame of frames) {
        const [id = '', ...rest] = frame.split('|');
        const said = rest[0] === 'authenticate' ? 'OK|udp/127.0.0.1:5060|v0.9.10|' : answers(rest.join('|'), id);
        const reply = `u|response|${id}|${said ?? ''}`;
        if (said !== undefined) socket.write(`${Buffer.byteLength(reply)}#${reply}`);
      }
    });
  });
  const srf = createSrf('test');
  srf.on('error', () => {});
  t.teardown(() => disconnectSrf(srf));
  const connected = new Promise<void>((resolve) => srf.on('connect', () => resolve()));
  connectSrf(srf, { host: '127.0.0.1', port: server.port, secret: 'x', tls: null });
  await connected;
  const sent = (start: string) => until(start, () => heard.find((frame) => frame.includes(start)));
  return { srf, sent, connections: () => server.connections() };
}

void t.test('what one turn has to say goes out together', async (t) => {
  const { srf, sent } = await aSignallingServer(t);
  writeTogether(srf);
  const [socket] = (
    srf as unknown as { _app: { client: { mapServer: Map<net.Socket, unknown> } } }
  )._app.client.mapServer.keys();
  endById(srf, 'theirs', 'a');
  endById(srf, 'ours', 'b');
  t.equal(socket?.writableCorked, 1, 'kept back until the turn is over, once');
  await sent('sip|b|');
  t.equal(socket?.writableCorked, 0);
});

void t.test('a server that answers a ping is there; one that does not says nothing', async (t) => {
  let isThere = true;
  const { srf, sent } = await aSignallingServer(t, (payload) =>
    payload === 'ping' && isThere ? 'OK|pong' : undefined,
  );
  await new Promise<void>((resolve) => ping(srf, resolve));
  isThere = false;
  ping(srf, () => t.fail('nobody answered'));
  endById(srf, 'ours', 'after-the-ping');
  await sent('after-the-ping');
});

void t.test('what a process before this one left is asked for and ended by its id alone', async (t) => {
  const { srf, sent } = await aSignallingServer(t, (payload) =>
    payload.startsWith('sip||') ? 'NOK|unable to find dialog for dialog id provided' : undefined,
  );
  const status = await new Promise((resolve) => requestById(srf, 'BYE', 'c1;from-tag=x', resolve));
  t.equal(status, null, 'the server does not know it');
  t.match(await sent('sip||c1;from-tag=x'), /^sip\|\|c1;from-tag=x\r\nBYE /);
  endById(srf, 'theirs', 'waits');
  t.match(await sent('sip|waits|'), /\r\nSIP\/2\.0 503 .*\r\nRetry-After: 5\r\n/);
  endById(srf, 'ours', 'rings');
  t.match(await sent('sip|rings|'), /\r\nCANCEL /);
});

void t.test('a phone is told by a BYE from memory when the server has forgotten the dialog', async (t) => {
  const { srf, sent } = await aSignallingServer(t);
  const dialog = {
    sip: { callId: 'c9', localTag: 'ours', remoteTag: 'theirs' },
    remote: { uri: 'sip:2101@127.0.0.1:40001' },
  } as unknown as SrfDialog;
  byeFromMemory(srf, dialog, { Reason: 'Q.850;cause=41' });
  const bye = await sent('BYE sip:2101@127.0.0.1:40001');
  for (const line of [/tag=ours/, /tag=theirs/, /Call-ID: c9/i, /CSeq: 1073741824 BYE/i, /Reason: Q\.850;cause=41/])
    t.match(bye, line);
});

void t.test('a connection to a server that hangs is dropped, and made anew', async (t) => {
  const { srf, connections } = await aSignallingServer(t);
  const again = new Promise<void>((resolve) => srf.on('connect', () => resolve()));
  dropConnection(srf);
  t.notOk(isConnected(srf) && connections() > 1, 'not at once');
  await again;
  t.equal(connections(), 2);
  t.ok(isConnected(srf));
});

void t.test('a server that does not speak the protocol is hung up, and nothing of it is kept', async (t) => {
  for (const said of ['HTTP/1.1 400 Bad Request\r\n\r\n', '#', `9#u|nothing${'x'.repeat(10)}`, '7#a|b|c|d']) {
    const server = await listen(t, (socket) => socket.write(said));
    const srf = createSrf('test');
    srf.on('error', () => {});
    const why = new Promise<string>((resolve) => {
      connectSrf(srf, { host: '127.0.0.1', port: server.port, secret: 'x', tls: null });
      guardWire(srf, resolve);
    });
    t.match(await why, /does not speak the control protocol/, said.slice(0, 20));
    disconnectSrf(srf);
    server.close();
  }
});

void t.test('an offer that was asked for and refused does not block the next question', async (t) => {
  const lock = { count: 1, admitOne: [] as (() => void)[] };
  const dialog = {
    _reinvitesInProgress: lock,
    modify: (_: object, done: (error: object) => void) => done({ status: 488 }),
  } as unknown as SrfDialog;
  await t.rejects(askForOffer(dialog));
  t.equal(lock.count, 0);
});

void t.test('a control connection by TLS that was lost is made again by TLS, never in clear', async (t) => {
  const dir = t.testdir({});
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const name = ['-subj', '/CN=signalling', '-addext', 'subjectAltName=DNS:signalling'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', ...kind, ...name, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const heard: string[] = [];
  const sockets: tls.TLSSocket[] = [];
  const seen = Promise.withResolvers<void>();
  const server = tls.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      heard.push(/authenticate\|[^|]+/.exec(bytes.toString())?.[0] ?? '');
      if (heard.length === 2) seen.resolve();
      else socket.destroy();
    });
  });
  const strangers: string[] = [];
  server.on('tlsClientError', (error) => strangers.push(error.message));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const srf = createSrf('test');
  srf.on('error', () => {});
  t.teardown(() => disconnectSrf(srf));
  const ca = readFileSync(cert);
  connectSrf(srf, { host: '127.0.0.1', port, secret: 'x', tls: { ca, servername: 'signalling' } });
  await seen.promise;
  t.same(heard, ['authenticate|x', 'authenticate|x']);
  t.same(strangers, [], 'nothing came in clear');

  const stranger = createSrf('test');
  t.teardown(() => disconnectSrf(stranger));
  const refused = new Promise<Error>((resolve) => stranger.on('error', resolve));
  connectSrf(stranger, { host: '127.0.0.1', port, secret: 'x', tls: { ca, servername: 'somebody-else' } });
  t.match(await refused, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'a certificate of another name gets no secret');
  t.equal(heard.length, 2);
  for (const socket of sockets) socket.destroy();
});

/** A media server that answers as FreeSWITCH does, but for what a test changes; it greets when `mayGreet` says so. */
async function aMediaServer(
  t: { teardown(run: () => void): void },
  change: Partial<Record<string, string>> = {},
  mayGreet: () => Promise<void> | undefined = () => undefined,
) {
  const said: Record<string, string> = {
    greeting: 'Content-Type: auth/request\n\n',
    'sofia status':
      '                     Name\t   Type\t                                      Data\tState\n' +
      '             drachtio_mrf\tprofile\t           sip:mod_sofia@127.0.0.1:5090\tRUNNING (0)\n' +
      '1 profile 0 aliases\n',
    ...change,
  };
  const say = (command: string, answer: string): void => void (said[command] = answer);
  const listens = await listen(t, (socket) => {
    const wait = mayGreet();
    const greet = (): boolean => socket.write(said['greeting'] ?? '');
    if (wait === undefined) greet();
    else void wait.then(greet);
    let heard = '';
    let answered = Promise.resolve();
    socket.on('data', (bytes) => {
      const commands = (heard + bytes.toString()).split('\n\n');
      heard = commands.pop() ?? '';
      for (const command of commands) {
        const [, api] = /^api (.*)$/.exec(command) ?? [];
        if (api === undefined) {
          const reply =
            command === 'auth right' ? '+OK accepted' : command.startsWith('auth ') ? '-ERR invalid' : '+OK';
          socket.write(`Content-Type: command/reply\nReply-Text: ${reply}\n\n`);
          continue;
        }
        const body = said[api] ?? 'true';
        const [first, rest] = [body.slice(0, 3), body.slice(3)];
        answered = answered.then(async () => {
          socket.write(`Content-Type: api/response\nContent-Length: ${Buffer.byteLength(body)}\n\n${first}`);
          await settled();
          socket.write(rest);
        });
      }
    });
  });
  return { ...listens, say };
}

function mediaServerAt(port: number): Parameters<typeof MediaClient.connect>[0] {
  const [listenAddress, address] = ['127.0.0.1', '127.0.0.1'];
  const to = { address, port, secret: 'right', profile: 'drachtio_mrf' };
  return { ...to, listenAddress, listenPort: 0, advertisedAddress: undefined };
}

void t.test('a connection to a media server that is lost is thrown away, and told once', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const server = await aMediaServer(t);
  let ended = 0;
  const client = await MediaClient.connect(mediaServerAt(server.port), {
    ended: () => (ended += 1),
    failed: () => {},
    hungUp: () => {},
  });
  t.match(await client.api('sofia status'), /drachtio_mrf/);
  const connections = server.connections();
  server.drop();
  await until('the end to be told', () => ended === 1);
  client.disconnect();
  // The library would try again after a quarter of a second; it looks after a whole one whether it is ready.
  await until('the library to have no timer left', () => timers() === before);
  t.equal(server.connections(), connections, 'the library does not connect again');
  t.equal(ended, 1);
});

void t.test('a connection that comes after its time is closed', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const later = Promise.withResolvers<void>();
  let connections = 0;
  // The first is the probe.
  const server = await aMediaServer(t, {}, () => ((connections += 1) === 1 ? undefined : later.promise));
  const events = { ended: () => t.fail('told of nothing'), failed: () => {}, hungUp: () => {} };
  await t.rejects(MediaClient.connect(mediaServerAt(server.port), events, 50), /was not ready within 50 ms/);
  t.equal(server.open(), 1, 'the library still waits');
  later.resolve();
  await until('it to be closed', () => server.open() === 0);
  await until('the library to have no timer left', () => timers() === before);
  t.equal(connections, 2, 'and it is not made again');
});

void t.test('a media server whose SIP profile is stopped counts as lost until it takes calls again', async (t) => {
  const clock = new VirtualClock();
  const server = await aMediaServer(t);
  const status = (state: string) => `drachtio_mrf\tprofile\tsip:mod_sofia@127.0.0.1:5090\t${state}\n`;
  const media = telephonySchema.shape.media.parse({
    servers: [{ name: 'fs', host: '127.0.0.1', port: server.port, secret: 'right' }],
    promptsDirs: ['/prompts'],
    promptsRoot: '/prompts',
    recordings: '/recordings',
  });
  const nobody = (): never => t.fail('nothing is recorded, played or called') as never;
  const link = new MediaLink({
    server: media.servers[0]!,
    site: media,
    clock,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    owner: 'test',
    signalling: { inDialog: nobody } as unknown as Signalling,
    sealer: { begin: nobody },
    messageKey: nobody,
    talkOver: nobody,
  });
  t.teardown(() => link.close());
  await link.connect();
  t.same(link.health, { isUp: true, why: '' });
  /** Answers come in order: behind one more the look has its own. */
  const look = async (): Promise<void> => {
    await clock.pass(5_000);
    await link.api('status');
  };
  for (let i = 0; i < 3; i++) await look();
  t.equal(link.health.isUp, true, 'asked every 5 s, and good each time');

  server.say('sofia status', status('DOWN (0)'));
  await clock.pass(5_000);
  await until('it to be missed', () => !link.health.isUp);
  t.match(link.health.why, /has a SIP profile drachtio_mrf that is DOWN/);
  await t.rejects(
    link.endpoint(
      { remoteSdp: null, cipher: 'none', mediaSource: '', events: {} as never, name: { 'call-id': 'one' } },
      {} as never,
      1_000,
    ),
    { message: /mediaUnavailable/ },
    'it is not asked for a call',
  );
  server.say('sofia status', status('RUNNING (0)'));
  await until('it to be used again', async () => {
    await clock.pass(500);
    return link.health.isUp;
  });
});

void t.test('each endpoint is made through the signalling server that it is wanted on', async (t) => {
  const server = await aMediaServer(t);
  const client = await MediaClient.connect(mediaServerAt(server.port), {
    ended: () => {},
    failed: () => {},
    hungUp: () => {},
  });
  t.teardown(() => client.disconnect());
  const invited: string[] = [];
  const via = (name: string): SrfClient =>
    ({
      createUAC: async (uri: string) => {
        invited.push(`${name}: ${uri}`);
        throw new Error('busy');
      },
    }) as unknown as SrfClient;
  await t.rejects(client.createEndpoint(via('one'), { remoteSdp: 'v=0' }));
  await t.rejects(client.createEndpoint(via('other'), { remoteSdp: 'v=0' }));
  t.same(invited, ['one: sip:drachtio@127.0.0.1:5090', 'other: sip:drachtio@127.0.0.1:5090']);
});

void t.test('a media server is tried before the library is, and what is wrong with it is said', async (t) => {
  const probe = (port: number, secret = 'right', profile = 'drachtio_mrf') =>
    probeMediaServer({ host: '127.0.0.1', port, secret, profile }, 500);
  const good = await aMediaServer(t);
  await t.resolves(probe(good.port));
  await t.rejects(probe(good.port, 'wrong'), /refused the secret/);
  await t.rejects(probe(good.port, 'right', 'internal'), /has no SIP profile internal: see sip_profiles/);
  await t.rejects(probeListen('127.0.0.1', good.port), { code: 'EADDRINUSE' });
  good.close();
  await t.rejects(probe(good.port), { code: 'ECONNREFUSED' });
  await t.resolves(probeListen('127.0.0.1', good.port));

  for (const [change, why] of [
    [{ greeting: 'Content-Type: text/rude-rejection\nContent-Length: 4\n\naway' }, /let us in by its ACL/],
    [{ greeting: '' }, /no answer from .* within 500 ms/],
    [{ greeting: 'SSH-2.0-OpenSSH_9.2\r\n\n\n' }, /does not speak the event socket protocol/],
    [{ greeting: '220 mail.example ESMTP\r\n' }, /does not speak the event socket protocol/],
    [{ greeting: 'x'.repeat(70_000) }, /does not speak the event socket protocol/],
    [{ greeting: 'Content-Type: auth/request\nContent-Length: -1\n\n' }, /does not speak/],
    [{ greeting: 'Content-Type: text/html\n\n' }, /does not speak/],
    [{ 'sofia status': '-ERR sofia Command not found!\n' }, /no SIP profile drachtio_mrf: mod_sofia is not loaded/],
    [
      { 'sofia status': 'drachtio_mrf\tprofile\tsip:mod_sofia@127.0.0.1:5090\tDOWN (0)\n' },
      /has a SIP profile drachtio_mrf that is DOWN/,
    ],
    [
      { 'module_exists mod_sndfile': 'false', 'module_exists mod_local_stream': 'false' },
      /has not loaded mod_sndfile, mod_local_stream: see modules\.conf\.xml/,
    ],
  ] as const) {
    const server = await aMediaServer(t, change);
    await t.rejects(probe(server.port), why, JSON.stringify(change).slice(0, 60));
  }
  const closing = await listen(t, (socket) => socket.end());
  await t.rejects(probe(closing.port), /closed the connection/);
});

async function listen(
  t: { teardown(run: () => void): void },
  greet: (socket: net.Socket) => void,
): Promise<{ port: number; close(): void; drop(): void; connections(): number; open(): number }> {
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = (): void => sockets.forEach((socket) => socket.destroy());
  const close = (): void => {
    server.close();
    drop();
  };
  t.teardown(close);
  return {
    port: (server.address() as AddressInfo).port,
    close,
    drop,
    connections: () => connections,
    open: () => sockets.size,
  };
}
