// The `wardline` command. `up` stays light, because its process lives as long as the house (see cli/up.ts).
import { keepMemoryOffDisks } from './processes/index.ts';

const args = process.argv.slice(2);
// Keys and messages pass through commands too, and whatever `up` starts has it from here.
keepMemoryOffDisks();

if (args[0] === 'up' && !args.includes('--help') && !args.includes('-h')) {
  const { up } = await import('./cli/up.ts');
  process.exit(await up(args.slice(1)));
} else {
  const { run } = await import('./cli/program.ts');
  process.exitCode = await run(args);
}
