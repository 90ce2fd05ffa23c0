import { dirname, join } from 'node:path';
import type { ChainStore } from '../core/audit/index.ts';
import type { Clock } from '../engine/ports.ts';
import type { Health, Logger } from '../observe/index.ts';
import { Anchors } from './anchors.ts';
import { Checkpoints } from './checkpoints.ts';
import { LineFile } from './line-file.ts';
import { AUDIT_TIME_STAMP_FILE } from './options.ts';
import { signingKey } from './signing-key.ts';
import { SpoolFile } from './spool-file.ts';

export interface SigningOptions {
  readonly checkpointPath: string;
  /** 32 bytes, from the vault. */
  readonly seed: Uint8Array;
  readonly checkpointEntries: number;
  readonly checkpointMinutes: number;
  /** Places outside (options.ts). */
  readonly anchors: readonly string[];
}

interface PartsOptions {
  readonly store: ChainStore;
  readonly spoolPath: string | null;
  readonly headKey: Uint8Array;
  readonly signing: SigningOptions | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: Health;
}

export async function openSpool(options: PartsOptions): Promise<SpoolFile | null> {
  if (options.spoolPath === null) return null;
  try {
    return await SpoolFile.open(options.spoolPath, options.headKey);
  } catch (error) {
    options.logger.error({ err: error, path: options.spoolPath }, 'audit spool not opened');
    return null;
  }
}

/** null for a command, and when the file of checkpoints cannot be read: then nothing is signed, and health says so. */
export async function openCheckpoints(options: PartsOptions): Promise<Checkpoints | null> {
  const { signing, store, clock, logger, health } = options;
  if (signing === null) return null;
  const { checkpointPath: path, seed, checkpointEntries, checkpointMinutes, anchors: places } = signing;
  const timeStamps = new LineFile(join(dirname(path), AUDIT_TIME_STAMP_FILE));
  try {
    return await Checkpoints.open({
      store,
      path,
      key: signingKey(seed),
      everyEntries: checkpointEntries,
      everyMs: checkpointMinutes * 60_000,
      anchors: new Anchors({ places, timeStamps, clock, logger, health }),
      clock,
      logger,
      health,
    });
  } catch (error) {
    logger.error({ err: error, path }, 'audit checkpoints not opened');
    health.failing('audit checkpoints', `${path} cannot be read: ${String(error)}; correct it and start again`);
    return null;
  }
}
