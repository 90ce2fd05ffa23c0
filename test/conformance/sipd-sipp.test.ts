import type Srf from 'drachtio-srf';
import t from 'tap';
import { until } from '../support/processes.ts';
import { hasSipp, sipp, sippAnswering } from '../support/sipp-crowd.ts';
import { openApp, openSipd, sipUri } from '../support/sipd-and-app.ts';
import { sdp } from '../support/sip-phone.ts';

// SIPp is the phone, the server is ours, and the app in between is a few lines of drachtio-srf.

type Request = Srf.SrfRequest;
type Response = Srf.SrfResponse;
interface App {
  use(method: string, handler: (req: Request, res: Response) => void): void;
  createUAS(req: Request, res: Response, options: object): Promise<{ on(event: string, listener: () => void): void }>;
  createB2BUA(req: Request, res: Response, uri: string, options: object): Promise<{ uas: Leg; uac: Leg }>;
}
interface Leg {
  readonly connected: boolean;
  on(event: 'destroy', listener: () => void): void;
  destroy(): Promise<unknown>;
}

const skip = hasSipp() ? false : 'needs SIPp: apt-get install sip-tester';

const head = `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      Max-Forwards: 70
      From: <sip:[call_number]@[local_ip]:[local_port]>;tag=[call_number]
      Call-ID: [call_id]
      Contact: <sip:a@[local_ip]:[local_port];transport=[transport]>`;
/** The CANCEL and the ACK of a failure belong to the transaction of the INVITE. */
const sameBranch = head.replace('[branch]', 'z9hG4bK[pid]-[call_number]');
const to = `To: <sip:[service]@[remote_ip]:[remote_port]>`;
const offer = `Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=- 1 1 IN IP4 127.0.0.1
      s=-
      c=IN IP4 127.0.0.1
      t=0 0
      m=audio 6000 RTP/AVP 0
`;
const uri = 'sip:[service]@[remote_ip]:[remote_port]';
const send = (text: string, attributes = '') => `  <send ${attributes}><![CDATA[\n\n      ${text}\n\n  ]]></send>\n`;
const invite = (branch = head) =>
  `INVITE ${uri} SIP/2.0\n      ${branch}\n      ${to}\n      CSeq: 1 INVITE\n      ${offer}`;
const cancel = `CANCEL ${uri} SIP/2.0\n      ${sameBranch}\n      ${to}\n      CSeq: 1 CANCEL\n      Content-Length: 0`;
const ackFailure = `ACK ${uri} SIP/2.0\n      ${sameBranch}\n      ${to}[peer_tag_param]\n      CSeq: 1 ACK\n      Content-Length: 0`;
const recv = (response: number, attributes = '') => `  <recv response="${response}" ${attributes}/>\n`;
const pause = (milliseconds: number) => `  <pause milliseconds="${milliseconds}"/>\n`;
const scenario = (...steps: string[]) => ({
  xml: `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="story">\n${steps.join('')}</scenario>\n`,
});

async function aSipd(t: { teardown(action: () => Promise<void>): void }, verbs: (app: App) => void, timers = {}) {
  const sipd = await openSipd(timers);
  const srf = await openApp(sipd, 'pbx-1', (raw) => verbs(raw as unknown as App));
  t.teardown(async () => {
    srf.disconnect();
    await sipd.close();
  });
  return sipd;
}

const target = (sipd: Parameters<typeof sipUri>[0], protocol: 'udp' | 'tcp') =>
  sipUri(sipd, 'x', protocol).slice(6).split(';')[0] ?? '';

for (const protocol of ['udp', 'tcp'] as const) {
  void t.test(`${protocol}: 60 calls through a B2BUA, none lost, nothing left behind`, { skip }, async (t) => {
    const callee = await sippAnswering({ scenario: { builtIn: 'uas' }, calls: 0 });
    t.teardown(() => callee.stop());
    const sipd = await aSipd(t, (app) =>
      app.use('invite', (req, res) => {
        void app
          .createB2BUA(req, res, `sip:service@127.0.0.1:${callee.port}`, { localSdpB: req.body })
          .then(({ uas, uac }) => {
            uas.on('destroy', () => void uac.destroy());
            uac.on('destroy', () => void uas.destroy());
            // A BYE that came in the same read as the answer was told to nobody: the promise resolves only after it.
            if (!uas.connected) void uac.destroy();
            if (!uac.connected) void uas.destroy();
          });
      }),
    );
    const result = await sipp({
      scenario: { builtIn: 'uac' },
      to: target(sipd, protocol),
      protocol,
      calls: 60,
      perSecond: 60,
    });
    t.same([result.successful, result.failed], [60, 0], result.failed === 0 ? 'all went through' : result.output);
    await until('every dialog to end', () => sipd.metrics.ownedDialogs === 0);
    t.same([sipd.metrics.dialogs, sipd.metrics.pending, sipd.metrics.dropped], [0, 0, 0]);
    await until('every transaction to end', () => sipd.metrics.clients === 0 && sipd.metrics.servers === 0);
  });

  void t.test(`${protocol}: CANCEL before ringing and while ringing`, { skip }, async (t) => {
    const cancelled: string[] = [];
    const sipd = await aSipd(t, (app) =>
      app.use('invite', (req, res) => {
        if (req.uri.includes('rings')) res.send(180);
        req.on('cancel', () => void cancelled.push(req.uri));
      }),
    );
    const ending = [recv(200), recv(487), send(ackFailure)];
    const before = scenario(send(invite(sameBranch)), recv(100), pause(20), send(cancel), ...ending);
    const ringing = scenario(
      send(invite(sameBranch)),
      recv(100, 'optional="true"'),
      recv(180),
      pause(20),
      send(cancel),
      ...ending,
    );
    for (const [story, service] of [
      [before, 'quiet'],
      [ringing, 'rings'],
    ] as const) {
      const result = await sipp({ scenario: story, to: target(sipd, protocol), protocol, calls: 10, service });
      t.same([result.successful, result.failed], [10, 0], result.failed === 0 ? service : result.output);
    }
    await until('the app to be told of each', () => cancelled.length === 20);
    t.same(sipd.metrics.pending, 0);
  });

  void t.test(`${protocol}: busy is acknowledged once and forgotten`, { skip }, async (t) => {
    const sipd = await aSipd(t, (app) => app.use('invite', (_req, res) => res.send(486)));
    const story = scenario(
      send(invite(sameBranch)),
      recv(100, 'optional="true"'),
      recv(486),
      send(ackFailure),
      pause(100),
    );
    const result = await sipp({ scenario: story, to: target(sipd, protocol), protocol, calls: 20 });
    t.same([result.successful, result.failed], [20, 0], result.failed === 0 ? 'busy' : result.output);
    await until('timer I', () => sipd.metrics.servers === 0);
  });
}

// Over TCP the 2xx is repeated too (RFC 3261 13.3.1.4), which SIPp takes for a mistake.
void t.test('udp: no ACK ever: BYE from the server', { skip }, async (t) => {
  let ended = 0;
  const sipd = await aSipd(t, (app) =>
    app.use('invite', (req, res) => {
      void app.createUAS(req, res, { localSdp: sdp(4_000) }).then((dialog) => dialog.on('destroy', () => ended++));
    }),
  );
  const answerBye = send(
    'SIP/2.0 200 OK\n      [last_Via:]\n      [last_From:]\n      [last_To:]\n      [last_Call-ID:]\n      [last_CSeq:]\n      Content-Length: 0',
  );
  const story = scenario(
    send(invite()),
    recv(100, 'optional="true"'),
    recv(200),
    '  <recv request="BYE"/>\n',
    answerBye,
  );
  const result = await sipp({ scenario: story, to: target(sipd, 'udp'), calls: 5 });
  t.same([result.successful, result.failed], [5, 0], result.failed === 0 ? 'ended' : result.output);
  await until('the app to be told of each', () => ended === 5);
});
