import { setFlagsFromString } from 'node:v8';
import { keepEnvironment } from '../config/index.ts';
import { openApp } from './app/open.ts';
import { tellSupervisor } from './app/tell-supervisor.ts';
import { PortError } from '../engine/index.ts';
import { keepMemoryOffDisks } from '../processes/index.ts';
import { Refusal } from './report.ts';

// The app as a process, started by the supervisor:  node src/cli/app.ts <data>/run/config.json
// SIGTERM: no new calls, running ones may end. Without its supervisor it goes on: calls matter more than a terminal.

// A terminal that is gone must not end a call.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

keepEnvironment();
keepMemoryOffDisks();

// The supervisor asks now and then; an app that does not answer is ended and started again.
process.on('message', () => tellSupervisor({ type: 'here' }));

// Timers of the parts do not keep a process alive, and nothing else does until the sockets are open.
setInterval(() => {}, 60_000);

try {
  const app = await openApp(process.argv[2] ?? '', (line) => process.stdout.write(`wardline: ${line}\n`));
  // Told twice, as by a service manager that tells every process of the house, it still goes on to its end.
  process.on('SIGTERM', () => {
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`wardline: the app could not end in good order: ${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  // Garbage is collected when the heap has grown by two fifths, not when it has doubled: after a storm of calls less stays
  // behind. Only now, because V8 takes code from the compile cache only under the flags it was put there with.
  setFlagsFromString('--heap-growing-percent=40');
  tellSupervisor({ type: 'ready', serves: app.serves, banner: app.banner });
} catch (error) {
  if (!(error instanceof Refusal) && !(error instanceof PortError)) throw error;
  tellSupervisor({ type: 'cannotStart', problem: error.message });
  // The message must be on its way before the process is gone.
  setImmediate(() => process.exit(1));
}
