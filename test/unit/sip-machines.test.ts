import t from 'tap';
import { type Flow, parseMessage, responseTo, type SipRequest, standardTimers } from '../../src/sip/index.ts';
import { ClientInvite } from '../../src/sip/transaction/client-invite.ts';
import { ClientNonInvite } from '../../src/sip/transaction/client-non-invite.ts';
import { ServerInvite } from '../../src/sip/transaction/server-invite.ts';
import { ServerNonInvite } from '../../src/sip/transaction/server-non-invite.ts';
import { aMessage } from '../support/torture-messages.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

// Every state of the four machines of RFC 3261 17 (with RFC 6026), every input, and what happens at once.

function aRequest(method: string): SipRequest {
  const parsed = parseMessage(
    Buffer.from(aMessage({ start: `${method} sip:b@127.0.0.1 SIP/2.0`, CSeq: `7 ${method}` })),
  );
  if (parsed.kind !== 'message' || parsed.message.kind !== 'request') throw new Error('no request');
  return parsed.message;
}

/** A flow, a clock, and everything a machine does, as words. */
function surroundings() {
  const did: string[] = [];
  const clock = new VirtualClock();
  let lose = () => {};
  const at = { host: '127.0.0.1', port: 5060 };
  const flow: Flow = {
    protocol: 'udp',
    local: at,
    remote: at,
    isOpen: true,
    send: (bytes) => void did.push(`sends ${bytes.toString().split(' ')[bytes[0] === 83 ? 1 : 0]}`),
    onLost: (listener) => {
      lose = listener;
      return () => (lose = () => {});
    },
  };
  const context = {
    flow,
    clock,
    timers: standardTimers,
    onAnswered: () => void did.push('answered'),
    onTerminated: () => void did.push('ends'),
  };
  return { did, clock, flow, context, lose: () => lose() };
}

type Machine = Record<string, () => unknown>;

/** Brings a machine into a state, forgets what it did on the way, and tells what one input makes it do. */
function happens(make: () => { did: string[]; machine: Machine }, way: readonly string[], input: string): string {
  const { did, machine } = make();
  for (const step of way) machine[step]?.();
  did.length = 0;
  const result = machine[input]?.();
  return [...did, ...(result === undefined ? [] : [String(result)])].join(', ');
}

function check(
  t: Tap,
  make: () => { did: string[]; machine: Machine },
  states: Readonly<Record<string, readonly string[]>>,
  table: Readonly<Record<string, Readonly<Record<string, string>>>>,
): void {
  for (const [state, way] of Object.entries(states)) {
    for (const [input, expected] of Object.entries(table[state] ?? {})) {
      t.equal(happens(make, way, input), expected, `${state}, ${input}`);
    }
    t.same(
      Object.keys(table[state] ?? {}).toSorted(),
      Object.keys(make().machine).toSorted(),
      `${state} has every input`,
    );
  }
}
type Tap = {
  equal(a: unknown, b: unknown, message: string): void;
  same(a: unknown, b: unknown, message: string): void;
};

function aClient(Kind: typeof ClientInvite | typeof ClientNonInvite, method: string) {
  return () => {
    const { did, clock, flow, context, lose } = surroundings();
    const request = aRequest(method);
    const user = {
      onResponse: ({ status }: { status: number }) => void did.push(`tells ${status}`),
      onFailure: (why: string) => void did.push(`tells ${why}`),
    };
    const client = new Kind(request, context, user);
    const answer = (status: number) => () => client.receive(responseTo(request, status, { toTag: 'x' }), flow);
    const machine: Machine = {
      180: answer(180),
      200: answer(200),
      486: answer(486),
      lost: lose,
      abandon: () => client.abandon(),
      waits32s: () => clock.advance(31_999 - clock.monotonicMs() + 1),
    };
    return { did, machine };
  };
}
const nothing = { 180: '', 200: '', 486: '', lost: '', abandon: '', waits32s: '' };

t.test('the client of an INVITE', (t) => {
  const fresh = {
    180: 'tells 180',
    200: 'tells 200',
    486: 'sends ACK, tells 486',
    lost: 'ends, tells transport',
    abandon: 'ends',
  };
  const again = Array.from({ length: 6 }, () => 'sends INVITE').join(', ');
  check(
    t,
    aClient(ClientInvite, 'INVITE'),
    { calling: [], proceeding: ['180'], accepted: ['200'], completed: ['486'], terminated: ['abandon'] },
    {
      calling: { ...fresh, waits32s: `${again}, ends, tells timeout` },
      proceeding: { ...fresh, waits32s: '' },
      accepted: { ...nothing, 200: 'tells 200', abandon: 'ends', waits32s: 'ends' },
      completed: { ...nothing, 486: 'sends ACK', abandon: 'ends', waits32s: 'ends' },
      terminated: nothing,
    },
  );
  t.end();
});

t.test('the client of any other request', (t) => {
  const fresh = {
    180: 'tells 180',
    200: 'tells 200',
    486: 'tells 486',
    lost: 'ends, tells transport',
    abandon: 'ends',
  };
  const again = (times: number) => Array.from({ length: times }, () => 'sends INFO').join(', ');
  check(
    t,
    aClient(ClientNonInvite, 'INFO'),
    { trying: [], proceeding: ['180'], completed: ['200'], terminated: ['abandon'] },
    {
      trying: { ...fresh, waits32s: `${again(10)}, ends, tells timeout` },
      // Timer E of a proceeding one is T2: at 0.5 s, and then every 4 s.
      proceeding: { ...fresh, waits32s: `${again(8)}, ends, tells timeout` },
      completed: { ...nothing, abandon: 'ends', waits32s: 'ends' },
      terminated: nothing,
    },
  );
  t.end();
});

function aServer(Kind: typeof ServerInvite | typeof ServerNonInvite, method: string) {
  return () => {
    const { did, clock, context } = surroundings();
    const request = aRequest(method);
    const server = new Kind(request, context);
    const answer = (status: number) => () => server.respond(responseTo(request, status, { toTag: 'x' }));
    const machine: Machine = {
      180: answer(180),
      200: answer(200),
      486: answer(486),
      again: () => server.repeat(),
      abandon: () => server.abandon(),
      waits32s: () => clock.advance(32_000),
      ...(server instanceof ServerInvite ? { ack: () => server.acknowledge() } : {}),
    };
    return { did, machine };
  };
}
const over = { 180: 'false', 200: 'false', 486: 'false' };

t.test('the server of an INVITE', (t) => {
  const open = { 180: 'sends 180, true', 200: 'sends 200, answered, true', 486: 'sends 486, answered, true' };
  // Timer G: T1, doubled up to T2, until H.
  const repeats = Array.from({ length: 10 }, () => 'sends 486').join(', ');
  check(
    t,
    aServer(ServerInvite, 'INVITE'),
    {
      new: [],
      proceeding: ['180'],
      accepted: ['200'],
      completed: ['486'],
      confirmed: ['486', 'ack'],
      terminated: ['abandon'],
    },
    {
      new: { ...open, again: '', abandon: 'answered, ends', waits32s: 'sends 100', ack: 'false' },
      proceeding: { ...open, again: 'sends 180', abandon: 'answered, ends', waits32s: '', ack: 'false' },
      // A proxy passes on every 2xx (RFC 6026 7.1).
      accepted: { ...over, 200: 'sends 200, true', again: '', abandon: 'ends', waits32s: 'ends', ack: 'false' },
      completed: { ...over, again: 'sends 486', abandon: 'ends', waits32s: `${repeats}, ends`, ack: 'true' },
      confirmed: { ...over, again: '', abandon: 'ends', waits32s: 'ends', ack: 'true' },
      terminated: { ...over, again: '', abandon: '', waits32s: '', ack: 'true' },
    },
  );
  t.end();
});

t.test('the server of any other request', (t) => {
  const open = { 180: 'sends 180, true', 200: 'sends 200, true', 486: 'sends 486, true' };
  check(
    t,
    aServer(ServerNonInvite, 'INFO'),
    { trying: [], proceeding: ['180'], completed: ['200'], terminated: ['200', 'abandon'] },
    {
      trying: { ...open, again: '', abandon: 'ends', waits32s: '' },
      proceeding: { ...open, again: 'sends 180', abandon: 'ends', waits32s: '' },
      completed: { ...over, again: 'sends 200', abandon: 'ends', waits32s: 'ends' },
      terminated: { ...over, again: '', abandon: '', waits32s: '' },
    },
  );
  t.end();
});
