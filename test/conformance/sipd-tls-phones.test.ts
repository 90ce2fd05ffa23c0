import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type Srf from 'drachtio-srf';
import t from 'tap';
import { WebSocket } from 'ws';
import { silentLogger } from '../../src/sip/index.ts';
import { SipdServer, sipdOptionsSchema } from '../../src/sipd/index.ts';
import { Baresip } from '../support/baresip.ts';
import { Authority } from '../support/certificates.ts';
import { until } from '../support/processes.ts';
import { openApp, secret } from '../support/sipd-and-app.ts';
import { sdp } from '../support/sip-phone.ts';
import { aMessage } from '../support/torture-messages.ts';

// Other makers' programs over TLS: a phone that believes only our authority, and OpenSSL's own client.

interface App {
  use(method: string, handler: (req: Srf.SrfRequest, res: Srf.SrfResponse) => void): void;
  createUAC(uri: string, options: object): Promise<{ destroy(): Promise<unknown> }>;
}

/** sipd with an app that takes every registration. */
async function aHouse(
  t: { teardown(action: () => Promise<void>): void },
  protocol: 'tls' | 'wss',
  tls: { readonly certificate: string; readonly key: string },
) {
  const options = sipdOptionsSchema.parse({
    sip: [protocol, 'udp'].map((one) => ({ protocol: one, host: '127.0.0.1', port: 0 })),
    tls,
    control: { port: 0 },
    secret,
  });
  const sipd = await SipdServer.open(options, silentLogger);
  const contacts: string[] = [];
  const sources: string[] = [];
  const srf = await openApp(sipd, 'pbx', (raw) => {
    (raw as unknown as App).use('register', (req, res) => {
      const contact = req.get('Contact') ?? '';
      contacts.push(contact);
      sources.push(req.protocol);
      res.send(200, { headers: { Contact: contact, Expires: '600' } });
    });
  });
  t.teardown(async () => {
    srf.disconnect();
    await sipd.close();
  });
  return { sipd, contacts, sources, app: srf as unknown as App };
}

t.test(
  'baresip registers over TLS, is rung over the connection it opened, and OpenSSL sees what it should',
  async (t) => {
    const authority = new Authority(t.testdir());
    const { certificate, key } = authority.issue('pbx');
    const { sipd, contacts, sources, app } = await aHouse(t, 'tls', { certificate, key });
    const at = sipd.addresses.sip.find((text) => text.startsWith('tls/'))!.slice(4);
    const account = { user: '2101', server: at, transport: 'tls', register: true, answer: 'auto' } as const;
    const phone = await Baresip.start(t, [account], 440, undefined, [`sip_cafile ${authority.certificate}`]);
    await until('the phone to register', () => contacts.length > 0);
    await phone.registered();
    t.same([...new Set(sources)], ['tls']);
    const uri = /<([^>]+)>/.exec(contacts[0]!)?.[1] ?? contacts[0]!;
    t.match(uri, /transport=tls/);
    const dialog = await app.createUAC(uri, { localSdp: sdp(40_000) });
    await phone.event('CALL_ESTABLISHED');
    await dialog.destroy();
    await phone.event('CALL_CLOSED');
    t.match(sipd.metrics, { tcpRefused: 0, dialogs: 0 });

    const seen = (...words: string[]): Promise<string> =>
      new Promise((resolve) => {
        const asked = ['s_client', '-connect', at, '-CAfile', authority.certificate, '-verify_return_error', ...words];
        const child = execFile('openssl', asked, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`));
        child.stdin?.end();
      });
    t.match(await seen('-brief', '-tls1_3'), /Protocol version: TLSv1\.3[\s\S]*Verification: OK/);
    t.match(await seen('-brief', '-tls1_2'), /Protocol version: TLSv1\.2[\s\S]*Verification: OK/);
    t.match(await seen('-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'), /alert protocol version|no protocols available/);
    t.match(await seen('-tls1_2', '-cipher', 'AES128-SHA'), /handshake failure|no ciphers available/);
  },
);

t.test('a browser registers by WSS and is rung over the connection it opened', async (t) => {
  const authority = new Authority(t.testdir());
  const { certificate, key } = authority.issue('pbx');
  const { sipd, contacts, sources, app } = await aHouse(t, 'wss', { certificate, key });
  const at = sipd.addresses.sip.find((text) => text.startsWith('wss/'))!.slice(4);
  const heard: string[] = [];
  const browser = new WebSocket(`wss://${at}`, 'sip', { ca: authority.pem });
  t.teardown(() => browser.terminate());
  browser.on('message', (data: Buffer) => heard.push(data.toString()));
  await once(browser, 'open');
  const contact = '<sip:k3j2@df7jal23ls0d.invalid;transport=ws>';
  const register = { start: 'REGISTER sip:pbx.example SIP/2.0', CSeq: '1 REGISTER', Contact: contact, Expires: '600' };
  browser.send(aMessage({ ...register, Via: 'SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bKreg' }));
  await until('the registration', () => heard.length === 1);
  t.match(heard[0], /^SIP\/2\.0 200 OK/);
  t.same([contacts, sources], [[contact], ['tcp']], 'apps know WebSockets as TCP');
  const talking = app.createUAC('sip:k3j2@df7jal23ls0d.invalid;transport=ws', { localSdp: sdp(40_000) });
  await until('the call', () => heard.length === 2);
  const [invite] = heard.slice(1) as [string];
  t.match(invite, /^INVITE sip:k3j2@df7jal23ls0d\.invalid;transport=ws SIP\/2\.0\r\nVia: SIP\/2\.0\/WSS 127\.0\.0\.1/);
  const line = (name: string, from: string) => new RegExp(`^${name}: .*$`, 'm').exec(from)?.[0].trim() ?? '';
  const answer = (to: string) =>
    ['SIP/2.0 200 OK', line('Via', to), line('From', to), `${line('To', to)};tag=b`, line('Call-ID', to), line('CSeq', to)];
  const body = sdp(50_000);
  const more = [`Contact: ${contact}`, 'Content-Type: application/sdp', `Content-Length: ${body.length}`];
  browser.send(`${[...answer(invite), ...more].join('\r\n')}\r\n\r\n${body}`);
  await until('the ACK', () => heard.length === 3);
  t.match(heard[2], /^ACK sip:k3j2@df7jal23ls0d\.invalid/);
  void (await talking).destroy();
  await until('the BYE', () => heard.length === 4);
  t.match(heard[3], /^BYE sip:k3j2@df7jal23ls0d\.invalid/);
});
