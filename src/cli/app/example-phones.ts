import type { CompiledPlan } from '../../core/dialplan/index.ts';
import type { CompiledRoster, ServiceId } from '../../core/oncall/index.ts';
import type { Instant } from '../../core/time/index.ts';
import { readJson, writePrivate } from '../supervise/run-files.ts';

/** A phone that was made at the first start, with its password, until somebody replaces the phone. */
export interface ExamplePhone {
  readonly extension: string;
  readonly password: string;
}

interface Parts {
  readonly file: string;
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly at: Instant;
  readonly phones: { has(extension: string): boolean; add(extension: string): Promise<string> };
}

/** The ward and service of the example hospital; another hospital gets no example phones unless it has them. */
const WARD = '2101';
const SERVICE = 'cardiology' as ServiceId;

/**
 * At the very first start: a phone for the ward, and one for whoever is on call in cardiology now, so that a STAT call
 * rings somewhere within two minutes. Later: those that nobody has replaced or removed.
 */
export async function examplePhones({ file, plan, roster, phones, at }: Parts): Promise<readonly ExamplePhone[]> {
  const kept = readJson(file) as readonly ExamplePhone[] | null;
  if (kept !== null) return kept.filter(({ extension }) => phones.has(extension));
  const onCall = roster.service(SERVICE) === undefined ? null : roster.whoIsOnCall(SERVICE, 'primary', at);
  const desk = onCall?.kind === 'onCall' ? onCall.answer.person.desk : undefined;
  const made: ExamplePhone[] = [];
  for (const extension of [WARD, ...(desk === undefined ? [] : [desk])]) {
    if (plan.extension(extension) === undefined || phones.has(extension)) continue;
    made.push({ extension, password: await phones.add(extension) });
  }
  writePrivate(file, made);
  return made;
}

/** Three numbers for the banner, of those that the plan has. */
export function worthDialling(
  plan: CompiledPlan,
  examples: readonly ExamplePhone[],
): readonly { readonly number: string; readonly says: string }[] {
  const [ward, doctor] = examples;
  const stat = doctor === undefined ? 'the STAT chain' : `${plan.extension(doctor.extension)?.name} is rung first`;
  const wanted = [
    { number: '7011', says: `cardiology STAT: ${stat}` },
    { number: '1500', says: 'the main line: greeting and menu for patients' },
    ...(ward === undefined || doctor === undefined
      ? []
      : [{ number: doctor.extension, says: `from ${ward.extension}: phone to phone, ${plan.extension(doctor.extension)?.name}` }]),
  ];
  return wanted.filter(({ number }) => plan.route(number, 'inside') !== undefined || plan.extension(number) !== undefined);
}
