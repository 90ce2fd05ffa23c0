import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Config, configurationReference, loadConfig, parseEndpoint, parseListen } from '../../src/config/index.ts';

function file(t: Test, text: string): string {
  const path = join(t.testdir({}), 'w.yaml');
  writeFileSync(path, text);
  return path;
}

function good(result: ReturnType<typeof loadConfig>): Config {
  if (result.kind === 'bad') throw new Error(result.problems.join('\n'));
  return result.value;
}

t.test('nothing has to be set', async (t) => {
  const config = good(loadConfig({ set: [] }, {}));
  t.match(config, {
    sip: { listen: ['udp/0.0.0.0:5060', 'tcp/0.0.0.0:5060'], advertise: '' },
    signalling: { port: 9022 },
    media: { port: 8021, sip: '127.0.0.1:5090', listenPort: 8085, rtpFirst: 20_000, rtpLast: 20_999 },
    admin: { listen: '127.0.0.1:8080' },
    trunks: {},
  });
  const here = new URL('../..', import.meta.url).pathname;
  t.equal(config.data, join(here, 'data'), 'default folders lie in the folder of Wardline, wherever one stands');
  t.throws(() => Object.assign(config.sip, { advertise: '192.0.2.1' }), 'frozen to the bottom');
});

t.test('the later source wins, value by value', async (t) => {
  const path = file(
    t,
    'signalling: { port: 1001 }\nmedia:\n  port: 1002\n  listenPort: 1003\nsip:\n  advertise: 192.0.2.1\n',
  );
  const environment = { WARDLINE_MEDIA__PORT: '2002', WARDLINE_MEDIA__LISTEN_PORT: '2003', PATH: '/bin' };
  const config = good(loadConfig({ file: path, set: ['media.listenPort=3003'] }, environment));
  t.match(config, {
    signalling: { port: 1001 },
    media: { port: 2002, listenPort: 3003, sip: '127.0.0.1:5090' },
    sip: { advertise: '192.0.2.1' },
  });
});

t.test('a relative folder counts from the file that names it, or from where the command is typed', async (t) => {
  const dir = t.testdir({ etc: { 'w.yaml': 'data: ../var\n' } });
  t.equal(good(loadConfig({ file: join(dir, 'etc/w.yaml'), set: [] }, {})).data, join(dir, 'var'));
  t.equal(good(loadConfig({ set: ['data=x/y'] }, {})).data, join(process.cwd(), 'x/y'));
  t.equal(good(loadConfig({ set: [], data: 'z' }, { WARDLINE_DATA: 'x' })).data, join(process.cwd(), 'z'));
  t.equal(good(loadConfig({ set: [], before: { oncall: '/srv/oncall' } }, {})).oncall, '/srv/oncall');
});

t.test('text from a shell is what the key wants', async (t) => {
  const config = good(
    loadConfig(
      {
        set: [
          'trunks.carrier.target=sip:192.0.2.10:5060;transport=udp',
          'trunks.carrier.callerId=+12025550100',
          'trunks.carrier.username=007',
          'trunks.carrier.assertIdentity=false',
          'trunks.carrier.allowFrom=["192.0.2.10"]',
        ],
      },
      {},
    ),
  );
  t.match(config.trunks['carrier'], {
    target: 'sip:192.0.2.10:5060;transport=udp',
    callerId: '+12025550100',
    username: '007',
    assertIdentity: false,
    allowFrom: ['192.0.2.10'],
  });
});

t.test('bad input names place, reason and remedy', async (t) => {
  const FILE = 'FILE';
  const table: readonly (readonly [string | null, readonly string[], Record<string, string>, string])[] = [
    [null, ['sip.lisen=[]'], {}, '--set sip.lisen: there is no such key: did you mean sip.listen?'],
    [null, ['signaling.port=1'], {}, '--set signaling.port: signaling: there is no such key: did you mean signalling?'],
    [
      null,
      ['xyz=1'],
      {},
      '--set xyz: there is no such key: known here are data, dialplans, oncall, plans, sip, trunks, signalling, media, webhooks, transcription, mail, admin, audit, voicemail, log',
    ],
    [
      null,
      ['sip.advertise.x=1'],
      {},
      '--set sip.advertise.x: sip.advertise is a single value and has no keys below it',
    ],
    [null, ['sip.port'], {}, '--set sip.port: must read path=value, for example --set signalling.port=9022'],
    [null, ['=1'], {}, '--set =1: must read path=value, for example --set signalling.port=9022'],
    [null, ['media.port=70000'], {}, '--set media.port: 70000 is too large: the most is 65535'],
    [null, ['media.rtpFirst=80'], {}, '--set media.rtpFirst: 80 is too small: the least is 1024'],
    [null, ['media.port=eighty'], {}, '--set media.port: "eighty" is not a number'],
    [null, ['media.port=1.5'], {}, '--set media.port: 1.5 is not a whole number'],
    [null, ['log.level=loud'], {}, '--set log.level: "loud" is not one of trace, debug, info, warn, error'],
    [null, ['sip.advertise=pbx'], {}, '--set sip.advertise: "pbx" must be an IP address'],
    [null, ['media.port=[*a]'], {}, '--set media.port: "[*a]" is not a number'],
    [null, ['data='], {}, '--set data: null is not a text'],
    [
      null,
      ['sip.listen=["sctp/0.0.0.0:5061"]'],
      {},
      '--set sip.listen: sip.listen.0: "sctp/0.0.0.0:5061": must read transport/address:port, such as udp/0.0.0.0:5060',
    ],
    [null, ['sip.listen=[]'], {}, '--set sip.listen: [] is too small: the least is 1'],
    [
      null,
      ['sip.listen=["udp/0.0.0.0:5060","wss/0.0.0.0:443"]'],
      {},
      'configuration: sip.listen: wss/0.0.0.0:443 needs sip.tls.certificate and sip.tls.key: give the PEM files',
    ],
    [
      null,
      ['transcription.command=["/bin/true"]', 'transcription.url=https://speech.example/'],
      {},
      'configuration: transcription: a command and a url: give one of them',
    ],
    [
      null,
      ['mail.host=mx.example'],
      {},
      'configuration: mail.from: needed to send e-mail: give an address of the house',
    ],
    [
      null,
      ['mail.host=mx.example', 'mail.from=a@b.example', 'mail.user=pbx'],
      {},
      'configuration: mail: user and passwordFile belong together: give both, or neither',
    ],
    [
      null,
      ['mail.security=none', 'mail.user=pbx', 'mail.passwordFile=mail.password'],
      {},
      'configuration: mail.security: without TLS everybody could read the password: use starttls or tls',
    ],
    [
      null,
      ['sip.tls.certificate=pbx.pem'],
      {},
      'configuration: sip.tls: certificate and key belong together: give the PEM files of both',
    ],
    [
      null,
      ['sip.tls.certificate=pbx.pem', 'sip.tls.key=pbx.key', 'sip.tls.clientCertificates=required'],
      {},
      'configuration: sip.tls.authorities: needed to check the certificates of clients: give a PEM file',
    ],
    [
      null,
      ['sip.listen=["tcp/0.0.0.0:5060","ws/127.0.0.1:5060"]'],
      {},
      'configuration: sip.listen: ws port 5060 is also in sip.listen: give each its own',
    ],
    [
      null,
      ['media.sip=127.0.0.1:5060'],
      {},
      'configuration: media.sip: udp port 5060 is also in sip.listen: give each its own',
    ],
    [
      null,
      ['sip.listen=["udp/127.0.0.1:20500"]'],
      {},
      'configuration: sip.listen: 20500 lies between media.rtpFirst and media.rtpLast: move one of them',
    ],
    [
      null,
      ['media.rtpLast=20005'],
      {},
      'configuration: media.rtpLast: fewer than ten ports after media.rtpFirst 20000: give a wider range',
    ],
    [
      null,
      [],
      { WARDLINE_SIP__REALMS: 'x' },
      'environment WARDLINE_SIP__REALMS: sip.realms: there is no such key: did you mean sip.realm?',
    ],
    [
      null,
      [],
      { WARDLINE_MEDIA__PORT: '-1' },
      'environment WARDLINE_MEDIA__PORT: media.port: -1 is too small: the least is 0',
    ],
    [
      'sip:\n  realm: x\n  lissten: []\n',
      [],
      {},
      `${FILE}:3:3: sip.lissten: there is no such key: did you mean sip.listen?`,
    ],
    [
      null,
      ['signalling.servers=[{host: 10.0.0.1}]'],
      {},
      'configuration: signalling.servers.0: has no secret: give secretFile, a file whose first line is the secret of 10.0.0.1',
    ],
    [
      null,
      ['media.servers=[{host: 10.0.0.1, secret: x, draining: true}]'],
      {},
      'configuration: media.servers: all of them are draining: no call would be taken; let one take calls',
    ],
    [
      null,
      ['media.servers=[{host: 10.0.0.1, secret: x},{host: 10.0.0.1, secret: y}]'],
      {},
      'configuration: media.servers.1: 10.0.0.1:8021 is there twice: take one out, or correct its port',
    ],
    [
      null,
      ['signalling.servers=[{host: a, name: x, secret: x},{host: b, name: x, secret: y}]'],
      {},
      'configuration: signalling.servers.1: another server is called x too: give each a name of its own',
    ],
    [
      null,
      ['media.servers=[{host: 10.0.0.1, secret: x, listenHost: 0.0.0.0}]'],
      {},
      'configuration: media.servers.0.advertise: needed, because listenHost is 0.0.0.0: what shall the server dial?',
    ],
    [
      null,
      ['media.servers=[{host: 10.0.0.1, secret: x, listenPort: 8080}]'],
      {},
      'configuration: admin.listen: tcp port 8080 is also in media.servers.0.listenPort: give each its own',
    ],
    [
      null,
      ['media.servers=[{host: 10.0.0.1, secret: x, wieght: 1}]'],
      {},
      '--set media.servers: media.servers.0: there is no such key here: wieght',
    ],
    [null, ['media.servers=10.0.0.1'], {}, '--set media.servers: "10.0.0.1" is not a list'],
    [
      'signalling:\n  servers:\n    - host: no host\n',
      [],
      {},
      `${FILE}:2:3: signalling.servers.0.host: "no host": must be an address or a host name`,
    ],
    ['media:\n  port: many\n', [], {}, `${FILE}:2:3: media.port: "many" is not a number`],
    ['sip: 5060\n', [], {}, `${FILE}:1:1: sip: 5060 is not a group of keys`],
    ['- a\n', [], {}, `${FILE}:1:1: must be a list of "key: value" lines`],
    ['__proto__: { x: 1 }\n', [], {}, `${FILE}:1:14: __proto__: there is no such key: known here are`],
    ['sip: {}\nsip: {}\n', [], {}, `${FILE}:2:1: Map keys must be unique`],
    [
      'sip: [1\n',
      [],
      {},
      `${FILE}:2:1: Flow sequence in block collection must be sufficiently indented and end with a ]`,
    ],
    [
      'trunks:\n  carrier:\n    target: tel:1\n',
      [],
      {},
      `${FILE}:3:5: trunks.carrier.target: "tel:1": must read like sip:192.0.2.10:5060;transport=udp`,
    ],
  ];
  for (const [text, set, environment, says] of table) {
    const path = text === null ? null : file(t, text);
    const result = loadConfig({ set, ...(path === null ? {} : { file: path }) }, environment);
    const problem = result.kind === 'bad' ? (result.problems[0] ?? '') : 'it was taken';
    const expected = says.replace(FILE, path ?? '');
    // A list of known keys is long; its beginning is enough.
    t.equal(expected.endsWith('are') ? problem.slice(0, expected.length) : problem, expected);
  }
});

t.test('servers that run already take the place of our own, and the keys for those do not count', async (t) => {
  const config = good(
    loadConfig(
      {
        set: [
          'signalling.servers=[{host: 10.0.0.1, secretFile: /etc/a}]',
          'media.servers=[{host: media.example, secret: x, advertise: pbx}]',
          // Would clash with sip.listen, were it used.
          'media.sip=127.0.0.1:5060',
        ],
      },
      {},
    ),
  );
  t.match(config.signalling.servers, [{ host: '10.0.0.1', port: 9022, tls: false, weight: 1, draining: false }]);
  t.match(config.media.servers, [{ port: 8021, profile: 'drachtio_mrf', listenHost: '127.0.0.1', advertise: 'pbx' }]);
});

t.test('one port on several addresses, unless one of them is all of them', async (t) => {
  const listening = (...listen: string[]) =>
    loadConfig({ set: [`sip.listen=[${listen.map((one) => `"${one}"`).join(', ')}]`] }, {});
  t.match(listening('udp/0.0.0.0:5060', 'udp/[::]:5060'), { kind: 'good' });
  t.match(listening('udp/10.0.0.1:5060', 'udp/10.0.0.2:5060', 'tcp/10.0.0.1:5060'), { kind: 'good' });
  const twice = { kind: 'bad', problems: [/sip\.listen: udp port 5060 is also in sip\.listen/] };
  t.match(listening('udp/0.0.0.0:5060', 'udp/127.0.0.1:5060'), twice);
  t.match(listening('udp/[::1]:5060', 'udp/[::]:5060'), twice);
  t.match(listening('udp/10.0.0.1:5060', 'udp/10.0.0.1:5060'), twice);
  t.match(listening('tcp/10.0.0.1:8021'), { kind: 'bad' }, 'what is ours is nobody else’s, on whichever address');
});

t.test('a secret that is no text is not said', async (t) => {
  const text = 'signalling:\n  servers:\n    - { host: 10.0.0.1, secret: 4711471147114711 }\n';
  const loaded = loadConfig({ file: file(t, text), set: [] }, {});
  t.match(loaded, { kind: 'bad', problems: [/servers\.0\.secret: .*not a text/] });
  t.notMatch(JSON.stringify(loaded), '4711');
});

t.test('a file that is not there, is a folder, or is no text', async (t) => {
  const dir = t.testdir({});
  for (const [path, says] of [
    [join(dir, 'none.yaml'), 'there is no such file: check the path given with --config'],
    [dir, 'it cannot be read (EISDIR)'],
  ] as const) {
    t.same(loadConfig({ file: path, set: [] }, {}), { kind: 'bad', problems: [`${path}: ${says}`] });
  }
  writeFileSync(join(dir, 'big.yaml'), '#'.repeat(1024 * 1024 + 1));
  t.match(loadConfig({ file: join(dir, 'big.yaml'), set: [] }, {}), { kind: 'bad', problems: [/larger than 1 MB/] });
});

t.test('a billion laughs are refused', async (t) => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}\n`;
  t.match(loadConfig({ file: file(t, bomb), set: [] }, {}), { kind: 'bad' });
});

t.test('addresses', async (t) => {
  t.same(parseListen('tcp/[::1]:5060'), { transport: 'tcp', host: '::1', port: 5060 });
  t.same(parseEndpoint('127.0.0.1:0'), { host: '127.0.0.1', port: 0 });
  for (const bad of ['127.0.0.1', '256.0.0.1:1', '127.0.0.1:65536', 'host:1', '127.0.0.1:1 ', '[::x]:1', '']) {
    t.equal(parseEndpoint(bad), null, bad);
  }
});

t.test('the reference page is the one of this schema', async (t) => {
  const page = readFileSync(new URL('../../docs/reference/configuration.md', import.meta.url), 'utf8');
  t.equal(page, configurationReference(), 'run: npm run docs');
  for (const row of page.split('\n').filter((line) => line.startsWith('| `'))) {
    t.match(row, /\| [^|]+[.\]`)] \|$/, `a meaning in: ${row}`);
  }
});
