import t from 'tap';
import { messageSummary, type WaitingMessages } from '../../src/core/voicemail/index.ts';
import type { SrfDialog, SrfRequest, SrfResponse } from '../../src/telephony/client-libraries/index.ts';
import { MessageWaiting } from '../../src/telephony/message-waiting.ts';
import type { ContactBinding } from '../../src/telephony/ports.ts';
import type { SignallingLink } from '../../src/telephony/signalling-link.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const none = { fresh: 0, freshUrgent: 0, saved: 0 };

void t.test('the body is that of RFC 3842', async (t) => {
  t.equal(
    messageSummary({ fresh: 2, freshUrgent: 1, saved: 8 }),
    'Messages-Waiting: yes\r\nVoice-Message: 2/8 (1/0)\r\n',
  );
  t.equal(messageSummary({ ...none, saved: 8 }), 'Messages-Waiting: no\r\nVoice-Message: 0/8 (0/0)\r\n');
});

/** Phones and a signalling server of paper. */
class PaperHouse {
  readonly clock = new VirtualClock();
  readonly boxes = new Map<string, WaitingMessages>();
  /** "2101 active 1/0": whom, in which state, what. */
  readonly heard: string[] = [];
  readonly registered: ContactBinding[] = [];
  readonly waiting: MessageWaiting;
  /** What phones answer to a NOTIFY. */
  status = 200;
  isKnown = true;

  constructor() {
    const notified = (who: string, headers: Record<string, unknown>, body: string) => {
      const counts = /Voice-Message: (\S+)/.exec(body)?.[1] ?? '';
      this.heard.push(`${who} ${String(headers['Subscription-State'])} ${counts}`);
    };
    const srf = {
      request: (
        uri: string,
        { headers, body }: { headers: Record<string, unknown>; body: string },
        done: (error: unknown, sent: { on(event: string, run: (response: { status: number }) => void): void }) => void,
      ) => {
        notified(uri, headers, body);
        done(null, { on: (_event, run) => run({ status: this.status }) });
      },
      createUAS: (
        request: SrfRequest,
        _response: unknown,
        _options: object,
        done: (error: unknown, dialog: SrfDialog) => void,
      ) => {
        const handlers = new Map<string, (...given: unknown[]) => void>();
        const dialog = {
          on: (event: string, run: (...given: unknown[]) => void) => (handlers.set(event, run), dialog),
          request: (
            { headers, body }: { headers: Record<string, unknown>; body: string },
            over: (error: unknown, response: { status: number }) => void,
          ) => {
            notified('subscriber', headers, body);
            over(null, { status: this.status });
          },
          happens: (event: string, ...given: unknown[]) => handlers.get(event)?.(...given),
        };
        this.dialogs.push(dialog as unknown as SrfDialog & { happens(event: string, ...given: unknown[]): void });
        void request;
        done(null, dialog as unknown as SrfDialog);
      },
    };
    this.link = { srf } as unknown as SignallingLink;
    this.waiting = new MessageWaiting({
      lamps: { now: () => (extension) => this.boxes.get(extension) ?? null },
      registrations: {
        of: (extension) => this.registered.filter((one) => one.extension === extension),
        all: () => this.registered,
      },
      signalling: { forPhone: () => this.link },
      authenticator: {
        check: () =>
          this.isKnown ? { kind: 'known', extension: '2101' } : { kind: 'challenge', challenges: ['x'], failed: null },
      } as never,
      clock: this.clock,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    });
  }

  readonly link: SignallingLink;
  readonly dialogs: (SrfDialog & { happens(event: string, ...given: unknown[]): void })[] = [];

  phone(extension: string): void {
    this.registered.push({
      extension,
      uri: `sip:${extension}@10.0.0.9`,
      source: { ip: '10.0.0.9', port: 5060, protocol: 'udp' },
      server: '',
    } as ContactBinding);
    this.waiting.registered(extension);
  }

  subscribe(headers: Record<string, string>): number[] {
    const answers: number[] = [];
    const request = {
      get: (name: string) => ({ Event: 'message-summary', ...headers })[name],
      source_address: '10.0.0.9',
      source_port: 5060,
      protocol: 'udp',
    };
    const response = { send: (status: number) => void answers.push(status) };
    this.waiting.subscribe(this.link, request as unknown as SrfRequest, response as unknown as SrfResponse);
    return answers;
  }

  after(seconds: number): readonly string[] {
    this.heard.length = 0;
    this.clock.advance(seconds * 1000);
    return [...this.heard];
  }
}

void t.test('a registered phone is told when it registers, when a number changes, and only then', async (t) => {
  const house = new PaperHouse();
  house.boxes.set('2101', { ...none, fresh: 1 });
  house.boxes.set('2102', { ...none, fresh: 1 });
  house.phone('2101');
  house.phone('2102');
  house.phone('2103');
  t.same(house.heard, ['sip:2101@10.0.0.9 active 1/0', 'sip:2102@10.0.0.9 active 1/0'], 'one has no mailbox');
  house.waiting.start();
  t.same(house.after(60), []);
  // A shared mailbox: somebody listened on one phone, both lamps go out.
  for (const phone of ['2101', '2102']) house.boxes.set(phone, { ...none, saved: 1 });
  t.same(house.after(2), ['sip:2101@10.0.0.9 active 0/1', 'sip:2102@10.0.0.9 active 0/1']);
  house.waiting.registered('2101');
  t.same(house.heard.slice(-1), ['sip:2101@10.0.0.9 active 0/1'], 'registering anew tells it again');
  // The mailbox is taken out of the plan: the lamp does not shine for ever.
  house.boxes.set('2102', { ...none, fresh: 3 });
  house.after(2);
  house.boxes.delete('2102');
  t.same(house.after(10), ['sip:2102@10.0.0.9 active 0/0']);
  house.waiting.close();
});

void t.test('after a restart every phone is told once, whatever it shows', async (t) => {
  const house = new PaperHouse();
  house.boxes.set('2101', none);
  house.registered.push({
    extension: '2101',
    uri: 'sip:2101@10.0.0.9',
    source: { ip: '10.0.0.9', port: 5060, protocol: 'udp' },
    server: '',
  } as ContactBinding);
  house.waiting.start();
  t.same(house.heard, ['sip:2101@10.0.0.9 active 0/0']);
  t.same(house.after(60), []);
  house.waiting.close();
});

void t.test('a subscription gets the state at once, changes, and its end; the phone is not told twice', async (t) => {
  const house = new PaperHouse();
  house.boxes.set('2101', { ...none, fresh: 1 });
  house.phone('2101');
  house.waiting.start();
  house.heard.length = 0;
  t.same(house.subscribe({ Expires: '120' }), []);
  t.same(house.heard, ['subscriber active;expires=120 1/0']);
  house.boxes.set('2101', { ...none, fresh: 2 });
  t.same(house.after(60), ['subscriber active;expires=118 2/0']);
  const answered: number[] = [];
  house.heard.length = 0;
  house.dialogs[0]!.happens(
    'subscribe',
    { get: () => '120' },
    { send: (status: number) => void answered.push(status) },
  );
  t.same([answered, house.heard], [[200], ['subscriber active;expires=120 2/0']], 'prolonged');
  t.same(house.after(130), ['subscriber terminated;reason=timeout 2/0']);
  house.boxes.set('2101', none);
  t.same(house.after(4), ['sip:2101@10.0.0.9 active 0/0'], 'from now on as a registered phone');

  house.subscribe({ Expires: '600' });
  house.status = 481;
  house.boxes.set('2101', { ...none, fresh: 9 });
  t.same(house.after(4), ['subscriber active;expires=598 9/0']);
  house.boxes.set('2101', none);
  t.same(house.after(4), ['sip:2101@10.0.0.9 active 0/0'], 'a subscriber that is gone is forgotten');
  house.status = 200;

  house.heard.length = 0;
  house.subscribe({ Expires: '0' });
  t.same(house.heard, ['subscriber terminated;reason=timeout 0/0'], 'a question without a subscription');
  for (let i = 0; i < 7; i++) house.subscribe({ Expires: '600' });
  t.equal(house.heard.filter((line) => line.includes('rejected')).length, 2, 'five at most');
  house.heard.length = 0;
  house.waiting.close();
  t.equal(house.heard.length, 5, 'each is told that it is over');
  t.ok(house.heard.every((line) => line.includes('terminated;reason=deactivated')));
});

void t.test('who may not, or wants something else, is refused', async (t) => {
  const house = new PaperHouse();
  t.same(house.subscribe({ Event: 'presence' }), [489]);
  t.same(house.subscribe({}), [404], 'no mailbox');
  house.boxes.set('2101', none);
  t.same(house.subscribe({ Expires: '5' }), [423]);
  house.isKnown = false;
  t.same(house.subscribe({}), [401]);
  t.same(house.heard, []);
  house.waiting.close();
});
