// One file of drachtio-server's test suite, inside a network of its own:  drachtio-bed.js SUITE SERVER FILE LOGS
// The suite starts `../build/drachtio` itself. It runs from a copy in which that is sipd (or the real server).
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bed, sh, wellFormed } from './bed.js';
import { root } from './install.js';

const [suite, server, file, logs] = process.argv.slice(2);
const bed = new Bed(suite, logs);
const copy = join(bed.work, 'test');
const packages = join(suite, 'test', 'node_modules');

bed.layOut('lo');
sh('mount', ['--bind', join(root, 'node_modules', 'drachtio-srf', 'lib'), join(packages, 'drachtio-srf', 'lib')]);
cpSync(join(suite, 'test'), copy, { recursive: true, filter: (path) => path !== packages });
symlinkSync(packages, join(copy, 'node_modules'));
for (const name of readdirSync(copy, { recursive: true, encoding: 'utf8' }).filter(
  (path) => !path.startsWith('node_modules'),
)) {
  if (/\.(?:js|json|xml)$/.test(name)) prepare(join(copy, name));
}
mkdirSync(join(bed.work, 'build'));
writeFileSync(join(bed.work, 'build', 'drachtio'), `#!/bin/sh\nexec ${program()} "$@"\n`, { mode: 0o755 });
// It wants room for 50,000 connections, whatever it needs.
writeFileSync(join(bed.work, 'sipp'), `#!/bin/sh\nexec ${sh('which', ['sipp']).trim()} -max_socket 1000 "$@"\n`, {
  mode: 0o755,
});
// A telephone that was left waiting keeps the suite from ending.
const over = /completed test suite|^# (?:ok|fail +\d+)$/m;
const env = { PATH: `${bed.work}:${process.env.PATH}` };
process.exit(await bed.runTests(process.execPath, [join(copy, `${file}.js`)], {}, { env, cwd: copy, over }));

/** The secrets of the suite are too short for us, and Debian's SIPp reads XML as it is defined. */
function prepare(path) {
  const text = readFileSync(path, 'utf8');
  const changed = wellFormed(text.replaceAll(/\b(?:cymru|foobar)\b/g, '$&-$&-$&-$&'));
  if (changed !== text) writeFileSync(path, changed);
}

function program() {
  if (server !== 'sipd') return server;
  return `${process.execPath} --import ${join(root, 'scripts', 'compile-cache.js')} ${join(root, 'scripts', 'sipd-as-drachtio.js')}`;
}
