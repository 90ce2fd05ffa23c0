/**
 * What a recording needs before it may begin: a place below the recordings folder, and somebody for whom it is sealed.
 *
 * Recipients come from channel variable wardline_seal_to (age1…, separated by blanks or commas), else from the options; wardline_seal_metadata is a
 * flat JSON object to be sealed along.
 */
import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, resolve, sep } from 'node:path';
import { z } from 'zod';
import type { Metadata } from '../../../vault/index.ts';
import type { Log } from '../../log.ts';

export interface RecordSettings {
  readonly folder: string | undefined;
  readonly sealTo: readonly string[];
  readonly log: Log;
}

export type Prepared =
  | {
      readonly kind: 'ready';
      readonly path: string;
      readonly recipients: readonly string[];
      readonly metadata: Metadata;
    }
  | { readonly kind: 'refused'; readonly reason: string };

const MAX_RECIPIENTS = 16;

/** `given`: relative to the folder, or absolute and below it. */
export async function prepareRecording(
  given: string,
  variables: ReadonlyMap<string, string>,
  settings: RecordSettings,
): Promise<Prepared> {
  const place = await findPlace(given, settings.folder);
  if (place.kind === 'refused') return place;
  const recipients = recipientsOf(variables, settings.sealTo);
  if (recipients.length === 0)
    return { kind: 'refused', reason: 'no recipients; set wardline_seal_to or the option sealTo' };
  const metadata = readMetadata(variables.get('wardline_seal_metadata'));
  if (metadata === undefined) return { kind: 'refused', reason: 'wardline_seal_metadata is not a flat JSON object' };
  return {
    kind: 'ready',
    path: place.path,
    recipients,
    metadata: { ...metadata, startedAt: new Date().toISOString() },
  };
}

type Place = { readonly kind: 'found'; readonly path: string } | { readonly kind: 'refused'; readonly reason: string };

/** The folder may be made, the file must lie below it also after following links. */
export async function findPlace(given: string, folder: string | undefined): Promise<Place> {
  if (folder === undefined)
    return { kind: 'refused', reason: 'no recordings folder is configured (option recordingsFolder)' };
  if (given === '') return { kind: 'refused', reason: 'record needs a path' };
  const wanted = isAbsolute(given) ? resolve(given) : resolve(folder, given);
  const outside: Place = { kind: 'refused', reason: 'the path is outside the recordings folder' };
  if (!wanted.startsWith(resolve(folder) + sep)) return outside;
  try {
    await mkdir(dirname(wanted), { recursive: true, mode: 0o700 });
    const root = await realpath(folder);
    const parent = await realpath(dirname(wanted));
    if (parent !== root && !parent.startsWith(root + sep)) return outside;
    return { kind: 'found', path: resolve(parent, basename(wanted)) };
  } catch (error) {
    return {
      kind: 'refused',
      reason: `the recordings folder cannot be used: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`,
    };
  }
}

function recipientsOf(variables: ReadonlyMap<string, string>, fallback: readonly string[]): readonly string[] {
  const own = (variables.get('wardline_seal_to') ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return (own.length > 0 ? own : fallback).slice(0, MAX_RECIPIENTS);
}

/** What the application wants to find inside the container again; it may name patients, so it is sealed with the audio. */
const metadataSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

function readMetadata(text: string | undefined): Metadata | undefined {
  if (text === undefined) return {};
  try {
    return metadataSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
