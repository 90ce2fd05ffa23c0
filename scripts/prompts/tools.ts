// Folders, other programs and prompt lists, for scripts/make-prompts.ts.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

export const promptsFolder = join(import.meta.dirname, '../../src/mediad/prompts');

/** Every prompt exists at these rates, in Hz. */
export const rates = [8000, 16000] as const;

/** Something the person at the keyboard can put right; printed without a stack. */
export class Refusal extends Error {}

/** Runs a program and waits. Throws Refusal when it is not installed or fails. */
export function run(program: string, args: readonly string[]): void {
  try {
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    if (code === 'ENOENT')
      throw new Refusal(`make-prompts: ${program} is missing; on Debian: apt-get install ${program}`);
    throw new Refusal(
      `make-prompts: ${program} ${args.join(' ')} failed: ${stderr?.toString().trim() ?? 'no reason given'}`,
    );
  }
}

/** Throws Refusal unless the file exists; the Debian package is named as the remedy. */
export function needFile(path: string, debianPackage: string): void {
  if (!existsSync(path))
    throw new Refusal(`make-prompts: ${path} is missing; on Debian: apt-get install ${debianPackage}`);
}

/** Reads a YAML file of `id: string`, in file order. Throws Refusal when an entry is anything else. */
export function readList(path: string): ReadonlyMap<string, string> {
  const list = new Map<string, string>();
  for (const [id, value] of Object.entries(parse(readFileSync(path, 'utf8')) as Record<string, unknown>)) {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id))
      throw new Refusal(`${path}: "${id}" is no prompt id (a-z, 0-9 and single dashes)`);
    if (typeof value !== 'string' || value === '')
      throw new Refusal(`${path}: ${id} has no text (quote it if it looks like a number)`);
    list.set(id, value);
  }
  return list;
}

/** Creates the folder for each rate and deletes WAVs of ids that are gone. */
export function tidyVoiceFolder(voiceFolder: string, ids: ReadonlySet<string>): void {
  for (const rate of rates) {
    const folder = join(voiceFolder, String(rate));
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(folder)) {
      if (!ids.has(file.replace(/\.wav$/, ''))) rmSync(join(folder, file));
    }
  }
}

/** Calls `work` with an empty folder that is gone afterwards. */
export function withTempFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-prompts-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
