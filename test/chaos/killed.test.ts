import { join } from 'node:path';
import t from 'tap';
import { Baresip } from '../support/baresip.ts';
import { drachtioServer } from '../support/drachtio-server.ts';
import { House } from '../support/house.ts';
import { notOnRunning } from '../support/left-out.ts';
import { freeUdpPort, scratch, until } from '../support/processes.ts';
import { heardFor, readWav, shareOf } from '../support/sound.ts';

// Each process of the house is killed while calls are in every state there is. Promise of the house: a call is never
// lost in silence, and the record stays whole.

interface Ready {
  ready: boolean;
  appPid: number;
  pids: { sipd: number; mediad: number };
  admin: string;
}

const carrierPort = await freeUdpPort();
const house = await House.start(t, {
  phones: ['1000', '1001', '2101', '2102', '3201', '3202'],
  carrier: carrierPort,
  // Nobody answers here: ringing must last until the process is killed.
  edit: (text) => text.replaceAll('for: 15s', 'for: 90s').replace('ring-for: 20s', 'ring-for: 90s'),
});
const now = () => house.readyNow() as unknown as Ready;
const [operator, supervisor, ward, icu, diaz, evans] = (await Promise.all([
  house.desk(t, '1000', 500),
  house.desk(t, '1001', 400),
  house.desk(t, '2101', 440),
  house.desk(t, '2102', 660),
  house.desk(t, '3201', 550),
  house.desk(t, '3202', 770),
])) as [Baresip, Baresip, Baresip, Baresip, Baresip, Baresip];
const carrier = await Baresip.start(
  t,
  ['+13125550177', '+12025550111', '+12025550112'].map((user) => ({
    user,
    server: `127.0.0.1:${carrierPort}`,
    register: false,
  })),
  880,
  carrierPort,
);
const phones = [operator, supervisor, ward, icu, diaz, evans, carrier];

interface Listed {
  callId: string;
  dialled: string;
  cause: string | null;
}

async function calls(): Promise<Listed[]> {
  return (await house.json<{ calls: Listed[] }>('call', 'list', '--limit', '100')).calls;
}

async function messages(): Promise<{ messageId: string; callId: string; durationMs: number }[]> {
  return (
    await house.json<{ messages: { messageId: string; callId: string; durationMs: number }[] }>('voicemail', 'list')
  ).messages;
}

const mayNot = { mediad: notOnRunning('media'), app: {}, sipd: notOnRunning('signalling') };

/** How the record tells of a recording that lost this process; the message is kept in any case. */
const recordingEnds = { mediad: 'recordingFailed', app: 'wardlineRestarted', sipd: 'messageLeft' } as const;

for (const victim of ['mediad', 'app', 'sipd'] as const) {
  await t.test(`kill -9 of ${victim} while calls ring, ask, escalate, talk and record`, mayNot[victim], async (t) => {
    const known = new Set((await calls()).map(({ callId }) => callId));
    const before = (await messages()).length;
    const sealedBefore = house.sealedBytes();
    const marks = new Map(phones.map((phone) => [phone, phone.mark()]));
    const since = (phone: Baresip) => marks.get(phone) ?? 0;
    const heardBefore = new Map(phones.map((phone) => [phone, phone.heard().length]));
    await Promise.all(phones.map((phone) => phone.nextFile()));

    await Promise.all([
      (async () => {
        await ward.dial(house.uri('2102'));
        await icu.event('CALL_INCOMING', since(icu));
      })(),
      (async () => {
        await evans.dial(house.uri('1000'));
        await operator.event('CALL_INCOMING', since(operator));
        await operator.accept();
        await operator.event('CALL_ESTABLISHED', since(operator));
      })(),
      (async () => {
        await diaz.dial(house.uri('7011'));
        await carrier.event('CALL_INCOMING', since(carrier));
        await (await carrier.as('+13125550177')).dial(house.uri('+12025550100'));
        await until(
          'the menu to speak',
          () =>
            (carrier.heard().at(-1)?.samples.length ?? 0) > 8000 &&
            carrier.heard().length > (heardBefore.get(carrier) ?? 0),
        );
      })(),
      supervisor.dial(house.uri('7013')),
    ]);
    const recording = await until('all five calls', async () => {
      const fresh = (await calls()).filter(({ callId }) => !known.has(callId));
      return fresh.length === 5 && fresh.find(({ dialled }) => dialled === '7013');
    });
    await until('the recording', async () => (await house.facts(recording.callId)).has('recordingStarted'));
    await house.recorded(4, sealedBefore);

    const old = now();
    const killedAt = performance.now();
    process.kill(victim === 'app' ? old.appPid : old.pids[victim], 'SIGKILL');
    await until('the house to be whole again', async () => {
      const ready = now();
      const isNew = victim === 'app' ? ready.appPid !== old.appPid : ready.pids[victim] !== old.pids[victim];
      if (!isNew || !ready.ready) return false;
      return (await fetch(`http://${ready.admin}/readyz`).catch(() => undefined))?.status === 200;
    });
    t.comment(`whole again after ${Math.round(performance.now() - killedAt)} ms`);

    // Whoever was left in a dead call hangs up, as people do.
    await until('every phone to be free', async () => {
      // Again while one is not free: a phone that is just being told of an answer does not take the key.
      await Promise.all(phones.map((phone) => phone.hangUpAll()));
      return phones.every((phone) => phone.openCalls().length === 0);
    }).catch((error: Error) =>
      t.fail(`${error.message}: ${phones.map((phone) => phone.openCalls().length).join(' ')}`),
    );
    const ended = await until('every call to have its ending', async () => {
      const fresh = (await calls()).filter(({ callId }) => !known.has(callId));
      return fresh.every(({ cause }) => cause !== null) && fresh;
    }).catch(async (error: Error) => {
      const open = (await calls()).filter(({ cause }) => cause === null);
      const told = await Promise.all(open.map(async ({ callId }) => [callId, (await house.facts(callId)).all]));
      throw new Error(`${error.message}\n${JSON.stringify(told)}\n${house.terminal().slice(-4000)}`);
    });
    t.comment(ended.map(({ dialled, cause }) => `${dialled}: ${cause}`).join(', '));
    // An INVITE that nobody had answered yet is offered to the next app when that is back in time: two records, one call.
    const offered = ended.filter(({ dialled }) => dialled === '2102').length;
    t.ok(offered === 1 || (victim === 'app' && offered === 2), `the ringing call stands ${offered} times`);
    t.equal(ended.length - offered, 4);
    for (const { callId } of ended) {
      const facts = await house.facts(callId);
      t.equal(facts.of('ended').length, 1, 'one ending');
      // Everybody hangs up at once: what the record holds but that depends on who is first.
      house.notCompared(facts);
    }

    t.equal(ended.find(({ dialled }) => dialled === '7013')?.cause, recordingEnds[victim]);

    const talked = ended.find(({ dialled }) => dialled === '1000');
    // A drachtio-server that was killed has forgotten every dialog: both are told, and the record says why.
    const isForgotten = victim === 'sipd' && drachtioServer !== undefined;
    const talkEnds = isForgotten ? /^wardlineRestarted$/ : /^calle[re]HungUp$/;
    t.match(talked?.cause, talkEnds, 'who talked went on talking until somebody hung up');

    const message = await until('the message to be listed', async () =>
      (await messages()).find(({ callId }) => callId === recording.callId),
    );
    t.equal((await messages()).length, before + 1);
    const lengthMs = () =>
      messages().then((all) => all.find(({ callId }) => callId === recording.callId)?.durationMs ?? 0);
    const wav = join(scratch(t, 'export'), 'message.wav');
    const exported = await house.cli('voicemail', 'export', message.messageId, '--out', wav);
    t.equal(exported.code, 0, exported.err);
    const sound = readWav(wav);
    t.ok(sound.samples.length / sound.rateHz > 2, `${sound.samples.length / sound.rateHz} s were saved, 4 were spoken`);
    // The media server may still record what was not hung up when this was exported.
    await until(
      'the list to know its length',
      async () => (await lengthMs()) > (sound.samples.length * 1000) / sound.rateHz - 100,
    );
    t.ok(shareOf(sound, 400, 0.5, 1.5) > 0.97, 'and can be heard');

    await t.test('the next call is as good as any', async (t) => {
      const [w, i] = [ward.mark(), icu.mark()];
      await ward.nextFile();
      await ward.dial(house.uri('2102'));
      await icu.event('CALL_INCOMING', i);
      await icu.accept();
      await ward.event('CALL_ESTABLISHED', w);
      await until('both to hear each other', () => {
        const [atWard, atIcu] = [ward.heard().at(-1), icu.heard().at(-1)];
        return atWard && atIcu && heardFor(atWard, 660) > 0.5 && heardFor(atIcu, 440) > 0.5;
      });
      await ward.hangUp();
      await icu.event('CALL_CLOSED', i);
      const talk = await house.endedCall();
      t.equal(talk.ending, 'callerHungUp');
      const f = diaz.mark();
      await diaz.nextFile();
      await diaz.dial(house.uri('1500'));
      await diaz.event('CALL_ESTABLISHED', f);
      await until('the menu to speak', () => (diaz.heard().at(-1)?.samples.length ?? 0) > 8000);
      const o = operator.mark();
      await diaz.press('0');
      await operator.event('CALL_INCOMING', o);
      await diaz.hangUp();
      const menu = await house.endedCall();
      // Where a server runs already only the killing of the app can be told.
      if (victim !== 'app') for (const facts of [talk, menu]) house.notCompared(facts);
    });
    const verified = await house.cli('audit', 'verify');
    t.equal(verified.code, 0, verified.out);
  });
}
