import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { askBySip } from '../../src/cli/ask-by-sip.ts';
import { portOf } from '../support/daemon.ts';
import { DrachtioServer, drachtioServer } from '../support/drachtio-server.ts';
import { EslClient } from '../support/esl-client.ts';
import { House } from '../support/house.ts';
import { housesAtOnce, notOnRunning } from '../support/left-out.ts';
import { freeTcpPort, scratch, until } from '../support/processes.ts';
import { type ByHand, serversByHand } from '../support/servers-by-hand.ts';
import { heardFor } from '../support/sound.ts';

// Signalling and media servers that run already: the house starts none of its own and uses those.

// Each story has houses of its own.
t.jobs = housesAtOnce(2);

// Anew for each story: tap writes into the options of a test.
const startsSeveral = () => notOnRunning('signalling', 'media');

t.test('a chain on servers that somebody else has started', startsSeveral(), async (t) => {
  const { data, set } = await serversByHand(t, { sipd: 1, mediad: 1 });
  const house = await House.start(t, { data, set, phones: ['2101', '3101', '3102'] });
  t.same(house.daemonPids(), [], 'nothing of that kind is started');
  for (const name of ['sipd.json', 'mediad.json']) t.notOk(existsSync(join(data, 'run', name)), name);
  t.match(house.terminal(), house.sip, 'the banner tells where the server serves phones');

  const [nurse, ...doctors] = await Promise.all([
    house.desk(t, '2101', 440),
    house.desk(t, '3101', 660),
    house.desk(t, '3102', 770),
  ]);
  await nurse.dial(house.uri('7011'));
  const doctor = await until('a doctor to be rung', () => doctors.find((one) => one.has('CALL_INCOMING')));
  await doctor.accept();
  await until('both to hear each other', () => {
    const [atNurse, atDoctor] = [nurse.heard()[0], doctor.heard()[0]];
    const tone = doctor === doctors[0] ? 660 : 770;
    return atNurse && atDoctor && heardFor(atNurse, tone) > 0.8 && heardFor(atDoctor, 440) > 0.8;
  });
  await doctor.hangUp();
  t.equal((await house.endedCall()).ending, 'calleeHungUp');
  t.match(await house.cli('doctor'), { code: 0, out: /Nothing is wrong/ });
});

t.test(
  'servers that cannot be used: each is told with its reason, and calls go through the others',
  startsSeveral(),
  async (t) => {
    const { data, set, sipds, mediads } = await serversByHand(t, { sipd: 1, mediad: 1 });
    const stranger = { port: await listening(t, (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n\n\n')) };
    // One address stands in the configuration once.
    const another = async ({ told }: (typeof mediads)[number]) => ({ port: await listening(t, relayTo(told.port)) });
    const others = (key: 'signalling.servers' | 'media.servers', more: Readonly<Record<string, object>>) => {
      const [good] = JSON.parse(set[key] ?? '') as [object];
      return JSON.stringify([good, ...Object.entries(more).map(([name, change]) => ({ ...good, name, ...change }))]);
    };
    const [sipd, ...more] = [await another(sipds[0]!), await another(mediads[0]!), await another(mediads[0]!)];
    const wrong = { secret: 'none-that-a-server-was-started-with' };
    const house = await House.start(t, {
      data,
      set: {
        'signalling.servers': others('signalling.servers', { secret: { ...sipd, ...wrong }, stranger }),
        'media.servers': others('media.servers', {
          secret: { ...more[0], ...wrong },
          profile: { ...more[1], profile: 'internal' },
          stranger,
        }),
      },
      phones: ['2101', '3101', '3102'],
    });
    const says = {
      'signalling sipd1': /^connected$/,
      'signalling secret': /^it refused the secret$/,
      'signalling stranger': /^it does not speak the control protocol$/,
      'media mediad1': /^connected$/,
      'media secret': /refused the secret$/,
      'media profile': /has no SIP profile internal: see sip_profiles of freeswitch-conf$/,
      'media stranger': /does not speak the event socket protocol: is this the port of a media server/,
    };
    await until('every server to be told as it is', async () => {
      const answer = await fetch(`http://${house.admin}/readyz`);
      const { parts } = (await answer.json()) as { parts: { part: string; says: string }[] };
      const isSo = ([part, what]: [string, RegExp]) => what.test(parts.find((one) => one.part === part)?.says ?? '');
      return answer.status === 200 && Object.entries(says).every(isSo);
    });
    t.match(house.terminal(), /refused the secret/, 'and in the log');

    const [nurse, ...doctors] = await Promise.all(
      ['2101', '3101', '3102'].map((extension) => house.desk(t, extension, 440)),
    );
    await nurse!.dial(house.uri('7011'));
    const doctor = await until('a doctor to be rung', () => doctors.find((one) => one.has('CALL_INCOMING')));
    await doctor.accept();
    await until('the two to be connected', async () => (await house.facts()).has('bridged'));
    await nurse!.hangUp();
    t.equal((await house.endedCall()).ending, 'callerHungUp');

    const nowhere = {
      'signalling.servers': others('signalling.servers', {}).replace(
        /"secret":"[^"]+"/,
        JSON.stringify(wrong).slice(1, -1),
      ),
    };
    await t.rejects(
      House.start(t, { set: { ...set, ...nowhere } }),
      /refused the secret: give the one that it was started with/,
    );
  },
);

// sipd listens on loopback in clear: a tunnel brings an app from elsewhere.
if (drachtioServer?.kind === 'program') {
  const program = drachtioServer.path;
  t.test('the control connection by TLS: calls, and again when the server was restarted', async (t) => {
    const folder = scratch(t, 'tls');
    const [key, cert, dh] = ['key.pem', 'cert.pem', 'dh.pem'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
    openssl('genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048', '-out', dh);
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2'],
      ...['-subj', '/CN=signalling', '-addext', 'subjectAltName=DNS:signalling'],
    );
    const port = await freeTcpPort();
    const files = ['--key-file', key, '--cert-file', cert, '--dh-param', dh];
    const server = await DrachtioServer.start(t, program, undefined, ['--tls-port', String(port), ...files]);
    const by = (tlsName: string, at: number) => {
      return { ...server.told, name: tlsName, port: at, tls: true, tlsCa: cert, tlsName };
    };
    const relay = await listening(t, relayTo(port));
    const servers = JSON.stringify([by('signalling', port), by('another', relay)]);
    const house = await House.start(t, { set: { 'signalling.servers': servers }, phones: ['2101', '2102'] });
    const says = async (part: string): Promise<string | undefined> => {
      const answer = (await fetch(`http://${house.admin}/readyz`).then((page) => page.json())) as {
        parts: { part: string; says: string }[];
      };
      return answer.parts.find((one) => one.part === `signalling ${part}`)?.says;
    };
    t.match(await says('another'), /altnames/, 'a certificate of another name gets no secret');
    const [nurse, other] = await Promise.all([house.desk(t, '2101', 440), house.desk(t, '2102', 660)]);
    const call = async () => {
      const mark = other.mark();
      await nurse.dial(house.uri('2102'));
      await until('the other to be rung', () => other.has('CALL_INCOMING', mark));
      await other.accept();
      await until('the two to be connected', async () => (await house.facts()).has('bridged'));
      await nurse.hangUp();
      const facts = await house.endedCall();
      t.equal(facts.ending, 'callerHungUp');
      // There is nothing to compare it with.
      house.notCompared(facts);
    };
    await call();
    await server.kill();
    await until('it to be missed', async () => (await says('signalling')) !== 'connected');
    await server.restart();
    await until('it to be there again', async () => (await says('signalling')) === 'connected');
    await call();
  });
}

async function listening(t: { teardown(run: () => void): void }, serve: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

function relayTo(port: number): (socket: net.Socket) => void {
  return (socket) => {
    const far = net.connect(port, '127.0.0.1');
    far.on('error', () => socket.destroy());
    socket.on('close', () => far.destroy());
    socket.pipe(far).pipe(socket);
  };
}

/** Legs on each media server. */
async function legs({ mediads }: Pick<ByHand, 'mediads'>): Promise<number[]> {
  return Promise.all(
    mediads.map(async ({ told }) => {
      const client = await EslClient.member(told.port, told.secret);
      const { row_count } = JSON.parse(await client.api('show channels as json')) as { row_count: number };
      client.socket.destroy();
      return row_count;
    }),
  );
}

t.test('two servers of each kind: what dies is skipped, and used again when it is back', startsSeveral(), async (t) => {
  const servers = await serversByHand(t, { sipd: 2, mediad: 2, weights: [1, 0] });
  const { data, set, sipds, mediads } = servers;
  const house = await House.start(t, { data, set, phones: ['2101', '3101', '3102'] });
  const at = (i: number) => `127.0.0.1:${portOf(sipds[i]?.sip, 'udp')}`;
  const readyz = async () => {
    const answer = await fetch(`http://${house.admin}/readyz`);
    return { status: answer.status, ...((await answer.json()) as { parts: { part: string; isGood: boolean }[] }) };
  };
  const good = async (part: string) => (await readyz()).parts.find((one) => one.part === part)?.isGood;
  await until('both of each', async () => (await readyz()).parts.filter(({ isGood }) => isGood).length >= 5);

  const [nurse, ...doctors] = await Promise.all([
    house.desk(t, '2101', 440),
    // The doctors are known to the other signalling server alone.
    house.desk(t, '3101', 660, { server: at(1) }),
    house.desk(t, '3102', 770, { server: at(1) }),
  ]);
  const chain = async () => {
    const marks = doctors.map((one) => one.mark());
    await nurse.dial(house.uri('7011'));
    const doctor = await until('a doctor to be rung', () => {
      return doctors.find((one, i) => one.has('CALL_INCOMING', marks[i]));
    });
    await doctor.accept();
    // Whoever hangs up before leaves another record.
    await until('the two to be connected', async () => (await house.facts()).has('bridged'));
    return { doctor, tone: doctor === doctors[0] ? 660 : 770 };
  };
  const heard = (tone: number) =>
    until('the nurse to hear the doctor', () => nurse.heard().some((sound) => heardFor(sound, tone) > 0.5));

  await t.test('a chain across two signalling servers, on the media server that has the weight', async (t) => {
    const { tone } = await chain();
    await heard(tone);
    t.same(await legs(servers), [2, 0]);
    await nurse.hangUp();
    t.equal((await house.endedCall()).ending, 'callerHungUp');
  });

  await t.test(
    'a media server is drained while two talk on it: they talk on, the next call goes elsewhere',
    async (t) => {
      const { doctor } = await chain();
      await until('the two to talk', async () => (await legs(servers))[0] === 2);
      t.match(await house.cli('servers', 'drain', 'mediad1'), { code: 0, out: /no new calls; 2 legs are left/ });
      const waiting = house.cli('servers', 'drain', 'mediad1', '--wait', '600');
      t.notOk(doctor.has('CALL_CLOSED', doctor.mark()));
      t.same(await legs(servers), [2, 0]);
      await nurse.hangUp();
      t.equal((await house.endedCall()).ending, 'callerHungUp');
      t.match(await waiting, { code: 0, out: /nothing is left on it/ });

      await chain();
      await until('the next two to talk', async () => (await legs(servers)).includes(2));
      t.same(await legs(servers), [0, 2]);
      await nurse.hangUp();
      t.equal((await house.endedCall()).ending, 'callerHungUp');
      t.match(await house.cli('servers', 'undrain', 'mediad1'), { code: 0 });
    },
  );

  await t.test('a signalling server that drains says so to whoever asks where to send calls', async (t) => {
    const [sip] = sipds.map(({ sip }) => ({
      transport: 'udp' as const,
      host: '127.0.0.1',
      port: portOf(sip, 'udp'),
    }));
    t.match(await askBySip(sip!, 60_000), { says: '200' });
    t.match(await house.cli('servers', 'drain', 'sipd1'), { code: 0 });
    t.match(await askBySip(sip!, 60_000), { says: '503' });
    t.match(await house.cli('servers', 'list'), { out: /sipd1 .* no \(/ });
    t.match(await house.cli('servers', 'undrain', 'sipd1'), { code: 0 });
  });

  await t.test('the media server dies in mid-call: both are moved to the other and talk on', async (t) => {
    const { doctor, tone } = await chain();
    await until('the two to talk', async () => (await legs(servers))[0] === 2);
    await mediads[0]!.kill();
    const left = { mediads: [mediads[1]!] };
    await until('both to be moved', async () => (await legs(left))[0] === 2);
    const before = nurse.heardSoFar();
    await until('the nurse to hear the doctor again', () =>
      nurse.heardSince(before).some((sound) => heardFor(sound, tone) > 0.5),
    );
    t.notOk(nurse.has('CALL_CLOSED', nurse.mark()));
    t.equal(await good('media mediad1'), false);
    t.equal((await readyz()).status, 200, 'calls are taken all the same');
    const metrics = await fetch(`http://${house.admin}/metrics`).then((page) => page.text());
    t.match(metrics, 'wardline_server_up{kind="media",server="mediad1"} 0');
    t.match(metrics, 'wardline_server_up{kind="signalling",server="sipd2"} 1');
    await doctor.hangUp();
    t.equal((await house.endedCall()).ending, 'calleeHungUp');
  });

  await t.test('it is back and used again', async (t) => {
    await mediads[0]!.restart();
    await until('it to be found', () => good('media mediad1'));
    // One that has just started may be too slow for its first call, which then goes to the other.
    await until('it to carry a call', async () => {
      await chain();
      await until('the two to talk', async () => (await legs(servers)).includes(2));
      const [first] = await legs(servers);
      await nurse.hangUp();
      const facts = await house.endedCall();
      t.equal(facts.ending, 'callerHungUp');
      // How often it takes depends on the machine.
      house.notCompared(facts);
      return first === 2;
    });
  });

  await t.test("the doctors' signalling server dies: their phones are rung through the other one", async (t) => {
    await sipds[1]!.kill();
    await until('it to be missed', async () => (await good('signalling sipd2')) === false);
    const { tone } = await chain();
    await heard(tone);
    await nurse.hangUp();
    t.equal((await house.endedCall()).ending, 'callerHungUp');
    t.match(await house.cli('doctor'), { code: 1, out: /BAD +signalling sipd2: .*ECONNREFUSED/ });
  });

  await t.test('no media server is left: desk phones ring all the same, and talk directly', async (t) => {
    await Promise.all(mediads.map((mediad) => mediad.kill()));
    await until('both to be missed', async () => (await readyz()).status === 503);
    await nurse.nextFile();
    const { tone } = await chain();
    await until('the nurse to hear the doctor', () => {
      const sound = nurse.heard().at(-1);
      return sound && heardFor(sound, tone) > 0.5;
    });
    await nurse.hangUp();
    const facts = await house.endedCall();
    t.equal(facts.ending, 'callerHungUp');
    t.match(facts.of('legAnswered'), [{ media: { path: 'direct' } }]);
    t.match(JSON.stringify(facts.of('decided')), /no media server: .*ECONNREFUSED/);
  });
});
