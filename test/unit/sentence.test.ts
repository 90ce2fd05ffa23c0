import t from 'tap';
import { ladder, sentence } from '../../src/core/audit/index.ts';
import { phi } from '../../src/core/phi/index.ts';
import { mobiles, phones } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';

const known: { readonly [id: string]: string } = {
  ames: 'Dr Ames',
  bell: 'Dr Bell',
  cardiology: 'Cardiology',
  '2101': 'Ward 4B',
};
const names = {
  person: (id: string) => known[id] ?? id,
  service: (id: string) => known[id] ?? id,
  mailbox: (id: string) => known[id] ?? id,
};

void t.test('a call reads like a story', async (t) => {
  const call = new PaperCall('7011', { unregistered: [phones.bell] }).after(15);
  call.phone(mobiles.bell).answers().presses('7').presses('4');
  call.after(60).hangsUp();
  const rungs = ladder(call.facts, names);
  t.same(
    rungs.map(({ afterMs, says }) => `${(afterMs / 1000).toFixed(1)} ${says}`),
    [
      '0.0 call from Ward 4B (2101) to 7011, received from 127.0.0.1:5060/udp',
      '0.0 decided by plan sha256:plan and roster sha256:roster',
      '0.0 7011 was dialled from a phone of the house [routes.7011]; work down the STAT chain of cardiology [routes.7011]',
      '0.0 the caller is connected to Wardline, PCMU through the media server, not encrypted',
      '0.0 Cardiology, stat: working down chain stat, 4 steps',
      '0.0 step 1: primary: desk phone and mobile, for 15 s',
      '0.0 Dr Ames, primary: rung, desk phone 3101; always on call',
      '0.0 Dr Ames, phone 3101 is rung (extension 3101)',
      '0.0 Dr Ames, primary: rung, mobile; always on call',
      '0.0 Dr Ames, mobile is rung (+12025550111 by trunk carrier)',
      '0.0 Dr Ames, phone 3101 is ringing (SIP 180)',
      '0.0 Dr Ames, mobile is ringing (SIP 180)',
      '15.0 step 1 is over: time is up',
      '15.0 Dr Ames, phone 3101 was stood down',
      '15.0 Dr Ames, mobile was stood down',
      '15.0 step 2: backup: desk phone and mobile, for 15 s',
      '15.0 Dr Bell, backup: skipped, desk phone 3102 is not registered; always on call',
      '15.0 Dr Bell, backup: rung, mobile; always on call',
      '15.0 Dr Bell, mobile is rung (+12025550112 by trunk carrier)',
      '15.0 Dr Bell, mobile is ringing (SIP 180)',
      '15.0 Dr Bell, mobile was picked up, PCMU through the media server, not encrypted',
      '15.0 Dr Bell, mobile is asked to press the digit, attempt 1',
      '15.0 Dr Bell, mobile pressed a wrong digit',
      '15.0 Dr Bell, mobile is asked to press the digit, attempt 2',
      '15.0 Dr Bell, mobile pressed the digit',
      '15.0 Dr Bell has taken the call: pressed the digit, step 2',
      '15.0 the caller and Dr Bell, mobile hear each other',
      '75.0 Dr Bell, mobile was stood down',
      '75.0 end: the caller hung up, after 60 s of talk',
    ],
  );
});

void t.test('what names a patient is shown only when it is handed in', async (t) => {
  const fact = {
    fact: 'arrived',
    from: 'trunk carrier',
    number: phi('+12025559999'),
    dialled: phi('+12025558888'),
    peer: 'peer',
    sipCallId: 'id',
  } as const;
  const leg = (id: string) => id;
  t.equal(sentence(fact, { ...names, leg }), 'call from trunk carrier ([phi]) to [phi], received from peer');
  t.equal(
    sentence(fact, { ...names, leg }, { number: '+12025559999', dialled: '+12025558888' }),
    'call from trunk carrier (+12025559999) to +12025558888, received from peer',
  );
});

void t.test('every ending says whose fault it is, and a fact of a newer version stays readable', async (t) => {
  const leg = (id: string) => id;
  const ended = { fact: 'ended', cause: 'trunkUnavailable', fault: 'network', talkedMs: 0 } as const;
  t.equal(sentence(ended, { ...names, leg }), 'end: no trunk could take the call (on the network)');
  t.equal(sentence({ fact: 'ferried' } as never, { ...names, leg }), '(ferried: not known to this version)');
});
