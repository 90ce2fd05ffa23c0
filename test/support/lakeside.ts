import { compilePlan, type CompiledPlan, type PlanSource, type Verb } from '../../src/core/dialplan/index.ts';
import {
  type CompiledRoster,
  compileRoster,
  type Device,
  type DutyTier,
  type EscalationChain,
  type EscalationStep,
  indexRoster,
  type PersonId,
  type RosterRule,
  type RosterSource,
  type ServiceId,
  type Urgency,
} from '../../src/core/oncall/index.ts';
import { type Instant, instant, plusMs } from '../../src/core/time/index.ts';

/** A small hospital for stories: the people, numbers and chains of the example, on a Monday at noon. */

export const noon: Instant = instant(Date.parse('2026-11-23T18:00:00Z'));
export const cardiology = 'cardiology' as ServiceId;

export const phones = {
  operator: '1000',
  supervisor: '1001',
  ward: '2101',
  icu: '2102',
  ames: '3101',
  bell: '3102',
  chen: '3103',
} as const;

export const mobiles = {
  ames: '+12025550111',
  bell: '+12025550112',
  chen: '+12025550113',
  supervisor: '+12025550190',
} as const;

const id = (name: string) => name as PersonId;
export const always = (name: string): readonly RosterRule[] => [{ kind: 'always', person: id(name) }];

const tier = (name: DutyTier) => ({ kind: 'tier', tier: name }) as const;
const named = (name: string) => ({ kind: 'person', person: id(name) }) as const;
const both: readonly Device[] = ['desk', 'mobile'];

export function step(targets: EscalationStep['targets'], devices: readonly Device[], seconds: number): EscalationStep {
  return { targets, devices, dwellMs: seconds * 1000 };
}

export const statSteps: readonly EscalationStep[] = [
  step([tier('primary')], both, 15),
  step([tier('backup')], both, 15),
  step([tier('attending')], both, 15),
  step([named('operator'), named('supervisor')], both, 15),
];

const urgentSteps: readonly EscalationStep[] = [
  step([tier('primary')], ['desk'], 20),
  step([tier('primary')], ['mobile'], 25),
  step([tier('backup')], both, 25),
  step([tier('attending')], both, 25),
];

function chain(name: Urgency, steps: readonly EscalationStep[]): EscalationChain {
  return { id: name, steps, lastResort: { kind: 'voicemail', urgent: name === 'stat' } };
}

export interface RosterParts {
  readonly tiers?: RosterSource['services'][number]['tiers'];
  readonly stat?: readonly EscalationStep[];
  readonly without?: { readonly person: string; readonly device: Device };
}

export function aRoster(parts: RosterParts = {}): CompiledRoster {
  const people = [
    { id: id('ames'), name: 'Dr Ames', desk: phones.ames, mobile: mobiles.ames },
    { id: id('bell'), name: 'Dr Bell', desk: phones.bell, mobile: mobiles.bell },
    { id: id('chen'), name: 'Dr Chen', desk: phones.chen, mobile: mobiles.chen },
    { id: id('operator'), name: 'the operator', desk: phones.operator },
    { id: id('supervisor'), name: 'the house supervisor', desk: phones.supervisor, mobile: mobiles.supervisor },
  ].map((person) => (person.id === parts.without?.person ? { ...person, [parts.without.device]: undefined } : person));
  const tiers = parts.tiers ?? { primary: always('ames'), backup: always('bell'), attending: always('chen') };
  const source: RosterSource = {
    version: 'sha256:roster',
    zone: 'America/Chicago',
    people,
    services: [
      {
        id: cardiology,
        name: 'Cardiology',
        zone: 'America/Chicago',
        tiers,
        mailbox: 'cardiology',
        chains: {
          stat: chain('stat', parts.stat ?? statSteps),
          urgent: chain('urgent', urgentSteps),
          routine: chain('routine', [step([tier('primary')], ['desk'], 20)]),
        },
      },
    ],
  };
  return compileRoster(source, { from: plusMs(noon, -40 * 86_400_000), to: plusMs(noon, 40 * 86_400_000) });
}

const promptIds = ['number-not-in-service', 'main-greeting', 'main-menu', 'wrong-key', 'no-key', 'urgency-menu'];
const say = (name: string) => ({ say: 'id', id: name }) as const;

const leaveMessage: Verb = { verb: 'voicemail', mailbox: 'office', urgent: false, greeting: [] };
const mainMenu: Verb = {
  verb: 'menu',
  id: 'main',
  greeting: [say('main-greeting')],
  prompts: [say('main-menu')],
  keys: {
    1: leaveMessage,
    2: { verb: 'escalate', service: cardiology, urgency: 'urgent' },
    0: { verb: 'operator', forMs: 20_000, otherwise: leaveMessage },
  },
  noKeyMs: 5_000,
  tries: 2,
  wrongKey: [say('wrong-key')],
  noKey: [say('no-key')],
  otherwise: { verb: 'operator', forMs: 20_000, otherwise: leaveMessage },
};

/** One number for each verb that the example hospital has no use for. */
const otherVerbs: PlanSource['routes'] = [
  { number: '4100', from: 'anywhere', to: { verb: 'ringGroup', group: 'ward', otherwise: leaveMessage } },
  { number: '4101', from: 'anywhere', to: { verb: 'ringGroup', group: 'turn', otherwise: null } },
  {
    number: '4102',
    from: 'anywhere',
    to: {
      verb: 'gather',
      id: 'extension',
      prompts: [say('main-menu')],
      maxDigits: 4,
      noKeyMs: 5_000,
      tries: 2,
      wrong: [say('wrong-key')],
      digits: {
        '2xxx': { verb: 'ring', extension: 'keyed', forMs: 20_000, otherwise: null },
        '4xxx': { verb: 'transfer', number: 'keyed' },
        '4': { verb: 'say', prompts: [{ say: 'letters', letters: '4B' }], then: leaveMessage },
      },
      otherwise: { verb: 'play', prompts: [say('no-key')], times: 2, then: { verb: 'transfer', number: '4100' } },
    },
  },
  {
    number: '4103',
    from: 'anywhere',
    to: {
      verb: 'lookup',
      hook: 'team',
      answers: { office: leaveMessage },
      otherwise: { verb: 'transfer', number: '4101' },
    },
  },
  {
    number: '4104',
    from: 'anywhere',
    to: { verb: 'forward', to: '+12025550123', trunk: 'carrier', forMs: 20_000, otherwise: leaveMessage },
  },
  {
    number: '4105',
    from: 'anywhere',
    to: { verb: 'hangUp', cause: 'planBusy', prompts: [say('no-key')] },
  },
];

export function aPlan(extraRoutes: PlanSource['routes'] = [], more: Partial<PlanSource> = {}): CompiledPlan {
  const extension = (number: string, name: string, kind: 'unit' | 'person' | 'post') => ({
    number,
    name,
    kind,
    nameId: '',
  });
  const escalate = (urgency: Urgency): Verb => ({ verb: 'escalate', service: cardiology, urgency });
  const inside = (number: string, to: Verb) => ({ number, from: 'inside', to }) as const;
  const ring = (number: string): Verb => ({ verb: 'ring', extension: number, forMs: 20_000, otherwise: null });
  const source: PlanSource = {
    version: 'sha256:plan',
    site: 'Lakeside',
    zone: 'America/Chicago',
    country: 'US',
    operator: phones.operator,
    trunk: 'carrier',
    mainNumber: '+12025550100',
    extensions: [
      extension(phones.operator, 'Operator', 'post'),
      extension(phones.supervisor, 'House supervisor', 'post'),
      extension(phones.ward, 'Ward 4B', 'unit'),
      extension(phones.icu, 'ICU', 'unit'),
      extension(phones.ames, 'Dr Ames', 'person'),
      extension(phones.bell, 'Dr Bell', 'person'),
      extension(phones.chen, 'Dr Chen', 'person'),
    ],
    mailboxes: [
      { id: 'cardiology', name: 'Cardiology' },
      { id: 'office', name: 'Office' },
    ],
    routes: [
      ...[phones.operator, phones.ward, phones.ames, phones.bell].map((number) => inside(number, ring(number))),
      inside(phones.icu, { verb: 'ring', extension: phones.icu, forMs: 20_000, otherwise: leaveMessage }),
      inside('7011', escalate('stat')),
      inside('7012', escalate('urgent')),
      inside('7013', escalate('routine')),
      inside('7010', {
        verb: 'askUrgency',
        service: cardiology,
        prompts: [say('urgency-menu')],
        keys: { 1: 'stat', 2: 'urgent', 3: 'routine' },
        noKeyMs: 5_000,
        noKey: 'urgent',
      }),
      inside('1500', mainMenu),
      { number: '+12025550100', from: 'trunk', to: mainMenu },
      ...otherVerbs,
      ...extraRoutes,
    ],
    flows: {},
    hours: [],
    groups: [
      { id: 'ward', name: 'Ward nurses', members: [phones.icu, phones.ward, phones.bell], order: 'all', forMs: 20_000 },
      { id: 'turn', name: 'In turn', members: [phones.icu, phones.ames], order: 'roundRobin', forMs: 10_000 },
    ],
    hooks: [{ id: 'team', url: 'http://127.0.0.1:9/team', waitMs: 2_000, send: ['dialled', 'caller', 'site', 'unit'] }],
    ...more,
  };
  const names = indexRoster({ version: '', zone: '', people: aRoster().people(), services: aRoster().services() });
  const compiled = compilePlan(source, names, new Set(promptIds));
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.problems));
  return compiled.plan;
}
