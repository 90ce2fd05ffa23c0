import type { CompiledPlan } from '../dialplan/index.ts';
import type { CompiledRoster, Person } from '../oncall/index.ts';
import type { CounterExample, Fault } from './model.ts';

export type FoundFault = Omit<Fault, 'example' | 'times' | 'suggestion'>;

/** More of them tell nobody anything. */
const MAX_FAULTS = 50;

/** Faults as they are found; the same one at another time is counted, and keeps its first example. */
export class Findings {
  readonly #found = new Map<string, { fault: FoundFault; example: CounterExample; times: number }>();

  add(fault: FoundFault, example: CounterExample, times: number): void {
    const name = `${fault.kind}|${fault.document}|${fault.path}|${fault.reason}`;
    const known = this.#found.get(name);
    if (known) {
      known.times += times;
      if (example.at < known.example.at) known.example = example;
    } else if (this.#found.size < MAX_FAULTS) this.#found.set(name, { fault, example, times });
  }

  all(): readonly Fault[] {
    return [...this.#found.values()].map(({ fault, example, times }) => ({
      ...fault,
      suggestion: null,
      example,
      times,
    }));
  }
}

/** Somebody of the house who calls: a unit, if there is one whose phone plays no part in the call. */
export function aCaller(plan: CompiledPlan, isInvolved: (extension: string) => boolean): string | null {
  const free = plan.source.extensions.filter(({ number }) => !isInvolved(number));
  return (free.find(({ kind }) => kind === 'unit') ?? free[0] ?? plan.source.extensions[0])?.number ?? null;
}

/** Whether somebody is always there: the roster says so, or it is the operator of a site. */
export function isStaffed(plan: CompiledPlan, { staffed, desk }: Person): boolean {
  return staffed === true || (desk !== undefined && isOperator(plan, desk));
}

export function isAlwaysThere(plan: CompiledPlan, roster: CompiledRoster, extension: string): boolean {
  return isOperator(plan, extension) || roster.personByDesk(extension)?.staffed === true;
}

/** The last human of a site, as its `operator` says. */
function isOperator(plan: CompiledPlan, extension: string): boolean {
  return plan.sites().some(({ operator }) => operator === extension);
}

/** Whether somebody is said to listen to the messages in a mailbox. */
export function isClaimed(plan: CompiledPlan, mailbox: string): boolean {
  return plan.mailbox(mailbox)?.claimedBy !== undefined;
}
