import { existsSync, statSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { join } from 'node:path';
import { refusesAddress } from '../../admin/index.ts';
import { type Config, installedIn, loadConfig } from '../../config/index.ts';
import { PortError } from '../../engine/ports.ts';
import { dataFolders } from '../folders.ts';
import { houseSecrets } from '../house-secrets.ts';
import { makeFolder } from '../make-folder.ts';
import { type Remembered, rememberedFile } from '../remembered.ts';
import { Refusal } from '../report.ts';
import { upOptions } from '../up-command.ts';
import { advertisedAddress, daemonPlans } from './daemon-options.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { writePrivate } from './run-files.ts';
import { warmCode } from './warm-code.ts';

// A process of its own, started by prepared.ts: checks everything that can be checked before something runs, makes
// folders and secrets, writes the option files, tells the supervisor what to start, and ends.

/** sysexits.h EX_CONFIG: a service manager must not try again. */
const CONFIG_REFUSED = 78;

/** The media server takes this path as an argument, so what separates arguments there cannot be part of it. */
const UNFIT = /[\s!'"${}@|]/;

try {
  const plan = await prepare(process.argv.slice(2));
  await new Promise<void>((resolve) => process.send?.(plan, () => resolve()));
} catch (error) {
  process.exitCode = tell(error);
}
process.disconnect?.();

async function prepare(args: readonly string[]): Promise<LaunchPlan> {
  const { config, ...told } = parse(args);
  const { drainMs } = told;
  const warm = warmCode();
  const refusal = refusesAddress(config.admin);
  if (refusal !== null) throw new Refusal(refusal, CONFIG_REFUSED);
  for (const key of ['dialplans', 'oncall'] as const) {
    if (!existsSync(config[key])) {
      throw new Refusal(`${key}: there is no folder ${config[key]}: give the right one with --set ${key}=DIR`);
    }
  }
  const folders = dataFolders(config.data);
  for (const folder of [config.data, folders.run, folders.log, folders.messages]) makePrivate(folder);
  const secrets = await houseSecrets(folders);
  await warm;
  const advertised = advertisedAddress(config);
  remember({ config, advertised, drainMs });
  return {
    runFolder: folders.run,
    logFolder: folders.log,
    ...told,
    daemons: daemonPlans(config, secrets, advertised),
    app: { script: join(installedIn, 'src/cli/app.ts'), configFile: rememberedFile(config.data) },
  };
}

function remember(house: Remembered): void {
  const file = rememberedFile(house.config.data);
  try {
    writePrivate(file, house);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Refusal(`data: ${file} cannot be written (${code}): check who owns the folder, and the disk`);
  }
}

function parse(
  args: readonly string[],
): { config: Config } & Pick<LaunchPlan, 'drainMs' | 'isJson' | 'tellsPasswords'> {
  const command = upOptions(new Command('wardline up')).exitOverride().allowExcessArguments(false);
  command.parse([...args], { from: 'user' });
  const given = command.opts<{
    data?: string;
    config?: string;
    set: string[];
    drain: string;
    json?: true;
    passwords: boolean;
  }>();
  const drainSeconds = Number(given.drain);
  if (!Number.isInteger(drainSeconds) || drainSeconds < 0 || drainSeconds > 86_400) {
    throw new Refusal(`--drain ${given.drain}: must be a number of seconds from 0 to 86400`, 2);
  }
  const loaded = loadConfig({
    set: given.set,
    ...(given.config === undefined ? {} : { file: given.config }),
    ...(given.data === undefined ? {} : { data: given.data }),
  });
  if (loaded.kind === 'bad') throw new Refusal(loaded.problems.join('\nwardline: '), CONFIG_REFUSED);
  const { json: isJson = false, passwords: tellsPasswords } = given;
  return { config: loaded.value, drainMs: drainSeconds * 1000, isJson, tellsPasswords };
}

function makePrivate(folder: string): void {
  const unfit = UNFIT.exec(folder)?.[0];
  if (unfit !== undefined) {
    throw new Refusal(
      `data: ${folder} has a "${unfit}" in its name, which the media server cannot take: use another folder`,
    );
  }
  try {
    makeFolder(folder);
    const stat = statSync(folder);
    if (!stat.isDirectory()) throw new Refusal(`data: ${folder} is not a folder: move it away, or use another one`);
    // Somebody could have put secrets or links there that are not ours.
    if ((stat.mode & 0o002) !== 0) {
      throw new Refusal(`data: everybody on this machine may write to ${folder}: use another folder, or chmod o-w it`);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Refusal(`data: ${folder} cannot be made (${code}): check who owns the folder above it, and the disk`);
  }
}

function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof Refusal) && !(error instanceof PortError)) throw error;
  process.stderr.write(`wardline: ${error.message}\n`);
  return error instanceof Refusal ? error.exitCode : 1;
}
