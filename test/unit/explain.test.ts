import t from 'tap';
import { explain } from '../../src/core/audit/index.ts';
import { aRoster, mobiles, phones } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';

const names = {
  person: (id: string) =>
    aRoster()
      .people()
      .find((one) => one.id === id)?.name ?? id,
  service: () => 'Cardiology',
  mailbox: () => 'Cardiology',
  extension: (number: string) => (number === phones.ward ? 'Ward 4B' : number === phones.icu ? 'ICU' : null),
};
const told = ({ facts }: PaperCall) => explain(facts, names);

void t.test('a STAT call is told with who was rung, who was not, and why', async (t) => {
  const call = new PaperCall('7011', { unregistered: [phones.bell] });
  call.phone(phones.ames).isBusy();
  call.phone(mobiles.ames).answers();
  call.after(30);
  call.phone(mobiles.bell).answers().presses('9');
  call.phone(phones.chen).answers();
  t.same(told(call), [
    'Ward 4B (2101) dialled 7011.',
    'At once the plan said: 7011 was dialled from a phone of the house; work down the STAT chain of cardiology.',
    'At once, step 1: primary, desk phone and mobile.',
    '  Dr Ames is primary: always on call.',
    '    Rung on the desk phone: it was busy.',
    '    Rung on the mobile: picked up, but no digit was pressed.',
    'After 15 s, step 2: backup, desk phone and mobile.',
    '  Dr Bell is backup: always on call.',
    '    Not rung on the desk phone: desk phone 3102 is not registered.',
    '    Rung on the mobile: picked up, but 9 was pressed, for no.',
    'After 30 s, step 3: attending, desk phone and mobile.',
    '  Dr Chen is attending: always on call.',
    '    Rung on the desk phone: picked up, and connected.',
    '    Rung on the mobile: it stopped ringing, because the call was taken.',
    'After 30 s Dr Chen took the call: picked up the desk phone.',
  ]);
});

void t.test('a caller who hangs up soon did not wait in vain for all of the time', async (t) => {
  const soon = told(new PaperCall('7012').after(3).hangsUp());
  t.equal(soon.at(-2), '    Rung on the desk phone: nobody had picked up when the caller hung up.');
  const plain = told(new PaperCall(phones.icu).after(3).hangsUp()).join('\n');
  t.match(plain, /ICU \(2102\) was rung: nobody had picked up when the caller hung up\./);
});

void t.test('a plain call, a menu, an empty tier and a message', async (t) => {
  const plain = new PaperCall(phones.icu).after(60);
  t.match(told(plain).join('\n'), /ICU \(2102\) was rung: nobody picked up in time\.\n.*the plan said: take a message/);
  const menu = new PaperCall('1500').presses('2').after(200);
  t.match(told(menu).join('\n'), /the caller pressed 2: cardiology, urgent\./);
  t.match(told(menu).join('\n'), /nobody had taken the call: the caller was asked for a message\./);
  const empty = new PaperCall('7011', {
    roster: aRoster({ tiers: { backup: [{ kind: 'always', person: 'bell' as never }] } }),
  });
  t.match(
    told(empty).join('\n'),
    /Nobody was primary: cardiology has no primary\.\n {2}There was no phone to ring, so nobody waited\./,
  );
});
