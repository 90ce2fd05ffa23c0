import t from 'tap';
import { headersOf, twoPhones } from '../support/two-phones.ts';
import { termsOfAnswer } from '../../src/sip/dialog/session-timer.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n';
const seconds = (count: number) => count * 1_000;

/** A call that is answered, with what each side says about its length. */
async function aCall(asked: Record<string, string>, answered: Record<string, string> = {}) {
  const world = await twoPhones();
  const { clock, alice, bob } = world;
  const call = alice.call(`sip:bob@127.0.0.1:${bob.port}`, { ...asked, 'Content-Type': 'application/sdp' }, sdp);
  clock.advance(5);
  const invite = bob.requests[0];
  const answer = invite?.respond(200, {
    headers: headersOf({ ...answered, 'Content-Type': 'application/sdp' }),
    body: Buffer.from(sdp),
  });
  clock.advance(5);
  call.dialogs[0]?.ack();
  clock.advance(5);
  return { ...world, call, answer, ours: invite?.dialog, theirs: call.dialogs[0] };
}

void t.test('the caller refreshes at half time; when it is gone the call ends', async (t) => {
  const { clock, network, alice, bob, answer, theirs } = await aCall({ 'Session-Expires': '1800' });
  t.equal(answer?.headers.get('Session-Expires'), '1800;refresher=uac');
  t.equal(answer?.headers.get('Require'), 'timer');
  t.match(bob.requests[0]?.request.headers.get('Supported'), /timer/, 'who names it, knows it');
  clock.advance(seconds(899));
  t.equal(bob.requests.length, 1);
  clock.advance(seconds(2));
  const refresh = bob.got('INVITE');
  t.equal(bob.requests.length, 2, 'a re-INVITE, for Bob has not said that he takes UPDATE');
  t.equal(refresh.request.body.toString(), sdp, 'the same media');
  t.equal(refresh.request.headers.get('Session-Expires'), '1800;refresher=uac');
  refresh.respond(200, {
    headers: headersOf({ Allow: 'INVITE, UPDATE', 'Content-Type': 'application/sdp' }),
    body: Buffer.from(sdp),
  });
  clock.advance(seconds(1));
  t.equal(network.sentFrom(alice.port, 'ACK').length, 2);
  clock.advance(seconds(900));
  t.equal(bob.got('UPDATE').request.body.length, 0, 'now he has');
  bob.got('UPDATE').respond(200);
  clock.advance(seconds(1));
  t.equal(theirs?.state, 'confirmed');

  // The caller's machine burns.
  alice.endpoint.close();
  clock.advance(seconds(1_766));
  t.same(bob.endings, []);
  clock.advance(seconds(3));
  t.equal(bob.endings[0]?.why, 'sessionExpired');
  t.match(
    network.packets.findLast(({ what }) => what === 'BYE')?.text,
    /^Reason: SIP ;cause=200 ;text="Session timer expired"/m,
  );
});

void t.test('we refresh when it is ours to do: asked so, or for a caller that knows of no timers', async (t) => {
  const asked = await aCall({ 'Session-Expires': '600;refresher=uas' });
  t.equal(asked.answer?.headers.get('Session-Expires'), '600;refresher=uas');
  asked.clock.advance(seconds(301));
  t.equal(asked.alice.got('INVITE').request.body.toString(), sdp);
  asked.alice.got('INVITE').respond(491);
  asked.clock.advance(seconds(6));
  t.equal(asked.alice.requests.length, 2, 'again after a glare');
  asked.alice.got('INVITE').respond(481);
  asked.clock.advance(seconds(1));
  t.equal(asked.bob.endings[0]?.why, 'sessionExpired', 'the peer knows nothing of the call');

  const app = await aCall({ Supported: 'timer' }, { 'Session-Expires': '300;refresher=uas' });
  t.equal(app.answer?.headers.get('Session-Expires'), '300;refresher=uas', 'who answers may ask for it');
  const simple = await aCall({}, { 'Session-Expires': '300;refresher=uac' });
  t.equal(simple.answer?.headers.get('Session-Expires'), '300;refresher=uas', 'a caller that would never refresh');
});

for (const status of [401, 407]) {
  void t.test(`a refresh that is challenged (${status}) shows that the peer is there: the call goes on`, async (t) => {
    const { clock, alice, bob, theirs } = await aCall({ 'Session-Expires': '600;refresher=uas' });
    // A far end that does not hang up because of it.
    theirs?.session.stop();
    for (const refreshes of [1, 2, 3]) {
      clock.advance(seconds(301));
      t.equal(alice.requests.length, refreshes, 'at half time, and not again before the next');
      const challenge = `Digest realm="x", nonce="${refreshes}"`;
      const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
      alice.got('INVITE').respond(status, { headers: headersOf({ [name]: challenge }) });
    }
    clock.advance(seconds(299));
    t.same(bob.endings, [], 'though none was ever taken');
    clock.advance(seconds(3));
    alice.got('INVITE').respond(481);
    clock.advance(seconds(1));
    t.equal(bob.endings[0]?.why, 'sessionExpired', 'until it knows nothing of the call');
  });
}

void t.test('a dialog that is busy is refreshed a little later', async (t) => {
  const { clock, network, alice, bob, ours } = await aCall({ 'Session-Expires': '600;refresher=uas' });
  clock.advance(seconds(299));
  ours?.request('INVITE', {}, { onResponse() {} });
  clock.advance(seconds(3));
  const sent = new Set(
    network.packets.filter(({ from, what }) => from === bob.port && what === 'INVITE').map(({ text }) => text),
  );
  t.equal(sent.size, 1, 'only the one under way');
  alice.got('INVITE').respond(488);
  clock.advance(seconds(5));
  t.equal(alice.requests.length, 2);
});

void t.test(
  'too short is 422 with Min-SE; a 422 to our refresh is heeded; without a word there is no limit',
  async (t) => {
    const { clock, alice, bob } = await twoPhones();
    const call = alice.call(`sip:bob@127.0.0.1:${bob.port}`, { 'Session-Expires': '60' });
    clock.advance(5);
    t.same(call.statuses, [422]);
    t.equal(call.responses[0]?.headers.get('Min-SE'), '90');
    t.same(bob.requests, []);

    const longer = await aCall({ 'Session-Expires': '90;refresher=uas' });
    longer.clock.advance(seconds(46));
    longer.alice.got('INVITE').respond(422, { headers: headersOf({ 'Min-SE': '120' }) });
    longer.clock.advance(seconds(6));
    t.equal(longer.alice.got('INVITE').request.headers.get('Session-Expires'), '120;refresher=uac');

    const free = await aCall({});
    free.clock.advance(seconds(100_000));
    t.same([free.alice.requests, free.bob.endings, free.bob.requests.length], [[], [], 1]);
  },
);

void t.test('who names itself as refresher knows what that means, whatever it lists as supported', (t) => {
  const asking = (value: string) => {
    const headers = headersOf({ 'Session-Expires': value });
    return termsOfAnswer(
      { kind: 'request', method: 'INVITE', uri: 'sip:b@x', headers, body: Buffer.alloc(0) },
      undefined,
    );
  };
  t.same(asking('90; refresher=uac'), { seconds: 90, refresher: 'uac' });
  t.same(asking('90'), { seconds: 90, refresher: 'uas' }, 'a proxy may have asked in its name (RFC 4028 8.1)');
  t.end();
});
