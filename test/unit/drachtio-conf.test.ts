import { readFileSync } from 'node:fs';
import t from 'tap';
import { ROOT } from '../support/root.ts';

// The configuration of drachtio-server that is shipped: what would harm an installation must not come back.

const text = readFileSync(`${ROOT}/freeswitch-conf/drachtio-server/drachtio.conf.xml`, 'utf8');
const settings = text.replaceAll(/<!--[\s\S]*?-->/g, '');

void t.test('who may steer it, and by which secret', async (t) => {
  const admin = /<admin ([^>]*)>([^<]*)<\/admin>/.exec(settings);
  t.equal(admin?.[2], '127.0.0.1', 'its commands need no login');
  t.match(admin?.[1], /secret=""/, 'left out it would be "admin"; set here it would be in every copy');
  t.notMatch(settings, /cymru|tls-port|request-handler|outbound-proxy/);
});

void t.test('no number or name of a caller in its log', async (t) => {
  t.equal(/<loglevel>(\w+)</.exec(settings)?.[1], 'warning');
  t.notMatch(settings, /<file>|<syslog>|capture-server/, 'nothing is written anywhere but to the journal');
});

void t.test('every setting stands behind a comment', async (t) => {
  for (const name of ['admin', 'contact', 'timers', 'session-timers', 'cdrs', 'console']) {
    const before = text.slice(0, text.search(new RegExp(`<${name}[ />]`)));
    const since = before.slice(before.lastIndexOf('-->'));
    t.ok(since.split('\n').length <= 3, `${name} says why`);
  }
});
