import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster, ServiceId } from '../core/oncall/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { PhoneDirectory } from '../directory/index.ts';
import { readJson, writePrivate } from './supervise/run-files.ts';

/** A phone that was made at the first start; its password is kept until somebody replaces or removes the phone. */
export interface ExamplePhone {
  readonly extension: string;
  readonly password: string;
}

/** The ward and the service of the example hospital; a plan without them gets no example phones. */
const WARD = '2101';
const SERVICE = 'cardiology' as ServiceId;

/** Null before the first start. */
function readExamples(file: string): readonly ExamplePhone[] | null {
  return readJson(file) as readonly ExamplePhone[] | null;
}

export function isExample(file: string, extension: string): boolean {
  return (readExamples(file) ?? []).some((phone) => phone.extension === extension);
}

/** Somebody replaced or removed it: its password is no longer ours to show. */
export function forgetExample(file: string, extension: string): void {
  const kept = readExamples(file);
  if (kept === null) return;
  writePrivate(
    file,
    kept.filter((phone) => phone.extension !== extension),
  );
}

/**
 * At the very first start: a phone for the ward, and one for whoever is on call in cardiology now, so that a STAT call
 * rings somewhere within two minutes. Later: those that are left of them.
 */
export async function examplePhones(parts: {
  readonly file: string;
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly at: Instant;
  readonly directory: PhoneDirectory;
}): Promise<readonly ExamplePhone[]> {
  const { file, plan, roster, at, directory } = parts;
  const kept = readExamples(file);
  if (kept !== null) return kept.filter(({ extension }) => directory.ha1(extension) !== undefined);
  const made: ExamplePhone[] = [];
  for (const extension of [WARD, deskOnCall(roster, at)]) {
    if (extension === null || plan.extension(extension) === undefined) continue;
    const result = await directory.add(extension, 'system');
    if (result.kind === 'added') made.push({ extension, password: result.password });
  }
  writePrivate(file, made);
  return made;
}

function deskOnCall(roster: CompiledRoster, at: Instant): string | null {
  if (roster.service(SERVICE) === undefined) return null;
  const onCall = roster.whoIsOnCall(SERVICE, 'primary', at);
  return onCall.kind === 'onCall' ? (onCall.answer.person.desk ?? null) : null;
}

/** Three numbers for the banner, of those that the plan has. */
export function worthDialling(
  plan: CompiledPlan,
  examples: readonly ExamplePhone[],
): readonly { readonly number: string; readonly says: string }[] {
  const [ward, doctor] = examples;
  const name = doctor === undefined ? null : plan.extension(doctor.extension)?.name;
  const wanted = [
    { number: '7011', says: `cardiology STAT: ${name ? `${name} is rung first` : 'whoever is on call is rung'}` },
    { number: '1500', says: 'the main line: greeting and menu for patients' },
    ...(ward === undefined || doctor === undefined
      ? []
      : [{ number: doctor.extension, says: `phone to phone, from ${ward.extension}` }]),
  ];
  return wanted.filter(
    ({ number }) => plan.route(number, 'inside') !== undefined || plan.extension(number) !== undefined,
  );
}
