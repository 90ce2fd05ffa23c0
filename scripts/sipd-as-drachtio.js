// sipd, started as drachtio-server is:  sipd-as-drachtio.js -f CONFIGURATION.xml …
// For drachtio-server's own test suite: knows of its configuration the secret, the control port and the SIP addresses.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './install.js';

const words = process.argv.slice(2);
const xml = readFileSync(words[words.indexOf('-f') + 1], 'utf8').replaceAll(/<!--[\s\S]*?-->/g, '');
const [, attributes, host] = /<admin([^>]*)>([^<]*)</.exec(xml);
const attribute = (name) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
const sip = [...xml.matchAll(/<contact>sip:([\d.]+):(\d+);transport=([\w,]+)</g)].flatMap(([, at, port, protocols]) =>
  protocols.split(',').map((protocol) => ({ protocol, host: at, port: Number(port) })),
);
const options = {
  sip,
  control: { host, port: Number(attribute('port')) },
  secret: process.env.DRACHTIO_SECRET ?? attribute('secret'),
};
const path = join(mkdtempSync(join(tmpdir(), 'sipd-')), 'sipd.json');
writeFileSync(path, JSON.stringify(options), { mode: 0o600 });
process.argv.splice(2, process.argv.length, path);
await import(join(root, 'src', 'sipd', 'main.ts'));
