import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { House } from '../support/house.ts';
import { until } from '../support/processes.ts';
import { serversByHand } from '../support/servers-by-hand.ts';
import { heardFor } from '../support/sound.ts';

// Signalling and media servers that run already: the house starts none of its own and uses those.

// Each story has houses of its own.
t.jobs = 2;

t.test('a chain on servers that somebody else has started', async (t) => {
  const { data, set } = await serversByHand(t, { sipd: 1, mediad: 1 });
  const house = await House.start(t, { data, set, phones: ['2101', '3101', '3102'] });
  t.same(house.daemonPids(), [], 'nothing of that kind is started');
  for (const name of ['sipd.json', 'mediad.json']) t.notOk(existsSync(join(data, 'run', name)), name);
  t.match(house.terminal(), house.sip, 'the banner tells where the server serves phones');

  const [nurse, ...doctors] = await Promise.all([
    house.desk(t, '2101', 440),
    house.desk(t, '3101', 660),
    house.desk(t, '3102', 770),
  ]);
  await nurse.dial(house.uri('7011'));
  const doctor = await until('a doctor to be rung', () => doctors.find((one) => one.has('CALL_INCOMING')));
  await doctor.accept();
  await until('both to hear each other', () => {
    const [atNurse, atDoctor] = [nurse.heard()[0], doctor.heard()[0]];
    const tone = doctor === doctors[0] ? 660 : 770;
    return atNurse && atDoctor && heardFor(atNurse, tone) > 0.8 && heardFor(atDoctor, 440) > 0.8;
  });
  await doctor.hangUp();
  t.equal((await house.endedCall()).ending, 'calleeHungUp');
  t.match(await house.cli('doctor'), { code: 0, out: /Nothing is wrong/ });
});
