import t from 'tap';
import { House } from '../support/house.ts';
import { drachtioServer } from '../support/drachtio-server.ts';
import { freeswitch } from '../support/freeswitch.ts';
import { until } from '../support/processes.ts';

// A process that hangs is worse than one that died: it holds its ports and its calls, and looks alive. A real server in the
// place of a daemon is none of the house's processes: whoever started it ends it, and the house does without it meanwhile
// (test/conformance/telephony-failures).

interface Ready {
  appPid: number;
  pids: { sipd: number; mediad: number };
  admin: string;
}

t.test('every process of the house is stopped: each is noticed, ended and started again', async (t) => {
  const house = await House.start(t, { phones: ['2101', '3101'] });
  const now = () => house.readyNow() as unknown as Ready;
  const { appPid, pids, admin } = now();
  const stopped = {
    app: appPid,
    ...(drachtioServer === undefined ? { sipd: pids.sipd } : {}),
    ...(freeswitch === undefined ? { mediad: pids.mediad } : {}),
  };
  for (const pid of Object.values(stopped)) process.kill(pid, 'SIGSTOP');
  const doctor = await house.cli('doctor');
  t.equal(doctor.code, 1, 'what does not answer is not healthy');
  for (const name of Object.keys(stopped))
    t.match(doctor.out, new RegExp(`BAD +${name}: .*\\bno answer|does not answer`));

  await until('all of them to be new', () => {
    const { appPid, pids } = now();
    return appPid !== stopped.app && pids.sipd !== stopped.sipd && pids.mediad !== stopped.mediad;
  });
  for (const name of Object.keys(stopped)) {
    t.match(house.terminal(), `${name === 'app' ? 'the app' : name} has not answered for 10 s: it hangs and is ended`);
  }
  await until('the house to take calls', async () => {
    return (await fetch(`http://${now().admin}/readyz`).catch(() => null))?.status === 200;
  });
  t.ok(admin);

  const [nurse, phone] = await Promise.all([house.desk(t, '2101', 440), house.desk(t, '3101', 660)]);
  await nurse.dial(house.uri('3101'));
  await phone.event('CALL_INCOMING');
  await phone.accept();
  await nurse.event('CALL_ESTABLISHED');
  await nurse.hangUp();
  t.equal((await house.endedCall()).ending, 'callerHungUp');
});
