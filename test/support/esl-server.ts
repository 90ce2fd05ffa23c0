/** Whichever media server the tests of the event socket are to run on: our own, or FreeSWITCH (`npm run test:real`). */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type t from 'tap';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { EslApplication, EslClient } from './esl-client.ts';
import { FreeSwitch, freeswitch } from './freeswitch.ts';
import { SECRET, startMediad } from './mediad-process.ts';
import { RtpPhone } from './rtp-phone.ts';
import { SipCaller } from './sip-caller.ts';

type Tap = Pick<typeof t, 'teardown' | 'match'>;

/** One server with both kinds of event sockets, and legs on it. */
export async function aServer(t: Tap) {
  const folder = mkdtempSync(join(tmpdir(), 'esl-server-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const place = freeswitch?.kind === 'program' ? await ofFreeSwitch(t, freeswitch.path, folder) : await ofMediad(t);
  const esl = await EslClient.member(place.port, place.secret);
  if (freeswitch !== undefined) t.match(await esl.api('load mod_conference'), /\+OK/);
  const [caller, application] = [await SipCaller.open(), await EslApplication.open()];
  t.teardown(() => {
    application.close();
    caller.close();
    esl.close();
  });
  const invite = (sdp: string | undefined, more: Readonly<Record<string, string>> = {}) => {
    const headers = { 'User-Agent': `drachtio-fsmrf:${randomUUID()}`, 'X-esl-outbound': application.address };
    return caller.invite(`sip:drachtio@${place.sip}`, { ...headers, ...more }, sdp);
  };
  const leg = async () => {
    const phone = await RtpPhone.open();
    t.teardown(() => phone.close());
    const { call, response } = await invite(phone.sdp);
    if (call === undefined) throw new Error(`refused with ${response.status}`);
    call.ack();
    phone.talkTo(response.body.toString());
    return { ...(await application.accept()), phone, call };
  };
  return { ...place, esl, leg, invite };
}

async function ofMediad(t: Tap) {
  const mediad = await startMediad({ sealTo: [await identityToRecipient(await generateX25519Identity())] });
  t.teardown(() => mediad.stop());
  const { eventSocketPort: port, sipAddress: sip, recordings } = mediad;
  return { port, secret: SECRET, sip, recordings };
}

async function ofFreeSwitch(t: Tap, path: string, folder: string) {
  const server = await FreeSwitch.start(t, path, folder);
  return { port: server.ready.eventSocket.port, secret: server.secret, sip: server.sip, recordings: server.plain };
}
