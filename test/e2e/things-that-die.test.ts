import t, { type Test as Tap } from 'tap';
import type { Baresip } from '../support/baresip.ts';
import { type CallFacts, House } from '../support/house.ts';
import { housesAtOnce, notOnRunning } from '../support/left-out.ts';
import { until } from '../support/processes.ts';
import { heardFor } from '../support/sound.ts';

// What dies in the middle of a call, and what the people on the telephone notice of it.

// Each story has a house of its own.
t.jobs = housesAtOnce(2);

/** The nurse has dialled, and the phone of the doctor on call rings. */
async function ringing(t: Parameters<typeof House.start>[0], house: House) {
  const [nurse, ...doctors] = await Promise.all([
    house.desk(t, '2101', 440),
    house.desk(t, '3101', 660),
    house.desk(t, '3102', 770),
  ]);
  await nurse.dial(house.uri('7011'));
  return { nurse, doctors, doctor: await answering(doctors) };
}

async function talking(t: Parameters<typeof House.start>[0], house: House) {
  const { nurse, doctors, doctor } = await ringing(t, house);
  await doctor.accept();
  const tone = doctor === doctors[0] ? 660 : 770;
  await until('the nurse to hear the doctor', () => nurse.heard()[0] && heardFor(nurse.heard()[0]!, tone) > 0.8);
  const backup = doctors.find((one) => one !== doctor)!;
  return { nurse, doctor, backup };
}

function answering(doctors: readonly Baresip[]): Promise<Baresip> {
  return until('a doctor to be rung', () => doctors.find((one) => one.has('CALL_INCOMING')));
}

async function appIsBack(house: House, before: number): Promise<void> {
  await until('the app to be back', () => Number((house.ready = house.readyNow())['appPid']) !== before);
}

/** A call that another app had connected has the ending that it had, and how long they talked. */
function isOnRecord(t: { equal: Tap['equal']; ok: Tap['ok'] }, facts: CallFacts, ending: string): void {
  t.equal(facts.ending, ending);
  t.equal(facts.of('adopted').length, 1);
  t.equal(facts.of('ended').length, 1);
  t.ok(Number(facts.of('ended')[0]?.['talkedMs']) > 500, 'with the time before and after');
}

t.test("the doctor's phone vanishes: the nurse is back in the chain", async (t) => {
  const house = await House.start(t, { phones: ['2101', '3101', '3102'] });
  const { nurse, doctor, backup } = await talking(t, house);
  doctor.vanish();
  await backup.event('CALL_INCOMING');
  await backup.accept();
  await until('the two to talk', () => backup.heard().some((sound) => heardFor(sound, 440) > 0.5));
  t.notOk(nurse.has('CALL_CLOSED'), 'the nurse never had to dial again');
  await nurse.hangUp();
  const facts = await house.endedCall();
  t.equal(facts.ending, 'callerHungUp');
  t.match(
    facts.of('legEnded').map(({ result }) => (result as { kind: string }).kind),
    ['mediaLost'],
  );
});

for (const who of ['doctor', 'nurse'] as const) {
  t.test(`the app is killed in mid-call; when the ${who} hangs up the other is told`, async (t) => {
    const house = await House.start(t, { phones: ['2101', '3101', '3102'] });
    const { nurse, doctor } = await talking(t, house);
    const app = Number(house.ready['appPid']);
    process.kill(app, 'SIGKILL');
    await appIsBack(house, app);
    const [first, second] = who === 'doctor' ? [doctor, nurse] : [nurse, doctor];
    t.notOk(second.has('CALL_CLOSED'), 'they still talk');
    const before = nurse.heardSoFar();
    await until('sound', () =>
      nurse.heardSince(before).some((sound) => heardFor(sound, 660) + heardFor(sound, 770) > 0.3),
    );
    await first.hangUp();
    await second.event('CALL_CLOSED');
    isOnRecord(t, await house.endedCall(), who === 'doctor' ? 'calleeHungUp' : 'callerHungUp');
  });
}

t.test('the app is killed; the doctor hangs up while it is away', async (t) => {
  const house = await House.start(t, { phones: ['2101', '3101', '3102'] });
  const { nurse, doctor } = await talking(t, house);
  process.kill(Number(house.ready['appPid']), 'SIGKILL');
  await doctor.hangUp();
  await nurse.event('CALL_CLOSED');
  isOnRecord(t, await house.endedCall(), 'calleeHungUp');
});

t.test('the app is killed while the nurse waits in the chain: she is not left waiting for nobody', async (t) => {
  const house = await House.start(t, { phones: ['2101', '3101', '3102'] });
  const { nurse, doctor } = await ringing(t, house);
  await until('the app to know that it rings', async () => (await house.facts()).has('legRinging'));
  process.kill(Number(house.ready['appPid']), 'SIGKILL');
  await doctor.event('CALL_CLOSED');
  await nurse.event('CALL_CLOSED');
});

t.test(
  'the media server is killed in mid-call: both are moved to the one that takes its place, and talk on',
  notOnRunning('media'),
  async (t) => {
    const house = await House.start(t, { phones: ['2101', '3101', '3102'] });
    const { nurse, doctor } = await talking(t, house);
    const { mediad } = house.readyNow()['pids'] as { mediad: number };
    const [n, d] = [nurse.mark(), doctor.mark()];
    process.kill(mediad, 'SIGKILL');
    await until(
      'both phones to be told of another address',
      () => nurse.has('CALL_REMOTE_SDP', n) && doctor.has('CALL_REMOTE_SDP', d),
    );
    const [before, beforeAtDoctor] = [nurse.heardSoFar(), doctor.heardSoFar()];
    await until('sound both ways', () => {
      const heardDoctor = nurse.heardSince(before).some((sound) => heardFor(sound, 660) + heardFor(sound, 770) > 0.5);
      return heardDoctor && doctor.heardSince(beforeAtDoctor).some((sound) => heardFor(sound, 440) > 0.5);
    });
    t.notOk(nurse.has('CALL_CLOSED', n) || doctor.has('CALL_CLOSED', d), 'nobody had to dial again');
    await doctor.hangUp();
    const facts = await house.endedCall();
    t.equal(facts.ending, 'calleeHungUp');
    t.equal(facts.of('bridged').length, 1);
  },
);
