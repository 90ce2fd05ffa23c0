import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { refusesAddress } from '../../admin/index.ts';
import { type Config, installedIn, loadConfig, parseEndpoint, parseListen } from '../../config/index.ts';
import { PortError } from '../../engine/ports.ts';
import { ensureSecrets, type Secrets } from '../../vault/index.ts';
import { Refusal } from '../report.ts';
import { dataFolders, folders } from '../folders.ts';
import { version } from '../version.ts';
import type { DaemonPlan, LaunchPlan } from './launch-plan.ts';
import { writePrivate } from './run-files.ts';

// A process of its own, started by prepared.ts: checks everything that can be checked before something runs, makes
// folders and secrets, writes the option files, tells the supervisor what to start, and ends.

/** sysexits.h EX_CONFIG: a service manager must not try again. */
const CONFIG_REFUSED = 78;

try {
  const plan = await prepare(process.argv.slice(2));
  await new Promise<void>((resolve) => process.send?.(plan, () => resolve()));
  process.disconnect?.();
} catch (error) {
  process.exitCode = refuse(error);
  process.disconnect?.();
}

async function prepare(args: readonly string[]): Promise<LaunchPlan> {
  const options = parse(args);
  const config = configFrom(options);
  const refusal = refusesAddress(config.admin);
  if (refusal !== null) throw new Refusal(refusal, CONFIG_REFUSED);
  for (const key of ['dialplans', 'oncall'] as const) {
    if (!existsSync(config[key])) {
      throw new Refusal(`${key}: there is no folder ${config[key]}: give the right one with --set ${key}=DIR`);
    }
  }
  makeFolders(config.data);
  const secrets = await ensureSecrets(dataFolders(config.data).secrets);
  const { run, log } = dataFolders(config.data);
  const advertised = advertisedAddress(config);
  writePrivate(join(run, 'config.json'), { config, advertised });
  return {
    runFolder: run,
    logFolder: log,
    drainMs: options.drainMs,
    daemons: [
      daemon('mediad', run, mediadOptions(config, secrets, advertised), []),
      daemon('sipd', run, sipdOptions(config, secrets, advertised), []),
    ],
    app: { script: join(installedIn, 'src/cli/app.ts'), configFile: join(run, 'config.json') },
  };
}
