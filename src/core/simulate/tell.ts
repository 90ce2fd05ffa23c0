import { endCauses } from '../call/index.ts';
import type { CompiledPlan } from '../dialplan/index.ts';
import { never } from '../never.ts';
import type { Happening, SimulatedNext, SimulatedPhone, SimulatedStep, Simulation } from './model.ts';

/** A line for each thing that would happen: when it happens, then what, indented below what it depends on. */
export function tellSimulation(simulation: Simulation, plan: CompiledPlan): readonly string[] {
  return tell(simulation, plan, '');
}

function tell({ happens, next }: Simulation, plan: CompiledPlan, indent: string): string[] {
  return [...happens.flatMap((happening) => tellHappening(happening, indent)), ...tellNext(next, plan, indent)];
}

function tellHappening(happening: Happening, indent: string): string[] {
  const { afterMs } = happening;
  switch (happening.kind) {
    case 'decides':
      return happening.trace.map(({ at, says }, i) => {
        return `${i === 0 ? since(afterMs) : noTime}${indent}${says}  [${at}]`;
      });
    case 'escalates':
      // The decision before it has said so.
      return [];
    case 'rings': {
      const { extension, verdict, forMs, because } = happening;
      const says = verdict === 'skipped' ? `not rung: ${because}` : `${extension} rings for ${seconds(forMs)}`;
      return [`${since(afterMs)}${indent}${says}`];
    }
    case 'step':
      return tellStep(happening, indent);
    default:
      return never(happening);
  }
}

function tellStep({ step, says, afterMs, forMs, considered }: SimulatedStep, indent: string): string[] {
  const time = forMs === 0 ? 'nobody to ring, no waiting' : `for ${seconds(forMs)}`;
  const lines = [`${since(afterMs)}${indent}Step ${step}: ${says}, ${time}`];
  let before: SimulatedPhone | undefined;
  for (const phone of considered) {
    const isSame = phone.person !== null && before?.person?.id === phone.person.id && before.tier === phone.tier;
    if (!isSame) lines.push(`${phone.afterMs === afterMs ? noTime : since(phone.afterMs)}${indent}  ${whoIs(phone)}`);
    if (phone.person) lines.push(`${noTime}${indent}    ${tellPhone(phone)}`);
    before = phone;
  }
  return lines;
}

function whoIs({ person, tier, duty, because }: SimulatedPhone): string {
  if (person === null) return `nobody: ${because}`;
  return `${person.name}${tier === 'post' ? '' : ` (${tier})`}, ${duty}`;
}

function tellPhone({ verdict, device, phone, because }: SimulatedPhone): string {
  if (verdict === 'skipped') return `skip: ${because}`;
  return `ring: ${device === 'desk' ? 'desk phone' : 'mobile'} ${phone}`;
}

function tellNext(next: SimulatedNext, plan: CompiledPlan, indent: string): string[] {
  switch (next.kind) {
    case 'asks':
      return tellKeys(next, plan, indent);
    case 'toldAbove':
      return [`${noTime}${indent}the menu ${next.menu}, as told above`];
    case 'takesMessage': {
      const name = plan.mailbox(next.mailbox)?.name ?? next.mailbox;
      const message = next.urgent ? 'an urgent message' : 'a message';
      return [`${since(next.afterMs)}${indent}End: ${message} is taken for ${name}`];
    }
    case 'ends': {
      const { sip, says } = endCauses[next.cause];
      const how = next.isAnswered ? 'the caller is told and hung up' : `the caller's side gets SIP ${sip}`;
      return [`${since(next.afterMs)}${indent}End: ${says}; ${how}`];
    }
    default:
      return never(next);
  }
}

function tellKeys(next: Extract<SimulatedNext, { kind: 'asks' }>, plan: CompiledPlan, indent: string): string[] {
  const lines = next.choices.flatMap(({ key, leadsTo }) => [
    `${noTime}${indent}Key ${key}:`,
    ...tell(leadsTo, plan, `${indent}  `),
  ]);
  const noKey = next.menu === 'urgency' ? `No key for ${seconds(next.noKeyMs)}` : 'No valid key';
  const same = next.choices.find(({ leadsTo }) => timeless(leadsTo) === timeless(next.noKey));
  if (same) return [...lines, `${noTime}${indent}${noKey}: as with key ${same.key}`];
  return [...lines, `${noTime}${indent}${noKey}:`, ...tell(next.noKey, plan, `${indent}  `)];
}

/** What happens, whenever it happens. */
function timeless(simulation: Simulation): string {
  return JSON.stringify(simulation, (key, value: unknown) => (key === 'at' || key === 'afterMs' ? undefined : value));
}

const timeWidth = 7;
const noTime = ' '.repeat(timeWidth + 2);

function since(afterMs: number): string {
  return `${`+${seconds(afterMs)}`.padStart(timeWidth)}  `;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
