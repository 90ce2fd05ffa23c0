import t from 'tap';
import { ladder, sentence } from '../../src/core/audit/index.ts';
import { phi } from '../../src/core/phi/index.ts';
import { mobiles, phones } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';

const known: { readonly [id: string]: string } = {
  ames: 'Dr Ames',
  bell: 'Dr Bell',
  cardiology: 'Cardiology',
};
const names = {
  person: (id: string) => known[id] ?? id,
  service: (id: string) => known[id] ?? id,
  mailbox: (id: string) => known[id] ?? id,
  extension: (number: string) => (number === phones.ward ? 'Ward 4B' : number === phones.icu ? 'ICU' : null),
};
const marks = { heading: '# ', inStep: '- ', plain: '', aside: '(', ending: '! ' } as const;
const wholly = { ...names, leg: (id: string) => id, wasPickedUp: () => false };

void t.test('a call reads like a story', async (t) => {
  const call = new PaperCall('7011', { unregistered: [phones.bell] }).after(15);
  call.phone(mobiles.bell).answers().presses('7').presses('4');
  call.after(60).hangsUp();
  const rungs = ladder(call.facts, names);
  const duty = 'always on call';
  t.same(
    rungs.map(({ afterMs, stands, says }) => `${(afterMs / 1000).toFixed(1)} ${marks[stands]}${says}`),
    [
      '0.0 call from Ward 4B (2101) to 7011, received from 127.0.0.1:5060/udp',
      '0.0 (decided by plan sha256:plan and roster sha256:roster',
      '0.0 7011 was dialled from a phone of the house; work down the STAT chain of cardiology [routes.7011]',
      '0.0 the caller is connected to Wardline (PCMU through the media server, not encrypted)',
      '0.0 Cardiology, STAT: chain stat, 4 steps',
      '0.0 # Step 1: primary, desk phone and mobile, up to 15 s',
      `0.0 - Dr Ames (primary, ${duty}) is to be rung on the desk phone`,
      "0.0 - Dr Ames's desk phone 3101 is called",
      `0.0 (Dr Ames (primary, ${duty}) is to be rung on the mobile`,
      "0.0 - Dr Ames's mobile is called (+12025550111 by trunk carrier)",
      "0.0 - Dr Ames's desk phone 3101 rings (SIP 180)",
      "0.0 - Dr Ames's mobile rings (SIP 180)",
      '15.0 - Step 1 is over: time is up',
      "15.0 - Dr Ames's desk phone 3101 stops ringing",
      "15.0 - Dr Ames's mobile stops ringing",
      '15.0 # Step 2: backup, desk phone and mobile, up to 15 s',
      `15.0 - Dr Bell (backup, ${duty}) is not rung on the desk phone: desk phone 3102 is not registered`,
      `15.0 (Dr Bell (backup, ${duty}) is to be rung on the mobile`,
      "15.0 - Dr Bell's mobile is called (+12025550112 by trunk carrier)",
      "15.0 - Dr Bell's mobile rings (SIP 180)",
      "15.0 - Dr Bell's mobile is picked up (PCMU through the media server, not encrypted)",
      "15.0 - Dr Bell's mobile is asked to press the digit",
      "15.0 - Dr Bell's mobile: a wrong digit is pressed",
      "15.0 - Dr Bell's mobile is asked to press the digit again, attempt 2",
      "15.0 - Dr Bell's mobile: the right digit is pressed",
      '15.0 Dr Bell HAS TAKEN THE CALL: pressed the digit, in step 2',
      "15.0 the caller and Dr Bell's mobile hear each other",
      "75.0 Dr Bell's mobile is hung up by Wardline",
      "75.0 ! End: the caller hung up, after 60 s of talk. Nobody's fault.",
    ],
  );
});

void t.test('a plain call names who sits at the extension', async (t) => {
  const call = new PaperCall(phones.icu).after(2);
  call.phone(phones.icu).fails({ kind: 'busy', sipStatus: 486 });
  t.same(
    ladder(call.facts, names)
      .map(({ says }) => says)
      .slice(3, 6),
    ['ICU (2102) is called', 'ICU (2102) rings (SIP 180)', 'ICU (2102) is busy (SIP 486)'],
  );
  const off = ladder(new PaperCall(phones.icu, { unregistered: [phones.icu] }).facts, names);
  t.equal(off[3]?.says, 'ICU (2102) is not rung on the desk phone: no phone is registered for 2102');
  const nobody = ladder(new PaperCall('4711').facts, names);
  t.match(nobody[0]?.says, 'call from Ward 4B (2101) to 4711,', 'a short number dialled inside is no telephone number');
  t.equal(nobody.at(-1)?.says, "End: the number dialled is not in the plan. The cause lies on the caller's side.");
  for (const [from, dialled] of [
    [{}, '2025559999'],
    [{ fromTrunk: true }, '4711'],
  ] as const) {
    t.match(ladder(new PaperCall(dialled, from).facts, names)[0]?.says, 'to [phi],');
  }
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
  t.equal(sentence(fact, wholly), 'call from outside, trunk carrier ([phi]) to [phi], received from peer');
  t.equal(
    sentence(fact, wholly, { number: '+12025559999', dialled: '+12025558888' }),
    'call from outside, trunk carrier (+12025559999) to +12025558888, received from peer',
  );
});

void t.test('every ending says whose fault it is, and a fact of a newer version stays readable', async (t) => {
  const ended = { fact: 'ended', cause: 'trunkUnavailable', fault: 'network', talkedMs: 0 } as const;
  t.equal(sentence(ended, wholly), 'End: no trunk could take the call. The cause lies in the network.');
  const sound = {
    fact: 'soundMeasured',
    mosHundredths: 370,
    lostPermille: 25,
    jitterMs: 12,
    roundTripMs: null,
  } as const;
  t.equal(
    sentence({ ...sound, leg: 'caller', farMosHundredths: null }, wholly),
    'the caller was heard fairly well (MOS 3.7, 2.5 % lost, jitter 12 ms)',
  );
  t.match(
    sentence({ ...sound, leg: '1', mosHundredths: 250, roundTripMs: 80, farMosHundredths: 410 }, wholly),
    /^1 was heard very badly .*round trip 80 ms, its phone heard MOS 4.1/,
  );
  t.equal(
    sentence({ fact: 'answerHinted', leg: '1', hint: 'human', speechMs: 900, pauseMs: 800 }, wholly),
    '1 sounds like a human (0.9 s of speech, then 0.8 s of silence); nothing is decided by that',
  );
  t.equal(sentence({ fact: 'ferried' } as never, wholly), '(ferried: not known to this version)');
});
