import type { PlanSource, Route } from '../../src/core/dialplan/index.ts';
import type {
  ClinicalService,
  EscalationChain,
  Person,
  PersonId,
  RosterSource,
  ServiceId,
} from '../../src/core/oncall/index.ts';
import { benchPlan } from './bench-plan.ts';

/** Hospitals of any size, as files and as what is made of files. */

interface Size {
  readonly people: number;
  readonly services: number;
}

const FILE_CHARS = 1_000_000;
const ZONES = ['America/Chicago', 'Europe/Berlin', 'Australia/Lord_Howe'];

export function peopleFiles({ people, services }: Size): Record<string, string> {
  const files: Record<string, string> = { ...houseFiles(services) };
  const sections = {
    people: Array.from({ length: people }, (_, i) => `  ${personOf(i)}: { name: Dr ${i}, mobile: "${mobileOf(i)}" }\n`),
    services: Array.from({ length: services }, (_, i) => {
      const rotation = `[${teamOf(i, { people, services }).join(', ')}]`;
      const chains = 'chains: { stat: c, urgent: c, routine: c }';
      const primary = `{ rotation: ${rotation}, every: week, handoff: "mon 08:00", since: 2026-01-05 }`;
      return `  service-${i}: { name: Service ${i}, zone: ${ZONES[i % 3]}, mailbox: office, ${chains}, primary: [${primary}] }\n`;
    }),
  };
  for (const [section, entries] of Object.entries(sections)) {
    let text = `${section}:\n`;
    let n = 0;
    const put = () => {
      files[`oncall/${section}-${n++}.yaml`] = text;
      text = `${section}:\n`;
    };
    for (const entry of entries) {
      if (text.length + entry.length > FILE_CHARS) put();
      text += entry;
    }
    put();
  }
  return files;
}

/** A small house whose numbers are those of a large one. */
export function houseFiles(services: number): Record<string, string> {
  const own = Math.min(services, 11);
  const routes = Array.from({ length: services }, (_, i) => {
    return `  "${numberOf(i)}": { from: inside, escalate: { service: service-${i}, urgency: stat } }\n`;
  });
  const small = Array.from({ length: own }, (_, i) => {
    const chains = 'chains: { stat: c, urgent: c, routine: c }';
    return `  service-${i}: { name: Service ${i}, zone: America/Chicago, mailbox: office, ${chains}, primary: [{ always: dr-x }] }\n`;
  });
  return {
    'dialplans/plan.yaml': `site: { name: Bench, zone: America/Chicago, country: US, operator: 1000, trunk: carrier, main-number: "+12025550100", ring-for: 25s }
extensions: { 1000: { name: Operator, kind: post } }
mailboxes: { office: { name: Office, claimed-by: 1000 } }
routes:
${routes.join('')}`,
    'oncall/house.yaml': `zone: America/Chicago
people:
  dr-x: { name: Dr X, mobile: "+12025550111" }
  operator: { name: Operator, desk: 1000, staffed: always }
chains:
  c:
    steps:
      - { ring: primary, on: [mobile], for: 15s }
      - { ring: operator, on: [desk], for: 30s }
    last-resort: urgent-voicemail
`,
    'oncall/services-0.yaml': `services:\n${small.join('')}`,
  };
}

export function sourcesOf(size: Size): { readonly roster: RosterSource; readonly plan: PlanSource } {
  const people = Array.from({ length: size.people }, (_, i): Person => {
    return { id: personOf(i), name: `Dr ${i}`, mobile: mobileOf(i) };
  });
  const chain: EscalationChain = {
    id: 'c',
    steps: [{ targets: [{ kind: 'tier', tier: 'primary' }], devices: ['mobile'], dwellMs: 15_000 }],
    lastResort: { kind: 'voicemail', urgent: true },
  };
  const services = Array.from({ length: size.services }, (_, i): ClinicalService => {
    const people = teamOf(i, size);
    return {
      id: `service-${i}` as ServiceId,
      name: `Service ${i}`,
      zone: ZONES[i % 3]!,
      mailbox: 'office',
      chains: { stat: chain, urgent: chain, routine: chain },
      tiers: { primary: [{ kind: 'rotation', everyDays: 7, since: '2026-01-05T08:00', people }] },
    };
  });
  const routes = services.map(({ id }, i): Route => {
    return { number: numberOf(i), from: 'inside', to: { verb: 'escalate', service: id, urgency: 'stat' } };
  });
  const plan = benchPlan('sha256:large', ZONES[0]!, routes);
  return { roster: { version: 'sha256:large', zone: ZONES[0]!, people, services }, plan };
}

function teamOf(service: number, { people, services }: Size): PersonId[] {
  const each = Math.floor(people / services);
  return Array.from({ length: Math.min(20, each) }, (_, j) => personOf(service * each + j));
}

function personOf(i: number): PersonId {
  return `dr-${i}` as PersonId;
}

function mobileOf(i: number): string {
  return `+1202${5_000_000 + i}`;
}

function numberOf(service: number): string {
  return `7${String(service).padStart(5, '0')}1`;
}
