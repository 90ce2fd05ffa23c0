import { Command, CommanderError } from 'commander';
import { PortError } from '../engine/ports.ts';
import { printable } from '../observe/index.ts';
import { commonOptions, type CommonOptions, type Commands, type Group } from './command-line.ts';
import { Refusal, type Report } from './report.ts';
import { version } from './version.ts';

/** Runs one command line; resolves with the exit code: 0 done, 1 no or failed, 2 wrongly called. */
export async function run(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of a pipe has seen enough (`wardline call list | head`).
    if (error.code === 'EPIPE') process.exit(exitCode);
    throw error;
  });
  const program = await programWith(args[0], (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.code === 'commander.helpDisplayed' || error.code === 'commander.version' ? 0 : 2;
  }
}

/** The program with the commands of the file that `word` names, or with all of them. */
export async function programWith(word: string | undefined, ended: (exitCode: number) => void): Promise<Command> {
  const program = new Command('wardline')
    .description('Self-hosted SIP PBX and clinical call-routing engine')
    .version(version(), '--version')
    .exitOverride()
    .showHelpAfterError('(wardline --help, or wardline COMMAND --help, lists what there is)')
    .showSuggestionAfterError();
  for (const add of await commandsFor(word)) {
    add({
      plain: (name) => program.command(name),
      command: (nameAndArgs) => withJson(program.command(nameAndArgs)),
      group: (name, description) => groupOf(program, name, description),
      answer:
        (work) =>
        async (...given: unknown[]) => {
          ended(await print(given, work));
        },
    });
  }
  for (const group of program.commands.filter(({ commands }) => commands.length > 0)) {
    group.description(`${group.commands.map((command) => command.name()).join(', ')}: ${group.description()}`);
  }
  return program;
}

const files = {
  up: async () => (await import('./up-command.ts')).upCommand,
  phone: async () => (await import('./phone.ts')).phoneCommands,
  plan: async () => (await import('./plan.ts')).planCommands,
  audit: async () => (await import('./audit.ts')).auditCommands,
  call: async () => (await import('./call.ts')).callCommands,
  doctor: async () => (await import('./doctor/doctor.ts')).doctorCommand,
  reflect: async () => (await import('./reflect.ts')).reflectCommand,
  keys: async () => (await import('./keys.ts')).keyCommands,
  voicemail: async () => (await import('./voicemail.ts')).voicemailCommands,
  oncall: async () => (await import('./oncall.ts')).oncallCommands,
  servers: async () => (await import('./servers.ts')).serverCommands,
  freeswitch: async () => (await import('./freeswitch.ts')).freeswitchCommands,
};

/** Only the file of the command that was asked for is read; all of them for the list of commands. */
async function commandsFor(word: string | undefined): Promise<readonly ((commands: Commands) => void)[]> {
  const wanted = Object.entries(files).filter(([name]) => name === word);
  return Promise.all((wanted.length > 0 ? wanted : Object.entries(files)).map(([, load]) => load()));
}

async function print<A extends readonly unknown[]>(
  given: unknown[],
  work: (...given: A) => Promise<Report>,
): Promise<number> {
  // commander calls with the arguments, the options and the command itself.
  const args = given.slice(0, -1) as unknown as A;
  const { json } = (args.at(-1) ?? {}) as CommonOptions;
  // Timers of the parts do not keep a process alive; a command lives until its work is done.
  const alive = setInterval(() => {}, 60_000);
  try {
    const report = await work(...args);
    const text = json === true ? JSON.stringify(report.json, null, 2) : report.text.map(printable).join('\n');
    if (text !== '') process.stdout.write(`${text}\n`);
    return report.exitCode;
  } catch (error) {
    const { message, exitCode } = foreseen(error);
    if (json === true) process.stdout.write(`${JSON.stringify({ error: message }, null, 2)}\n`);
    else process.stderr.write(`wardline: ${message}\n`);
    return exitCode;
  } finally {
    clearInterval(alive);
  }
}

/** Trouble that was foreseen, in words. Anything else is our mistake and goes on as it is, with its stack. */
function foreseen(error: unknown): { message: string; exitCode: number } {
  if (error instanceof Refusal) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof PortError) {
    const says = error.message === error.code && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    return { message: `${error.message}${says}`, exitCode: 1 };
  }
  throw error;
}

function groupOf(above: Command, name: string, description: string): Group {
  const group = above.command(name).description(description);
  const add = (nameAndArgs: string) => withJson(group.command(nameAndArgs));
  return Object.assign(add, { group: (inner: string, what: string) => groupOf(group, inner, what) });
}

function withJson(command: Command): Command {
  return commonOptions(command).option('--json', 'answer as JSON');
}
