import { never } from '../never.ts';
import {
  type CompiledRoster,
  type Device,
  type DutyTier,
  type EscalationStep,
  type Person,
  type ServiceId,
  type StepTarget,
  type Urgency,
  urgencies,
} from '../oncall/index.ts';
import { type Instant, plusMs } from '../time/index.ts';
import type { CompiledPlan, Decision, TraceLine, Verb } from './model.ts';
import { resolve, resolveVerb } from './resolve.ts';
import { showUrgency } from './verbs/index.ts';

export interface Supposed {
  /** Extension that calls from inside, or null for a call from the trunk. */
  readonly from: string | null;
  readonly to: string;
  readonly at: Instant;
  /** Without it every phone counts as registered. */
  readonly isRegistered?: (extension: string) => boolean;
}

/** What would happen to a call if nobody took it, told to its end. Nobody is called. */
export interface Simulation {
  readonly trace: readonly TraceLine[];
  readonly next: SimulatedNext;
}

export type SimulatedNext =
  | {
      readonly kind: 'rings';
      readonly extension: string;
      readonly name: string;
      readonly forMs: number;
      readonly isRegistered: boolean;
      /** null: the caller gets the plain ending. */
      readonly otherwise: Simulation | null;
    }
  | { readonly kind: 'escalates'; readonly escalation: SimulatedEscalation }
  | {
      readonly kind: 'asksUrgency';
      readonly service: ServiceId;
      readonly noKey: Urgency;
      readonly noKeyMs: number;
      readonly choices: readonly { readonly key: string; readonly escalation: SimulatedEscalation }[];
    }
  | {
      readonly kind: 'offersMenu';
      readonly menu: string;
      readonly choices: readonly { readonly key: string; readonly leadsTo: Simulation }[];
      readonly otherwise: Simulation;
    }
  /** A menu that this path has already been through: the caller is back where the menu was offered. */
  | { readonly kind: 'backAtMenu'; readonly menu: string }
  | { readonly kind: 'takesMessage'; readonly mailbox: string; readonly urgent: boolean }
  | { readonly kind: 'refuses'; readonly cause: 'numberNotInService' | 'notAllowed' };

export interface SimulatedEscalation {
  readonly service: ServiceId;
  readonly urgency: Urgency;
  readonly chain: string;
  readonly steps: readonly SimulatedStep[];
  readonly end: { readonly kind: 'takesMessage'; readonly mailbox: string; readonly urgent: boolean };
}

export interface SimulatedStep {
  /** From 1. */
  readonly step: number;
  /** When it would begin if everybody before let it ring; an empty step takes no time. */
  readonly at: Instant;
  readonly forMs: number;
  readonly considered: readonly SimulatedPhone[];
}

export interface SimulatedPhone {
  readonly verdict: 'rung' | 'skipped';
  readonly tier: DutyTier | 'post';
  readonly person: Person | null;
  readonly device: Device | null;
  /** Extension or E.164 number; null when there is none. */
  readonly phone: string | null;
  readonly because: string;
}

/** Follows a supposed call through plan and roster as `resolve` and `whoIsOnCall` answer; pure like them. */
export function simulate(plan: CompiledPlan, roster: CompiledRoster, supposed: Supposed): Simulation {
  const scene: Scene = { plan, roster, supposed, menus: [] };
  const from = supposed.from === null ? 'trunk' : 'inside';
  return follow(scene, resolve(plan, { dialled: supposed.to, from, at: supposed.at }));
}

/** One line for each thing that would happen, indented below what it depends on. */
export function tellSimulation(simulation: Simulation): readonly string[] {
  return tell(simulation, '');
}

interface Scene {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly supposed: Supposed;
  readonly menus: readonly string[];
}

function follow(scene: Scene, { verb, trace }: Decision): Simulation {
  const { plan, roster, supposed } = scene;
  const place = trace.at(-1)?.at ?? '';
  const go = (next: Verb, at: string, inner = scene) => follow(inner, resolveVerb(plan, next, supposed.at, at));
  switch (verb.verb) {
    case 'ring':
    case 'operator': {
      const extension = verb.verb === 'ring' ? verb.extension : plan.source.operator;
      const otherwise = verb.otherwise && go(verb.otherwise, `${place}.otherwise`);
      const name = plan.extension(extension)?.name ?? extension;
      const isRegistered = supposed.isRegistered?.(extension) ?? true;
      return { trace, next: { kind: 'rings', extension, name, forMs: verb.forMs, isRegistered, otherwise } };
    }
    case 'escalate':
      return { trace, next: { kind: 'escalates', escalation: escalation(roster, supposed, verb) } };
    case 'askUrgency': {
      const { service, noKey, noKeyMs } = verb;
      const choices = Object.entries(verb.keys).map(([key, urgency]) => ({
        key,
        escalation: escalation(roster, supposed, { service, urgency }),
      }));
      return { trace, next: { kind: 'asksUrgency', service, noKey, noKeyMs, choices } };
    }
    case 'menu': {
      if (scene.menus.includes(place)) return { trace, next: { kind: 'backAtMenu', menu: verb.id } };
      const inner = { ...scene, menus: [...scene.menus, place] };
      const choices = Object.entries(verb.keys).map(([key, next]) => ({
        key,
        leadsTo: go(next, `${place}.keys.${key}`, inner),
      }));
      const otherwise = go(verb.otherwise, `${place}.otherwise`, inner);
      return { trace, next: { kind: 'offersMenu', menu: verb.id, choices, otherwise } };
    }
    case 'voicemail':
      return { trace, next: { kind: 'takesMessage', mailbox: verb.mailbox, urgent: verb.urgent } };
    case 'refuse':
      return { trace, next: { kind: 'refuses', cause: verb.cause } };
    default:
      return never(verb);
  }
}

function escalation(
  roster: CompiledRoster,
  supposed: Supposed,
  { service: id, urgency }: { readonly service: ServiceId; readonly urgency: Urgency },
): SimulatedEscalation {
  const service = roster.service(id);
  if (!service) throw new RangeError(`plan and roster do not belong together: no service ${id}`);
  const chain = service.chains[urgency];
  const steps: SimulatedStep[] = [];
  const tried = new Set<string>();
  let at = supposed.at;
  for (const [i, step] of chain.steps.entries()) {
    const considered = step.targets.flatMap((target) => consider(roster, supposed, id, step, target, at, tried));
    const isEmpty = considered.every(({ verdict }) => verdict === 'skipped');
    steps.push({ step: i + 1, at, forMs: isEmpty ? 0 : step.dwellMs, considered });
    if (!isEmpty) at = plusMs(at, step.dwellMs);
  }
  const end = { kind: 'takesMessage', mailbox: service.mailbox, urgent: chain.lastResort.urgent } as const;
  return { service: id, urgency, chain: chain.id, steps, end };
}

function consider(
  roster: CompiledRoster,
  supposed: Supposed,
  service: ServiceId,
  step: EscalationStep,
  target: StepTarget,
  at: Instant,
  tried: Set<string>,
): SimulatedPhone[] {
  const { tier, person, because } = holderOf(roster, service, target, at);
  if (!person) return [{ verdict: 'skipped', tier, person: null, device: null, phone: null, because }];
  return step.devices.map((device) => {
    const phone = person[device] ?? null;
    const fault = phoneFault(device, phone, supposed, tried);
    if (phone !== null && fault === null) tried.add(phone);
    const verdict = fault === null ? 'rung' : 'skipped';
    return { verdict, tier, person, device, phone, because: fault === null ? because : `${fault}; ${because}` };
  });
}

interface Holder {
  readonly tier: DutyTier | 'post';
  readonly person: Person | null;
  readonly because: string;
}

function holderOf(roster: CompiledRoster, service: ServiceId, target: StepTarget, at: Instant): Holder {
  if (target.kind === 'person') {
    return { tier: 'post', person: roster.person(target.person) ?? null, because: 'named in the chain' };
  }
  const { tier } = target;
  const result = roster.whoIsOnCall(service, tier, at);
  switch (result.kind) {
    case 'onCall':
      return { tier, person: result.answer.person, because: result.answer.because };
    case 'nobodyOnCall':
      return { tier, person: null, because: result.because };
    case 'outsideWindow':
      return { tier, person: null, because: 'the roster does not reach to this date' };
    default:
      return never(result);
  }
}

function phoneFault(device: Device, phone: string | null, supposed: Supposed, tried: Set<string>): string | null {
  if (phone === null) return device === 'desk' ? 'has no desk phone' : 'has no mobile';
  if (tried.has(phone)) return `${device === 'desk' ? `desk phone ${phone}` : 'mobile'} was already tried`;
  if (device === 'mobile') return null;
  if (supposed.from === phone) return `desk phone ${phone} is the calling phone`;
  if (supposed.isRegistered && !supposed.isRegistered(phone)) return `desk phone ${phone} is not registered`;
  return null;
}

function tell({ trace, next }: Simulation, indent: string): string[] {
  const lines = trace.map(({ at, says }) => `${indent}${says}  [${at}]`);
  const inner = `${indent}  `;
  switch (next.kind) {
    case 'rings': {
      if (!next.isRegistered) lines.push(`${inner}no phone is registered for ${next.extension}`);
      if (next.otherwise) lines.push(`${inner}if it does not answer:`, ...tell(next.otherwise, `${inner}  `));
      return lines;
    }
    case 'escalates':
      return [...lines, ...tellEscalation(next.escalation, inner)];
    case 'asksUrgency':
      for (const urgency of urgencies) {
        const choices = next.choices.filter((choice) => choice.escalation.urgency === urgency);
        const [first] = choices;
        if (!first) continue;
        const keys = choices.map(({ key }) => `key ${key}`).join(', ');
        const isDefault = urgency === next.noKey ? `, or no key for ${next.noKeyMs / 1000} s` : '';
        lines.push(`${inner}${keys}${isDefault}: ${showUrgency(urgency)}`);
        lines.push(...tellEscalation(first.escalation, `${inner}  `));
      }
      return lines;
    case 'offersMenu':
      for (const { key, leadsTo } of next.choices) lines.push(`${inner}key ${key}:`, ...tell(leadsTo, `${inner}  `));
      return [...lines, `${inner}no valid key:`, ...tell(next.otherwise, `${inner}  `)];
    case 'backAtMenu':
      return [...lines, `${inner}back at the menu ${next.menu}`];
    case 'takesMessage':
    case 'refuses':
      return lines;
    default:
      return never(next);
  }
}

function tellEscalation(escalation: SimulatedEscalation, indent: string): string[] {
  const lines: string[] = [];
  const start = escalation.steps[0]?.at ?? 0;
  for (const { step, at, forMs, considered } of escalation.steps) {
    const time = forMs === 0 ? 'nobody to ring, no waiting' : `for ${forMs / 1000} s`;
    lines.push(`${indent}step ${step}, after ${(at - start) / 1000} s: ${time}`);
    for (const phone of considered) lines.push(`${indent}  ${tellPhone(phone)}`);
  }
  const { mailbox, urgent } = escalation.end;
  return [...lines, `${indent}nobody accepted: take ${urgent ? 'an urgent' : 'a'} message for ${mailbox}`];
}

function tellPhone({ verdict, tier, person, device, phone, because }: SimulatedPhone): string {
  const who = person ? `${person.name} (${tier})` : tier;
  if (verdict === 'skipped') return `skip ${who}: ${because}`;
  return `ring ${who}, ${device} ${phone}: ${because}`;
}
