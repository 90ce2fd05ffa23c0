/** A real second implementation of what browsers speak (libdatachannel: ICE, DTLS, SRTP) against mediad, with sound both ways. */
import { createSocket } from 'node:dgram';
import t from 'tap';
import { BrowserPhone } from '../support/browser-phone.ts';
import { FsmrfClient, type MrfEndpoint, startMediad } from '../support/mediad-process.ts';
import { until } from '../support/processes.ts';
import { RtpPhone } from '../support/rtp-phone.ts';
import { sdpTarget } from '../support/sdp-target.ts';

const mediad = await startMediad();
const fsmrf = await FsmrfClient.connect(mediad);
const closing: (() => unknown)[] = [];
t.teardown(async () => {
  for (const close of closing) await close();
  fsmrf.close();
  await mediad.stop();
});

async function aBrowser(): Promise<BrowserPhone> {
  const browser = await BrowserPhone.open();
  closing.push(() => browser.close());
  return browser;
}

/** A phone on UDP, bridged to the leg of the browser. */
async function aDeskPhone(partner: MrfEndpoint): Promise<RtpPhone> {
  const desk = await RtpPhone.open();
  closing.push(() => desk.close());
  const endpoint = await fsmrf.server.createEndpoint({ remoteSdp: desk.sdp });
  desk.talkTo(endpoint.local.sdp);
  await partner.bridge(endpoint);
  return desk;
}

async function hearEachOther(browser: BrowserPhone, desk: RtpPhone): Promise<void> {
  browser.phone.say(440);
  desk.say(660);
  await Promise.all([desk.hears(440), browser.phone.hears(660)]);
}

t.test(
  'a browser that calls and a phone on UDP hear each other; strangers are neither heard nor answered',
  async (t) => {
    const browser = await aBrowser();
    const leg = await fsmrf.server.createEndpoint();
    await leg.modify(await browser.offer());
    const answer = leg.dialog.remote.sdp;
    browser.accept(answer);
    await browser.connected();
    const desk = await aDeskPhone(leg);
    await hearEachOther(browser, desk);

    const stranger = createSocket('udp4');
    closing.push(() => stranger.close());
    let answered = 0;
    stranger.on('message', () => (answered += 1));
    const { address, port } = sdpTarget(answer);
    for (const first of [0x00, 0x16, 0x80, 0xff])
      for (const bytes of [1, 20, 100, 172]) stranger.send(Buffer.alloc(bytes, first), port, address);
    await until('the strangers to be counted', async () => {
      const variables = await leg.getChannelVariables(true);
      return Number(variables['variable_rtp_audio_in_foreign_packet_count']) >= 12;
    });
    await hearEachOther(browser, desk);
    t.equal(answered, 0);
    const variables = await leg.getChannelVariables(true);
    t.equal(variables['variable_rtp_has_crypto'], 'AEAD_AES_128_GCM');
    await leg.destroy();
  },
);

t.test('a browser that is called answers our offer, and is put on hold and taken back', async (t) => {
  const browser = await aBrowser();
  const leg = await fsmrf.server.createEndpoint({ headers: { 'X-Secure-RTP': 'dtls' } });
  t.match(leg.local.sdp, /m=audio \d+ UDP\/TLS\/RTP\/SAVPF /);
  const answer = await browser.answer(leg.local.sdp);
  await leg.modify(answer);
  await browser.connected();
  const desk = await aDeskPhone(leg);
  await hearEachOther(browser, desk);
  // The same session, described anew: the keys stay.
  await leg.modify(answer.replace('a=sendrecv', 'a=inactive'));
  t.match(leg.dialog.remote.sdp, /a=inactive/);
  await leg.modify(answer);
  await hearEachOther(browser, desk);
  t.same(
    mediad.log.filter((line) => line.includes('"error"')),
    [],
  );
  await leg.destroy();
});

t.test('a browser with another certificate than its description says is not heard, and the call ends', async (t) => {
  const browser = await aBrowser();
  const leg = await fsmrf.server.createEndpoint();
  const ended = new Promise<void>((resolve) => void leg.once('destroy', () => resolve()));
  const offer = await browser.offer();
  const forged = offer.replace(
    /(a=fingerprint:sha-256 )(..)/,
    (_, name: string, byte: string) => name + (byte === '00' ? '01' : '00'),
  );
  await leg.modify(forged);
  browser.phone.say(440);
  browser.accept(leg.dialog.remote.sdp);
  await ended;
  const line = await until('the log', async () => mediad.log.find((one) => one.includes('sound not secured')));
  t.match(line, /"level":"error".*certificate is not the one that a=fingerprint names/);
  t.same(browser.phone.packets, [], 'nothing was said to it');
  t.notOk(
    mediad.log.some((one) => one.includes('ice-pwd')),
    'no secret in a log',
  );
});
