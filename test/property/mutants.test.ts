import t from 'tap';
import {
  checkRoster,
  type ClinicalService,
  type CompiledRoster,
  compileRoster,
  type EscalationChain,
  type EscalationStep,
  indexRoster,
  type Person,
  type PersonId,
  type RosterSource,
  type ServiceId,
  urgencies,
} from '../../src/core/oncall/index.ts';
import { type CompiledPlan, compilePlan, type PlanSource, type Verb } from '../../src/core/dialplan/index.ts';
import { isShown, prove } from '../../src/core/prove/index.ts';
import { instant, plusMs, type Span } from '../../src/core/time/index.ts';
import { loadDocuments, showProblem } from '../../src/documents/index.ts';
import { recordedPrompts } from '../support/plan-example.ts';
import { breachesOf } from '../support/promise.ts';

/**
 * Lakeside, broken in many ways, a thousand times. Each mutant is refused, with a counter-example that the simulator
 * shows, or it keeps its promise in calls that are judged without the prover.
 */

const DAY_MS = 86_400_000;
const now = instant(Date.parse('2026-10-25T12:00:00Z'));
/** With the night on which clocks are turned back. */
const span: Span = { from: now, to: plusMs(now, 10 * DAY_MS) };
const MUTANTS = 1_000;

interface Sources {
  readonly plan: PlanSource;
  readonly roster: RosterSource;
}

/** mulberry32: the same mutants in every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Draw = <T>(all: readonly T[]) => T;
type Mutation = (sources: Sources, draw: Draw) => Sources;

const id = (name: string) => name as PersonId;
const refuse: Verb = { verb: 'refuse', cause: 'notAllowed', prompts: [] };
const unanswered: Verb = { verb: 'ring', extension: '2102', forMs: 20_000, otherwise: null };
const hangUp: Verb = { verb: 'hangUp', cause: 'planGoodbye', prompts: [] };
const outside: Verb = { verb: 'forward', to: '+12025550199', trunk: 'carrier', forMs: 20_000, otherwise: null };
const office: Verb = { verb: 'voicemail', mailbox: 'office', urgent: false, greeting: [] };

const onRoster =
  (change: (roster: RosterSource, draw: Draw) => RosterSource): Mutation =>
  ({ plan, roster }, draw) => ({ plan, roster: change(roster, draw) });
const onPlan =
  (change: (plan: PlanSource, draw: Draw) => PlanSource): Mutation =>
  ({ plan, roster }, draw) => ({ plan: change(plan, draw), roster });

const onService = (change: (service: ClinicalService, draw: Draw) => ClinicalService): Mutation =>
  onRoster((roster, draw) => {
    const chosen = draw(roster.services);
    return { ...roster, services: roster.services.map((one) => (one === chosen ? change(one, draw) : one)) };
  });
const onPerson = (change: (person: Person, draw: Draw) => Person): Mutation =>
  onRoster((roster, draw) => {
    const chosen = draw(roster.people);
    return { ...roster, people: roster.people.map((one) => (one === chosen ? change(one, draw) : one)) };
  });
const onChain = (change: (chain: EscalationChain, draw: Draw) => EscalationChain, of = urgencies): Mutation =>
  onService((service, draw) => {
    const urgency = draw(of);
    return { ...service, chains: { ...service.chains, [urgency]: change(service.chains[urgency], draw) } };
  });
const onStep = (change: (step: EscalationStep, draw: Draw) => EscalationStep): Mutation =>
  onChain((chain, draw) => {
    const chosen = draw(chain.steps);
    return { ...chain, steps: chain.steps.map((one) => (one === chosen ? change(one, draw) : one)) };
  });
const onTier = (change: (rules: readonly unknown[], draw: Draw) => readonly unknown[]): Mutation =>
  onService((service, draw) => {
    const tier = draw(Object.keys(service.tiers)) as 'primary';
    return { ...service, tiers: { ...service.tiers, [tier]: change(service.tiers[tier] ?? [], draw) as never } };
  });
const onFlow = (change: (verb: Verb, draw: Draw) => Verb, of: readonly string[]): Mutation =>
  onPlan((plan, draw) => {
    const flow = draw(of);
    return { ...plan, flows: { ...plan.flows, [flow]: change(plan.flows[flow]!, draw) } };
  });
const menus = ['main-line', 'clinical-question'];
const asks = ['cardiology-urgency', 'neurology-urgency'];
const onMenu = (change: (menu: Extract<Verb, { verb: 'menu' }>, draw: Draw) => Verb): Mutation =>
  onFlow((verb, draw) => (verb.verb === 'menu' ? change(verb, draw) : verb), menus);
const onRoute = (change: (verb: Verb, draw: Draw) => Verb): Mutation =>
  onPlan((plan, draw) => {
    const chosen = draw(plan.routes);
    return { ...plan, routes: plan.routes.map((one) => (one === chosen ? { ...one, to: change(one.to, draw) } : one)) };
  });
const rotation = (rule: unknown) => rule as { kind: string; since: string; people: readonly PersonId[] };

function without(person: Person, ...keys: readonly (keyof Person)[]): Person {
  return Object.fromEntries(
    Object.entries(person).filter(([key]) => !keys.includes(key as 'desk')),
  ) as unknown as Person;
}

/** Kinds of fault. `always`: no mutant of it may pass; the others may turn out harmless. */
const faults: Readonly<Record<string, { readonly always: boolean; readonly mutate: Mutation }>> = {
  'a rotation that begins later': fault(
    onTier((rules, draw) =>
      rules.map((rule) =>
        rotation(rule).kind === 'rotation'
          ? { ...rotation(rule), since: draw(['2026-10-28T07:00', '2026-11-01T02:30', '2026-12-01T08:00']) }
          : rule,
      ),
    ),
    false,
  ),
  'a primary that begins later': fault(
    onService((service) => ({
      ...service,
      tiers: {
        ...service.tiers,
        primary: service.tiers.primary!.map((rule) => ({ ...rotation(rule), since: '2026-11-01T02:30' })) as never,
      },
    })),
  ),
  'leave in the night of the clock change': fault(
    onRoster((roster) => ({
      ...roster,
      people: roster.people.map((one) =>
        one.id === 'dr-chen'
          ? { ...one, leave: [{ from: '2026-11-01T01:30', until: '2026-11-01T02:30', kind: 'leave' }] }
          : one,
      ),
    })),
  ),
  'leave of a whole team': fault(
    onRoster((roster) => ({
      ...roster,
      people: roster.people.map((one) => ({
        ...one,
        leave: [{ from: '2026-10-28T00:00', until: '2026-10-29T00:00', kind: 'party' }],
      })),
    })),
  ),
  'a tier without rules': fault(
    onTier(() => []),
    false,
  ),
  'a rotation with a stranger': fault(
    onTier((rules) => rules.map((rule) => ({ kind: 'always', person: id('dr-nobody'), was: rule }))),
  ),
  'a turn of no days': fault(
    onService((service) => ({
      ...service,
      tiers: { ...service.tiers, primary: service.tiers.primary!.map((rule) => ({ ...rule, everyDays: 0 })) as never },
    })),
  ),
  'a rotation of nobody': fault(
    onService((service) => ({
      ...service,
      tiers: { ...service.tiers, backup: service.tiers.backup!.map((rule) => ({ ...rule, people: [] })) as never },
    })),
  ),
  'a date that does not exist': fault(
    onService((service) => ({
      ...service,
      tiers: {
        ...service.tiers,
        primary: service.tiers.primary!.map((rule) => ({ ...rule, since: '2026-02-30T08:00' })) as never,
      },
    })),
  ),
  'a person without a desk phone': fault(
    onPerson((person) => without(person, 'desk')),
    false,
  ),
  'a person without a mobile': fault(
    onPerson((person) => without(person, 'mobile')),
    false,
  ),
  'a person without any phone': fault(onPerson((person) => without(person, 'desk', 'mobile'))),
  'a wrong extension': fault(onPerson((person, draw) => ({ ...person, desk: draw(['3999', '9', '41x2']) }))),
  'a mobile that is none': fault(
    onPerson((person, draw) => ({ ...person, mobile: draw(['0205550111', '+1', 'none']) })),
  ),
  'two people at one desk': fault(
    onRoster((roster, draw) => {
      const [a, b] = [draw(roster.people.slice(0, 3)), draw(roster.people.slice(3))];
      return { ...roster, people: roster.people.map((one) => (one === a ? { ...one, desk: b.desk! } : one)) };
    }),
  ),
  'a person defined twice': fault(
    onRoster((roster, draw) => ({ ...roster, people: [...roster.people, draw(roster.people)] })),
  ),
  'nobody is always there': fault(({ plan, roster }) => ({
    plan: { ...plan, operator: '2101' },
    roster: { ...roster, people: roster.people.map((person) => without(person, 'staffed')) },
  })),
  'a chain without steps': fault(onChain((chain) => ({ ...chain, steps: [] }))),
  'a chain with its last step gone': fault(
    onChain((chain) => ({ ...chain, steps: chain.steps.slice(0, -1) }), ['stat']),
  ),
  'a chain with a step gone': fault(
    onChain((chain, draw) => {
      const gone = draw(chain.steps);
      return { ...chain, steps: chain.steps.filter((one) => one !== gone) };
    }),
    false,
  ),
  'a step that rings nobody': fault(onStep((step) => ({ ...step, targets: [] }))),
  'a step that rings a stranger': fault(
    onStep((step) => ({ ...step, targets: [{ kind: 'person', person: id('dr-nobody') }] })),
  ),
  'a step without a phone': fault(onStep((step) => ({ ...step, devices: [] }))),
  'a step of no time': fault(onStep((step, draw) => ({ ...step, dwellMs: draw([0, 500, -1_000, 600_000]) }))),
  'a step on desk phones only': fault(
    onStep((step) => ({ ...step, devices: ['desk'] })),
    false,
  ),
  'a step on mobiles only': fault(
    onStep((step) => ({ ...step, devices: ['mobile'] })),
    false,
  ),
  'steps that take too long': fault(
    onChain(
      (chain, draw) => ({
        ...chain,
        steps: [
          ...chain.steps.map((step) => ({ ...step, dwellMs: draw([100_000, 250_000]) })),
          ...chain.steps.slice(-1),
        ],
      }),
      ['stat'],
    ),
  ),
  'a chain that has to be faster than it can': fault(onChain((chain) => ({ ...chain, withinMs: 5_000 }))),
  'a STAT chain like the routine one': fault(
    onService((service) => ({ ...service, chains: { ...service.chains, stat: service.chains.routine } })),
  ),
  'an unknown zone': fault(
    onService((service, draw) => ({ ...service, zone: draw(['America/Chicagoo', '+01:00', '']) })),
  ),
  'a mailbox that nobody has': fault(onService((service) => ({ ...service, mailbox: 'nowhere' }))),
  'a mailbox that nobody listens to': fault(
    onPlan((plan, draw) => {
      const chosen = draw(plan.mailboxes);
      return {
        ...plan,
        mailboxes: plan.mailboxes.map(({ claimedBy, ...one }) =>
          one.id === chosen.id ? one : { ...one, ...(claimedBy === undefined ? {} : { claimedBy }) },
        ),
      };
    }),
    false,
  ),
  'a mailbox that is gone': fault(
    onPlan((plan, draw) => {
      const gone = draw(plan.mailboxes);
      return { ...plan, mailboxes: plan.mailboxes.filter((one) => one !== gone) };
    }),
  ),
  'a mailbox claimed by a stranger': fault(
    onPlan((plan) => ({ ...plan, mailboxes: plan.mailboxes.map((one) => ({ ...one, claimedBy: '4711' })) })),
  ),
  'an operator whom nobody knows': fault(onPlan((plan) => ({ ...plan, operator: '4711' }))),
  'an extension that is gone': fault(
    onPlan((plan, draw) => {
      const gone = draw(plan.extensions);
      return { ...plan, extensions: plan.extensions.filter((one) => one !== gone) };
    }),
    false,
  ),
  'a flow that runs itself': fault(
    onPlan((plan, draw) => {
      const flow = draw(Object.keys(plan.flows));
      return { ...plan, flows: { ...plan.flows, [flow]: { verb: 'run', flow } } };
    }),
  ),
  'two flows in a circle': fault(
    onPlan((plan) => ({
      ...plan,
      flows: {
        ...plan.flows,
        operator: { verb: 'run', flow: 'office-voicemail' },
        'office-voicemail': { verb: 'run', flow: 'operator' },
      },
    })),
  ),
  'a flow that nobody wrote': fault(onRoute(() => ({ verb: 'run', flow: 'nowhere' }))),
  'a service that nobody has': fault(
    onRoute(() => ({ verb: 'escalate', service: 'surgery' as ServiceId, urgency: 'stat' })),
  ),
  'an extension that nobody has': fault(onRoute(() => ({ ...unanswered, extension: '4711' }) as Verb)),
  'a number that is transferred to itself': fault(
    onPlan((plan) => ({
      ...plan,
      routes: plan.routes.map((one) =>
        one.number === '7011' ? { ...one, to: { verb: 'transfer', number: '7011' } } : one,
      ),
    })),
  ),
  'a menu that runs itself when nothing is pressed': fault(
    onPlan((plan) => ({
      ...plan,
      flows: {
        ...plan.flows,
        'main-line': {
          ...(plan.flows['main-line'] as Extract<Verb, { verb: 'menu' }>),
          otherwise: { verb: 'run', flow: 'main-line' },
        },
      },
    })),
  ),
  'a menu whose silence is refused': fault(
    onMenu((menu, draw) => ({ ...menu, otherwise: draw([refuse, hangUp, unanswered]) })),
  ),
  'a menu whose silence goes outside': fault(onMenu((menu) => ({ ...menu, otherwise: outside }))),
  'a menu without keys': fault(onMenu((menu) => ({ ...menu, keys: {} }))),
  'a menu with a key that no phone has': fault(onMenu((menu) => ({ ...menu, keys: { ...menu.keys, A: office } }))),
  'a menu that is offered for minutes': fault(onMenu((menu) => ({ ...menu, tries: 10, noKeyMs: 30_000 }))),
  'a key that is refused': fault(
    onMenu((menu, draw) => ({ ...menu, keys: { ...menu.keys, [draw(['1', '2', '0'])]: refuse } })),
    false,
  ),
  'an operator and then nothing': fault(
    onFlow((verb) => ({ ...verb, otherwise: null }) as Verb, ['operator']),
    false,
  ),
  'opening hours that nobody wrote': fault(
    onFlow((verb) => ({ verb: 'hours', hours: 'nights', open: verb, closed: verb }), asks),
  ),
  'closed, and then refused': fault(
    onFlow(
      (verb, draw) => ({ verb: 'hours', hours: 'office', open: verb, closed: draw([refuse, hangUp, unanswered]) }),
      asks,
    ),
  ),
  'a phone that rings for minutes before the chain': fault(
    onFlow((verb) => ({ verb: 'ring', extension: '2101', forMs: 180_000, otherwise: verb }), asks),
  ),
  'a stranger who answers before the chain': fault(onFlow((verb) => ({ ...outside, otherwise: verb }) as Verb, asks)),
  'an urgency that is none': fault(onFlow((verb) => ({ ...verb, keys: {} }) as Verb, asks)),
  'a number with two routes': fault(onPlan((plan, draw) => ({ ...plan, routes: [...plan.routes, draw(plan.routes)] }))),
};

function fault(mutate: Mutation, always = true) {
  return { always, mutate };
}

/** Changes that leave the hospital as good as it was, so that no two mutants are alike. */
function varied({ plan, roster }: Sources, draw: Draw): Sources {
  const dwell = (step: EscalationStep) => ({ ...step, dwellMs: draw([8_000, 12_000, 15_000]) });
  const services = roster.services.map((service) => {
    const chain = (one: EscalationChain) => ({ ...one, steps: one.steps.map(dwell) });
    const { stat, urgent, routine } = service.chains;
    return { ...service, chains: { stat: chain(stat), urgent: chain(urgent), routine: chain(routine) } };
  });
  const hours = plan.hours.map((one) => ({
    ...one,
    weekly: one.weekly.map((day) => ({ ...day, fromMinute: draw([420, 480, 510]) })),
  }));
  return { plan: { ...plan, hours }, roster: { ...roster, services } };
}

interface Compiled {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
}

function compiled({ plan, roster }: Sources): Compiled | null {
  if (checkRoster(roster).length > 0) return null;
  const done = compilePlan(plan, indexRoster(roster), recordedPrompts);
  if (done.kind === 'refused') return null;
  const window = { from: plusMs(span.from, -DAY_MS), to: plusMs(span.to, DAY_MS) };
  return { plan: done.plan, roster: compileRoster(roster, window) };
}

const probes = [
  '2026-10-26T13:00:00Z',
  '2026-10-28T02:00:00Z',
  '2026-11-01T06:45:00Z',
  '2026-11-01T07:45:00Z',
  '2026-11-02T13:59:50Z',
];
const ways: readonly (readonly string[])[] = [[], ['1'], ['2'], ['3'], ['0'], ['2', '1'], ['2', '', '', '']];

/** Calls that are judged without the prover: nobody answers, everything fails at once, machines answer. */
function harmed({ plan, roster }: Compiled): string | null {
  for (const to of ['7010', '7011', '7012', '7013', '7021', '7022', '1500', '+12025550100']) {
    for (const at of probes) {
      for (const keys of /^(7010|1500|\+)/.test(to) ? ways : [[]]) {
        for (const kind of ['noAnswer', 'busy', 'machine'] as const) {
          const outcomeOf = () => ({ kind, afterMs: kind === 'machine' ? 7_000 : null });
          const supposed = { from: to.startsWith('+') ? null : '2101', to, at: instant(Date.parse(at)), outcomeOf };
          // A desk phone that is picked up is a human.
          if (kind === 'machine')
            Object.assign(supposed, {
              outcomeOf: (phone: string) => ({
                kind: phone.startsWith('+') ? kind : 'noAnswer',
                afterMs: phone.startsWith('+') ? 7_000 : null,
              }),
            });
          const [breach] = breachesOf(plan, roster, supposed, keys);
          if (breach) return `${breach}: ${to} at ${at}, keys ${keys.join(' ')}, ${kind}`;
        }
      }
    }
  }
  return null;
}

void t.test('a thousand mutants: refused with a call that shows it, or harmless', async (t) => {
  const loaded = await loadDocuments({ dialplans: 'dialplans', oncall: 'oncall', prompts: recordedPrompts, now });
  if (loaded.kind === 'refused') throw new Error(loaded.problems.map(showProblem).join('\n'));
  const { roster } = loaded;
  const base: Sources = {
    plan: loaded.plan.source,
    roster: { version: roster.version, zone: roster.zone, people: roster.people(), services: roster.services() },
  };
  t.same(prove(loaded.plan, loaded.roster, span).faults, [], 'Lakeside itself is proved');
  const kinds = Object.entries(faults);
  t.ok(kinds.length >= 30, `${kinds.length} kinds of fault`);
  const verdicts = { byCheck: 0, byProof: 0, harmless: 0 };
  const passed = new Set<string>();
  for (let i = 0; i < MUTANTS; i++) {
    const below = seeded(i + 1);
    const draw: Draw = (all) => all[below(all.length)]!;
    const [name, { always, mutate }] = kinds[i % kinds.length]!;
    const mutant = compiled(mutate(varied(base, draw), draw));
    if (mutant === null) {
      verdicts.byCheck += 1;
      continue;
    }
    const { faults: found } = prove(mutant.plan, mutant.roster, span);
    for (const one of found) {
      if (!isShown(mutant.plan, mutant.roster, one)) t.fail(`mutant ${i}, ${name}: ${one.reason} is not shown`);
    }
    if (found.length > 0) {
      verdicts.byProof += 1;
      continue;
    }
    verdicts.harmless += 1;
    passed.add(name);
    if (always) t.fail(`mutant ${i}, ${name}: passed`);
    const harm = harmed(mutant);
    if (harm !== null) t.fail(`mutant ${i}, ${name}: proved, but ${harm}`);
  }
  t.comment(`${JSON.stringify(verdicts)}; harmless among: ${[...passed].join(', ')}`);
  t.ok(verdicts.byProof > 200, 'the prover had work');
});
