import t from 'tap';
import { House } from '../support/house.ts';
import { until } from '../support/processes.ts';

// A process that hangs is worse than one that died: it holds its ports and its calls, and looks alive.

interface Ready {
  appPid: number;
  pids: { sipd: number; mediad: number };
  admin: string;
}

t.test('every process of the house is stopped: each is noticed, ended and started again', async (t) => {
  const house = await House.start(t, { phones: ['2101', '3101'] });
  const now = () => house.readyNow() as unknown as Ready;
  const { appPid, pids, admin } = now();
  const stopped = { app: appPid, ...pids };
  for (const pid of Object.values(stopped)) process.kill(pid, 'SIGSTOP');
  const doctor = await house.cli('doctor');
  t.equal(doctor.code, 1, 'what does not answer is not healthy');
  for (const name of ['sipd', 'mediad', 'app'])
    t.match(doctor.out, new RegExp(`BAD +${name}: .*\\bno answer|does not answer`));

  await until('all of them to be new', () => {
    const { appPid, pids } = now();
    return appPid !== stopped.app && pids.sipd !== stopped.sipd && pids.mediad !== stopped.mediad;
  });
  for (const name of ['the app', 'sipd', 'mediad']) {
    t.match(house.terminal(), `${name} has not answered for 10 s: it hangs and is ended`);
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
