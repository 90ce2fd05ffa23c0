import { EventEmitter } from 'node:events';
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { CallerLeg } from '../../src/telephony/caller-leg.ts';
import {
  type Endpoint,
  findUnknown,
  type SrfDialog,
  type SrfRequest,
  type SrfResponse,
} from '../../src/telephony/client-libraries/index.ts';
import { DirectWatch } from '../../src/telephony/direct-watch.ts';
import { Leg } from '../../src/telephony/leg.ts';
import { MediaEndpoint, type Recorded } from '../../src/telephony/media-endpoint.ts';
import { OpenInvites } from '../../src/telephony/open-invites.ts';
import { sealedByServer } from '../../src/telephony/recordings.ts';
import { Orphans } from '../../src/telephony/orphans.ts';
import { type Life, mediaSource, PhoneDialog } from '../../src/telephony/phone-dialog.ts';
import type { CallMedia } from '../../src/telephony/media.ts';
import type { Shell } from '../../src/telephony/shell.ts';
import { TalkBook } from '../../src/telephony/talk-book.ts';
import type { AnswerHint, CallId, LegId } from '../../src/core/call/index.ts';
import type { SignallingLink } from '../../src/telephony/signalling-link.ts';
import { TestClock, TestLog } from '../support/telephony.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const sdp = 'v=0\r\nm=audio 4000 RTP/AVP 0\r\n';

class FakeDialog extends EventEmitter {
  connected = true;
  readonly srf = { findDialogById: () => undefined, addDialog: () => {}, removeDialog: () => {} };
  readonly id = 'one';
  readonly sip = { callId: 'one', localTag: 'a', remoteTag: 'b' };
  readonly req = { method: 'INVITE', socket: null };
  readonly res = { socket: null };
  readonly remote = { uri: 'sip:3101@192.0.2.9', sdp };
  readonly local = { uri: 'sip:w', sdp };
  byes = 0;
  answers: (() => [unknown, { status: number }?])[] = [];

  request(_: object, callback: (error: unknown, response?: { status: number }) => void): void {
    const answer = this.answers.shift();
    if (answer) callback(...answer());
  }

  destroy(_: object, callback: (error: unknown) => void): void {
    this.byes += 1;
    this.connected = false;
    callback(null);
  }

  /** As drachtio-srf does it when a BYE comes. */
  bye(): void {
    this.connected = false;
    this.emit('destroy', {}, 'normal release');
  }
}

const noMedia = {} as CallMedia;

const asDialog = (dialog: FakeDialog) => dialog as unknown as SrfDialog;

/** A house whose signalling client answers at once with the dialogs it is given. */
function aShell(dialogs: FakeDialog[]) {
  const clock = new TestClock();
  const dialog = () => asDialog(dialogs.shift() ?? new FakeDialog());
  const link = {
    name: 'sipd',
    dialogs: new Map(),
    unanswered: new Map(),
    openInvites: new OpenInvites(undefined, new TestLog()).of(['sipd'])[0],
    whenUp: () => Promise.resolve(),
    srf: {
      createUAC: (_: string, __: object, ___: object, done: (error: null, dialog: SrfDialog) => void) =>
        setImmediate(() => done(null, dialog())),
      createUAS: (_: object, __: object, ___: object, done: (error: null, dialog: SrfDialog) => void) =>
        done(null, dialog()),
    },
  } as unknown as SignallingLink;
  const shell = {
    clock,
    log: new TestLog(),
    options: { sip: { realm: 'w' }, media: {} },
    registrations: { of: () => [{ uri: 'sip:3101@192.0.2.9', source: { ip: '192.0.2.9', protocol: 'udp' } }] },
    trunks: { get: () => undefined },
    signalling: { whenUp: () => Promise.resolve(), forPhone: () => link },
  };
  return { clock, link, shell: shell as unknown as Shell };
}

function hungUpAtOnce(): FakeDialog {
  const dialog = new FakeDialog();
  // Its event is over before anybody could listen.
  dialog.bye();
  return dialog;
}

void t.test('a phone whose BYE came in the same read as its 200 has hung up', async (t) => {
  const { shell, link } = aShell([hungUpAtOnce()]);
  const told: string[] = [];
  const order = {
    type: 'ringLeg',
    leg: '1' as never,
    target: { kind: 'extension', extension: '3101' },
    media: 'direct',
    offeredAs: { displayName: 'x', number: '2101', urgency: null },
  } as const;
  const leg = new Leg(
    shell,
    noMedia,
    order,
    { offer: sdp, cipher: 'none', hopsLeft: 70, names: { next: () => ({ 'call-id': 'one' }) } as never },
    {
      ringing: () => {},
      answered: () => told.push('answered'),
      failed: ({ kind }) => told.push(kind),
      ended: (by) => told.push(`ended ${by}`),
      moved: () => told.push('moved'),
      measured: () => {},
      signallingLost: () => told.push('signallingLost'),
    },
  );
  for (let i = 0; i < 4; i += 1) await turn();
  t.same(told, ['answered', 'ended remote']);
  t.equal(leg.phone?.isUp, false);
  t.equal(link.dialogs.size, 0);
});

function aCaller(shell: Shell, link: SignallingLink, told: string[]): CallerLeg {
  const request = Object.assign(new EventEmitter(), {
    body: sdp,
    source_address: '192.0.2.8',
    protocol: 'udp',
    get: () => undefined,
    has: () => true,
  }) as unknown as SrfRequest;
  return new CallerLeg(shell, { link, media: noMedia }, request, { send: () => {} } as unknown as SrfResponse, {
    answered: () => told.push('answered'),
    answerFailed: () => told.push('answerFailed'),
    hungUp: () => told.push('hungUp'),
    mediaLost: () => told.push('mediaLost'),
    moved: () => told.push('moved'),
    measured: () => {},
    signallingLost: () => told.push('signallingLost'),
  });
}

void t.test('a caller whose BYE came in the same read as the echo of our 200 has hung up', async (t) => {
  const { shell, link } = aShell([hungUpAtOnce()]);
  const told: string[] = [];
  const caller = aCaller(shell, link, told);
  const called = new PhoneDialog(shell, link, asDialog(new FakeDialog()), { hungUp: () => {}, forgotten: () => {} });
  caller.connectTo(called, (error) => told.push(error ? error.message : 'connected'));
  await turn();
  t.same(told, ['connected', 'hungUp']);
});

void t.test('a caller is not connected to a phone that is gone', async (t) => {
  const { shell, link } = aShell([]);
  const told: string[] = [];
  const dialog = new FakeDialog();
  const called = new PhoneDialog(shell, link, asDialog(dialog), {
    hungUp: () => told.push('left'),
    forgotten: () => {},
  });
  dialog.bye();
  aCaller(shell, link, told).connectTo(called, (error) => told.push(error?.message ?? 'connected'));
  t.same(told, ['left', 'the called phone is gone']);
});

void t.test(
  'a caller who could not be connected to a phone can still be answered, or is told to be gone',
  async (t) => {
    const { shell, link } = aShell([]);
    const told: string[] = [];
    const failing = (_: object, __: object, ___: object, done: (error: Error) => void): void => done(new Error('gone'));
    Object.assign(link.srf, { createUAS: failing });
    const caller = aCaller(shell, link, told);
    const called = new PhoneDialog(shell, link, asDialog(new FakeDialog()), { hungUp: () => {}, forgotten: () => {} });
    caller.connectTo(called, (error) => told.push(error?.message ?? 'connected'));
    caller.answer();
    await turn();
    t.same(told, ['gone', 'answerFailed'], 'no outcome would be a call lost in silence');
  },
);

void t.test('what the answer to an OPTIONS says about a phone', async (t) => {
  const { shell, link, clock } = aShell([]);
  const dialog = new FakeDialog();
  const forgotten: string[] = [];
  const phone = new PhoneDialog(shell, link, asDialog(dialog), {
    hungUp: () => {},
    forgotten: () => forgotten.push('!'),
  });
  const life = async (error: unknown, status = 0): Promise<Life> => {
    dialog.answers = [() => (error ? [error] : [null, { status }])];
    return phone.probe();
  };
  const unknown = Object.assign(new Error('unable to find dialog'), { code: 'ENODIALOG' });
  for (const status of [200, 405, 486, 500, 501]) t.equal(await life(null, status), 'alive', String(status));
  for (const status of [408, 503]) t.equal(await life(null, status), 'silent', String(status));
  t.equal(await life(null, 481), 'dead');
  t.equal(await life(new Error('socket')), 'silent');
  link.dialogs.get(asDialog(dialog))?.unknown();
  t.equal(await life(unknown), 'alive', 'what it means is not known yet');
  link.dialogs.get(asDialog(dialog))?.forgotten();
  t.equal(await life(unknown), 'forgotten');
  t.same(forgotten, ['!']);

  const told: string[] = [];
  const other = new FakeDialog();
  other.answers = [() => [unknown]];
  const gone = new PhoneDialog(shell, link, asDialog(other), {
    hungUp: () => told.push('hungUp'),
    forgotten: () => {},
  });
  t.equal(await gone.probe(), 'over', 'unknown to a server that was never away');
  t.same(told, ['hungUp']);

  const late = phone.probe();
  await turn();
  clock.advance(4000);
  t.equal(await late, 'silent', 'no answer');
  phone.hangUp(null);
  phone.hangUp(null);
  t.equal(dialog.byes, 1);
  t.equal(await phone.probe(), 'dead');
});

void t.test('a direct call survives one lost answer of a phone, not two, and no 481', async (t) => {
  const clock = new TestClock();
  const lives: Life[] = [];
  const lost: string[] = [];
  const watched = (name: string, life: () => Life) => ({
    phone: { probe: () => Promise.resolve(life()) },
    lost: () => lost.push(name),
  });
  const look = async (life: Life): Promise<void> => {
    lives.push(life);
    clock.advance(30_000);
    await turn();
  };
  const begin = () =>
    new DirectWatch(clock, 30_000, [watched('caller', () => 'alive'), watched('called', () => lives.pop() ?? 'alive')]);
  begin();
  for (const life of ['alive', 'silent', 'alive', 'silent'] as const) await look(life);
  t.same(lost, []);
  await look('silent');
  t.same(lost, ['called']);
  await look('silent');
  t.same(lost, ['called'], 'and that is all');
  begin();
  await look('over');
  t.same(lost, ['called'], 'a hang-up is told by the dialog itself');
  begin();
  await look('dead');
  t.equal(lost.length, 2);
  begin().close();
  await look('dead');
  t.equal(lost.length, 2, 'a closed watch is silent');
});

const playback = { lend: async () => 'sealed://word' };

void t.test('an endpoint that ended while the library handed it over is refused', async (t) => {
  const ended = { connected: false } as unknown as Endpoint;
  t.throws(
    () =>
      new MediaEndpoint(
        ended,
        {
          prompt: (file) => file,
          recordings: sealedByServer('/r'),
          playback,
          canHint: () => true,
          isLost: async () => false,
        },
        { gone: () => {}, silent: () => {}, measured: () => {} },
        () => {},
      ),
    /dropped the endpoint/,
  );
});

void t.test('sound is taken from where the signalling came', async (t) => {
  t.equal(mediaSource(['192.0.2.8', '192.0.2.8', '198.51.100.1']), '192.0.2.8,198.51.100.1');
  t.equal(mediaSource(['carrier.example', '', '::1']), '', 'addresses only, of the kind our media speaks');
  t.equal(mediaSource(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5']).split(',').length, 4);
});

/** A media server with legs as a process that was killed left them: uuid, the leg it is bridged to, its mark. */
function aLeftover(legs: Record<string, { peer?: string; mark: string }>) {
  const clock = new TestClock();
  const [left, hungUp]: [string[], string[]] = [[], []];
  const killed: string[] = [];
  const statuses = new Map<string, number | null>();
  const orphans = new Orphans({
    owner: 'wardline',
    clock,
    log: new TestLog(),
    media: {
      isOurs: (uuid) => uuid === 'aa',
      api: (command) => {
        const [name, uuid = ''] = command.split(' ');
        if (name === 'show') {
          const rows = Object.entries(legs).map(([uuid, { peer }]) => ({
            uuid,
            call_uuid: [uuid, peer ?? uuid].toSorted()[0],
          }));
          return Promise.resolve(JSON.stringify({ row_count: rows.length, ...(rows.length > 0 && { rows }) }));
        }
        if (name === 'uuid_kill') {
          killed.push(uuid);
          delete legs[uuid];
        }
        return Promise.resolve(name === 'uuid_exists' ? String(uuid in legs) : (legs[uuid]?.mark ?? '_undef_'));
      },
    },
    hungUp: (dialogId) => left.push(dialogId),
    hangUp: (dialogId) => hungUp.push(dialogId),
    ask: (dialogId, _, done) => {
      const status = statuses.get(dialogId);
      if (status !== undefined) done(status);
    },
  });
  t.teardown(() => orphans.close());
  const look = async (times = 1): Promise<void> => {
    for (let i = 0; i < times; i += 1) {
      clock.advance(3000);
      await turn();
      await turn();
    }
  };
  return { orphans, legs, left, hungUp, killed, statuses, look };
}

const conversation = () => ({
  b1: { peer: 'b2', mark: 'wardline call-1;from-tag=x' },
  b2: { peer: 'b1', mark: 'wardline call-2;from-tag=y' },
});

void t.test('orphans: who is alone is hung up, who talks goes on, and nothing of others is touched', async (t) => {
  const { orphans, left, hungUp, killed } = aLeftover({
    aa: { mark: 'wardline ours' },
    a1: { mark: 'wardline alone' },
    a2: { mark: 'other-house theirs' },
    a3: { mark: '_undef_' },
    'a 4': { mark: 'wardline no-uuid' },
    ...conversation(),
  });
  await orphans.find();
  t.same([hungUp, killed], [['alone'], ['a1']]);
  t.equal(orphans.count, 1);
  await orphans.find();
  t.equal(orphans.count, 1, 'found once');

  t.notOk(orphans.left('unknown'));
  t.ok(orphans.left('call-2;from-tag=y'));
  t.same(hungUp.slice(1), ['call-1;from-tag=x', 'call-2;from-tag=y']);
  t.same(left, ['call-2;from-tag=y'], 'who it was');
  t.notOk(orphans.left('call-1;from-tag=x'), 'that is over');
});

void t.test('orphans: a BYE that came before they were found counts', async (t) => {
  const { orphans, left, hungUp } = aLeftover(conversation());
  t.notOk(orphans.left('call-1;from-tag=x'));
  await orphans.find();
  t.same(hungUp, ['call-1;from-tag=x', 'call-2;from-tag=y']);
  t.same(left, ['call-1;from-tag=x']);
});

void t.test('orphans: a leg that the media server has dropped takes the other with it', async (t) => {
  const { orphans, legs, hungUp, look } = aLeftover(conversation());
  await orphans.find();
  await look();
  t.same(hungUp, []);
  delete legs['b2'];
  await look();
  t.equal(hungUp.length, 2);
});

void t.test('orphans: phones are asked; one that answers is left alone, one that does not is given up', async (t) => {
  for (const [status, isKept] of [
    [200, true],
    [405, true],
    [481, false],
    [null, false],
    [408, false],
    [undefined, false],
  ] as const) {
    const { orphans, left, hungUp, statuses, look } = aLeftover(conversation());
    statuses.set('call-1;from-tag=x', 200);
    if (status !== undefined) statuses.set('call-2;from-tag=y', status);
    await orphans.find();
    await look(24);
    t.equal(hungUp.length, isKept ? 0 : 2, String(status));
    // A server that does not know the dialog has answered the BYE of its phone.
    t.same(left, status === 481 || status === null ? ['call-2;from-tag=y'] : [], String(status));
  }
});

void t.test('who talks is known to the next process, without a name or a number', async (t) => {
  const file = path.join(t.testdir(), 'talks');
  const log = new TestLog();
  const dialogs = ['a', 'b', 'c', 'd'].map((id) =>
    Object.assign(new FakeDialog(), {
      id: `${id}@phone;from-tag=${id}1`,
      type: 'uac',
      sip: { callId: `${id}@phone`, localTag: `${id}1`, remoteTag: `${id}2` },
    }),
  );
  const [a, b, c, d] = dialogs.map(asDialog) as [SrfDialog, SrfDialog, SrfDialog, SrfDialog];
  const phones = new Map([a, b].map((dialog) => [dialog, null]));
  const signalling = { links: [{ name: 'sipd', dialogs: phones, mediaDialogs: new Set([c, d]) }] } as never;
  const open = () => new TalkBook(file, signalling, log);
  const [one, two] = [
    { callId: 'ONE' as CallId, leg: '1' as LegId },
    { callId: 'TWO' as CallId, leg: '2' as LegId },
  ];
  const first = open();
  t.same(first.left, []);
  first.began(one, { caller: a, called: b }, { caller: c, called: d });
  first.began(two, { caller: a, called: b }, null);
  first.over(two.callId);
  first.over(two.callId);
  t.notMatch(readFileSync(file, 'utf8'), /3101|192\.0\.2\.9/, 'where the phone is stands in its dialog only');
  appendFileSync(file, '{"callId":"THREE","leg":"1","cal');

  const second = open();
  const kept = {
    ...one,
    caller: { server: 'sipd', id: a.id, role: 'uac', callId: 'a@phone', localTag: 'a1', remoteTag: 'a2' },
    called: { id: b.id },
    media: { caller: { id: c.id }, called: { id: d.id } },
  };
  t.match(second.left, [kept], 'what was torn is left out');
  const third = open();
  t.match(third.left, [kept], 'until it is over');
  third.began(one, { caller: asDialog(new FakeDialog()), called: b }, null);
  t.same(open().left, [], 'a side that is gone ends it');
  const last = open();
  last.close();
  t.notOk(existsSync(file));
  t.same(log.lines, []);
});

void t.test('what a process that was killed left without an answer is known to the next', async (t) => {
  const file = path.join(t.testdir(), 'open-invites');
  const log = new TestLog();
  const open = () => new OpenInvites(file, log).of(['sipd'])[0]!;
  const first = open();
  first.began('theirs', 'a-1');
  first.began('ours', 'b-2');
  first.began('ours', 'c-3');
  first.over('b-2');
  first.began('ours', '../x y');
  first.began('ours', undefined);

  const second = open();
  t.same(second.left, [
    { server: 'sipd', id: 'a-1', whose: 'theirs' },
    { server: 'sipd', id: 'c-3', whose: 'ours' },
  ]);
  second.over('a-1');
  const kept = [{ server: 'sipd', id: 'c-3', whose: 'ours' }];
  const third = open();
  t.same(third.left, kept, 'kept until it is dealt with');

  for (let i = 0; i < 9000; i += 1) {
    third.began('ours', `d-${i}`);
    third.over(`d-${i}`);
  }
  t.ok(statSync(file).size < 500_000, `${statSync(file).size} bytes: it does not grow without end`);
  t.same(open().left, kept);
  t.same(log.lines, []);

  const all = new OpenInvites(file, log);
  all.of(['sipd'])[0]!.over('c-3');
  all.close();
  t.notOk(existsSync(file), 'nothing is open, nothing is left');

  const nowhere = new OpenInvites(path.join(t.testdir(), 'no-folder', 'x'), log).of(['sipd'])[0]!;
  nowhere.began('ours', 'e-4');
  t.match(log.lines, [{ level: 'warn' }], 'said once, and calls go on');
});

void t.test('an id belongs to the server that gave it: no other is told to end what it knows by it', async (t) => {
  const file = path.join(t.testdir(), 'open-invites');
  const log = new TestLog();
  const [east, west] = new OpenInvites(file, log).of(['east', '10.0.0.2:9022']);
  east!.began('theirs', 'same-id');
  west!.began('ours', 'same-id');
  west!.began('ours', 'of-west');
  east!.over('of-west');
  east!.over('same-id');

  const next = new OpenInvites(file, log).of(['east', '10.0.0.2:9022']);
  t.same(
    next.map(({ left }) => left.map(({ whose, id }) => `${whose} ${id}`)),
    [[], ['ours same-id', 'ours of-west']],
  );

  const without = new OpenInvites(file, log);
  t.same(without.of(['east'])[0]!.left, [], 'a server that is not there any more is not asked in its place');
  t.match(log.lines, [{ fields: { server: '10.0.0.2:9022' } }, {}]);
  without.close();
  t.notOk(existsSync(file), 'nor kept for ever');
});

void t.test('a dialog that the server does not know has ended, unless the server knows none', async (t) => {
  for (const knows of [true, false]) {
    const clock = new TestClock();
    const told: string[] = [];
    const [unknown, other] = [new FakeDialog(), new FakeDialog()];
    const error = Object.assign(new Error('unable to find dialog'), { code: 'ENODIALOG' });
    unknown.answers = [() => [error]];
    other.answers = [() => (knows ? [null, { status: 200 }] : [error])];
    const one = {
      unknown: () => told.push('unknown'),
      forgotten: () => told.push('forgotten'),
      ended: () => told.push('ended'),
    };
    findUnknown(new Map([[asDialog(unknown), one]]), [asDialog(other)], (ms, run) => clock.after(ms, run));
    clock.advance(1000);
    t.same(told, ['unknown', knows ? 'ended' : 'forgotten']);
  }
});

/** A leg of a media server as the library hands it over, with what it is told and what it says of a recording. */
function aLeg(t: { teardown(run: () => void): void }, said: Record<string, string> = {}, canHint = true) {
  const told: string[] = [];
  const ended = Promise.withResolvers<{ getHeader(name: string): string | undefined }>();
  const leg = Object.assign(new EventEmitter(), {
    connected: true,
    uuid: 'u-1',
    local: { sdp: '' },
    dialog: { connected: true, destroy: () => {} },
    api: async (command: string, args: readonly string[]) => void told.push([command, ...args].join(' ')),
    execute: (application: string, argument: string) => {
      told.push(`${application} ${argument}`);
      return ended.promise;
    },
  });
  let silences = 0;
  let isComplete = false;
  const hints: AnswerHint[] = [];
  const endpoint = new MediaEndpoint(
    leg as unknown as Endpoint,
    {
      prompt: (file) => file,
      isLost: async () => false,
      canHint: () => canHint,
      playback,
      recordings: {
        begin: async (name) => {
          if (name === 'no.sealed') throw new Error('the disk is full');
          return { file: `/there/${name}`, variables: [['x', 'y']], complete: async () => ((isComplete = true), 4200) };
        },
      },
    },
    {
      gone: () => {},
      silent: () => (silences += 1),
      measured: () => {},
      hinted: (hint) => hints.push(hint),
    },
    () => {},
  );
  t.teardown(() => leg.removeAllListeners());
  return {
    endpoint,
    told,
    leg,
    hints,
    end: () => ended.resolve({ getHeader: (name) => said[name] }),
    silences: () => silences,
    isComplete: () => isComplete,
    record: (name = 'm.sealed') =>
      new Promise<Recorded>((resolve) => endpoint.record(name, { sealTo: ['age1x'], maxMs: 60_000 }, resolve)),
  };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

void t.test('FreeSWITCH 1.10.12: variables are set past the queue of applications', async (t) => {
  const { endpoint, told } = aLeg(t);
  endpoint.mark('wardline', 'c1;from-tag=t1', 'sipd');
  t.same(told, [
    'uuid_setvar u-1 playback_delimiter !',
    'uuid_setvar u-1 wardline_dialog wardline c1;from-tag=t1 sipd',
  ]);
});

void t.test('FreeSWITCH 1.10.12 tells no cause of a recording: it follows from what it does tell', async (t) => {
  for (const [said, by] of [
    [{ variable_record_ms: '4000', variable_playback_terminator_used: '#' }, 'key'],
    [{ variable_record_ms: '60020', variable_playback_terminator_used: '' }, 'limit'],
    [{ variable_record_ms: '14000', variable_silence_hits_exhausted: 'true' }, 'silence'],
    [{ variable_record_ms: '4000', variable_record_completion_cause: 'success-hangup' }, 'hangUp'],
    [{ variable_record_ms: '60000', variable_record_completion_cause: 'success-maxtime' }, 'limit'],
    [{ variable_record_completion_cause: 'failure' }, 'failed'],
    [{ 'Application-Response': '-ERR recording refused' }, 'failed'],
  ] as const) {
    const { told, end, record, isComplete } = aLeg(t, said);
    const recorded = record();
    await turns();
    t.same(told.slice(1), [
      'uuid_setvar u-1 x y',
      'uuid_setvar u-1 playback_terminators #',
      'record /there/m.sealed 60 200 10',
    ]);
    t.notOk(isComplete(), 'it still records');
    end();
    t.match(await recorded, { by, durationMs: 4200 }, by);
    t.equal(told.at(-1), 'uuid_setvar u-1 playback_terminators none');
  }
});

void t.test('why a recording failed is said without the words of the protocol', async (t) => {
  for (const [response, why] of [
    ['-ERR recording refused: the disk is full', 'the disk is full'],
    ['-ERR no reply', 'no reply'],
  ] as const) {
    const { record, end } = aLeg(t, { 'Application-Response': response });
    const recorded = record();
    await turns();
    end();
    t.match(await recorded, { by: 'failed', why });
  }
});

void t.test('a recording that cannot begin, and a leg that ends while it records', async (t) => {
  const full = aLeg(t);
  t.match(await full.record('no.sealed'), { by: 'failed', why: 'the disk is full', durationMs: 0 });
  t.notOk(
    full.told.some((command) => command.startsWith('record')),
    'the media server is not even told',
  );

  const dropped = aLeg(t);
  const lost = dropped.record();
  await turns();
  dropped.leg.emit('destroy');
  t.match(await lost, { by: 'failed', durationMs: 4200, why: /dropped the caller/ }, 'what was said is kept');

  const left = aLeg(t);
  const hungUp = left.record();
  await turns();
  left.endpoint.close();
  left.leg.emit('destroy');
  t.match(await hungUp, { by: 'hangUp', durationMs: 4200 });
});

void t.test('a leg that is over is not told as silent', async (t) => {
  const { endpoint, silences } = aLeg(t);
  endpoint.silent();
  t.equal(silences(), 1);
  endpoint.close();
  endpoint.silent();
  t.equal(silences(), 1);
});

void t.test(
  'who seems to have answered is asked where it is known, and only what is meant so is taken for an answer',
  async (t) => {
    const { endpoint, told, leg, hints } = aLeg(t);
    endpoint.hint();
    t.equal(told.at(-1), 'wardline_answer_hint ');
    const hint = { hint: 'mailbox', speechMs: 3000, pauseMs: 0 };
    for (const said of [
      'nonsense',
      null,
      7,
      {},
      { ...hint, hint: 'dog' },
      { ...hint, pauseMs: -1 },
      { ...hint, pauseMs: 0.5 },
    ])
      leg.emit('wardline::answer_hint', said);
    t.same(hints, []);
    leg.emit('wardline::answer_hint', { ...hint, channel: 'u-1' });
    t.same(hints, [hint]);
    endpoint.close();
    leg.emit('wardline::answer_hint', hint);
    t.equal(hints.length, 1);

    const without = aLeg(t, {}, false);
    without.endpoint.hint();
    t.notOk(
      without.told.some((command) => command.includes('hint')),
      'FreeSWITCH would hang up',
    );
  },
);
