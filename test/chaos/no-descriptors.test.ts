import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import t from 'tap';
import { EslApplication } from '../support/esl-client.ts';
import { startMediad } from '../support/mediad-process.ts';
import { until } from '../support/processes.ts';
import { RtpPhone } from '../support/rtp-phone.ts';
import { type SipCall, SipCaller } from '../support/sip-caller.ts';

void t.test('without file descriptors new calls are refused, and the running one goes on', async (t) => {
  const mediad = await startMediad();
  const caller = await SipCaller.open();
  const application = await EslApplication.open();
  const phones: RtpPhone[] = [];
  t.teardown(async () => {
    for (const phone of phones) phone.close();
    application.close();
    caller.close();
    await mediad.stop();
  });
  const pid = String(mediad.process.pid);
  const allow = (files: number) => execFileSync('prlimit', ['--pid', pid, `--nofile=${files}:`]);
  const dial = async () => {
    const phone = await RtpPhone.open();
    phones.push(phone);
    const headers = { 'X-esl-outbound': application.address };
    return { phone, ...(await caller.invite(`sip:drachtio@${mediad.sipAddress}`, headers, phone.sdp)) };
  };

  const running = await dial();
  if (running.call === undefined) throw new Error(`refused with ${running.response.status}`);
  running.call.ack();
  running.phone.talkTo(running.response.body.toString());
  const { esl, uuid } = await application.accept();
  const execute = (name: string, id: string) =>
    esl.command(`sendmsg\ncall-command: execute\nexecute-app-name: ${name}\nEvent-UUID: ${id}`);
  await execute('echo', 'e1');
  const hears = async (what: string) => {
    const from = running.phone.packets.length;
    await until(what, () => running.phone.packets.length > from + 10);
  };
  await hears('its own sound');

  // So many that another thread for sound is wanted, which cannot start then.
  const taken: SipCall[] = [];
  for (let i = 0; i < 19; i++) {
    const { call } = await dial();
    call?.ack();
    if (call !== undefined) taken.push(call);
  }
  t.equal(taken.length, 19);
  allow(readdirSync(`/proc/${pid}/fd`).length + 3);
  const statuses: number[] = [];
  for (let i = 0; i < 12; i++) {
    const { response, call } = await dial();
    statuses.push(response.status);
    if (call === undefined) continue;
    call.ack();
    taken.push(call);
  }
  t.ok(statuses.filter((status) => status === 503).length >= 8, statuses.join());
  t.ok(
    statuses.every((status) => status === 200 || status === 503),
    statuses.join(),
  );
  await hears('its own sound all the while');
  t.ok(mediad.log.some((line) => line.includes('another media thread did not start')));
  t.match(await esl.api(`uuid_exists ${uuid}`), /true/);

  // What was taken and has no way to its application is ended, not left in silence.
  allow(1000);
  for (const call of taken) call.bye();
  const again = await dial();
  t.equal(again.response.status, 200, 'with descriptors calls are taken again');
  again.call?.ack();
  await hears('its own sound to the end');
  running.call.bye();
  await running.call.ended();
});
