import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { dataFolders } from './folders.ts';
import { readJson } from './supervise/run-files.ts';

/** What the house of a data folder was last started with. */
export interface Remembered {
  readonly config: Config;
  /** Address that phones are told to send to. */
  readonly advertised: string;
  /** How long running calls may go on once it is told to stop. */
  readonly drainMs: number;
}

export function remembered(data: string): Remembered | null {
  return readJson(rememberedFile(data)) as Remembered | null;
}

export function rememberedFile(data: string): string {
  return join(dataFolders(data).run, 'config.json');
}
