import { lstatSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/index.ts';
import { dataFolders } from '../folders.ts';
import type { Finding } from './finding.ts';

/** The data folder may be looked into; what is secret may not be read by anybody else. */
export function secrets(config: Config): readonly Finding[] {
  const folders = dataFolders(config.data);
  const mode = modeOf(config.data);
  if (mode === null) {
    const remedy = 'start the house once with "wardline up", or give the right --data';
    return [{ check: 'data folder', state: 'note', says: `${config.data} is not there yet`, remedy }];
  }
  const open = [
    folders.secrets,
    ...below(folders.secrets),
    folders.store,
    ...below(folders.run).filter((f) => f.endsWith('.json')),
  ].filter((path) => ((modeOf(path) ?? 0) & 0o077) !== 0);
  const data: Finding =
    (mode & 0o007) === 0
      ? { check: 'data folder', state: 'good', says: config.data }
      : {
          check: 'data folder',
          state: 'note',
          says: `everybody on this machine may list ${config.data}`,
          remedy: `chmod 700 ${config.data}`,
        };
  if (modeOf(folders.secrets) === null) {
    const remedy = 'restore it from a backup; without it sealed messages cannot be opened';
    return [data, { check: 'secrets', state: 'bad', says: `${folders.secrets} is missing`, remedy }];
  }
  if (open.length > 0) {
    return [
      data,
      {
        check: 'secrets',
        state: 'bad',
        says: `others can read ${open.join(', ')}`,
        remedy: `chmod go= ${open.join(' ')}`,
      },
    ];
  }
  return [data, { check: 'secrets', state: 'good', says: 'present, readable by their owner alone' }];
}

const LITTLE_BYTES = 1024 ** 3;

export function disk(config: Config): Finding {
  const folder = modeOf(config.data) === null ? '.' : config.data;
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const says = `${(free / 1024 ** 3).toFixed(1)} GB free`;
  if (free > LITTLE_BYTES) return { check: 'disk', state: 'good', says };
  return { check: 'disk', state: 'bad', says, remedy: 'make room: a full disk delays the audit and stops recordings' };
}

function modeOf(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.mode ?? null;
}

function below(folder: string): readonly string[] {
  return modeOf(folder) === null ? [] : readdirSync(folder).map((name) => join(folder, name));
}
