import { hostname } from 'node:os';
import type { Command } from 'commander';
import { type Config, environmentValue } from '../../config/index.ts';
import type { SystemFact } from '../../core/audit/index.ts';
import { Refusal } from '../report.ts';
import { printedBy } from '../../processes/index.ts';
import { whoIsHere, whoTypes } from '../who-types.ts';

/** As given on the command line. */
export interface RevealOptions {
  readonly reveal?: boolean;
  readonly reason?: string;
  readonly set: readonly string[];
}

type AuditRead = Extract<SystemFact, { fact: 'auditRead' }>;
/** Who looks, from where, and whether what callers keyed and are called by is shown to them. */
export type Looking = Pick<AuditRead, 'by' | 'device' | 'role' | 'reason'> & { readonly numbers: 'masked' | 'shown' };

const MAX_REASON = 200;
const ASK_MS = 5000;

export function withReveal(command: Command): Command {
  return command
    .option('--reveal', 'show the numbers and names of outside callers, to whom audit.reveal allows it')
    .option('--reason <text>', 'why they are shown; the audit keeps it');
}

/**
 * Everybody sees the last two digits; more is shown to whom a role of `audit.reveal` allows it, for a reason. Throws
 * Refusal otherwise.
 */
export function looking(
  { audit }: Pick<Config, 'audit'>,
  { reveal = false, reason = '', set }: RevealOptions,
): Looking {
  const here = { by: whoTypes(), device: device() };
  if (!reveal) {
    if (reason !== '') throw new Refusal('--reason goes with --reveal: without it nothing is shown', 2);
    return { ...here, numbers: 'masked' };
  }
  const why = reason.trim();
  if (why === '' || why.length > MAX_REASON) {
    throw new Refusal(`--reveal: say why with --reason, in at most ${MAX_REASON} characters; the audit keeps it`, 2);
  }
  // Nobody gives themselves a role in passing.
  if (set.some((one) => /^audit(?:\.reveal)?[.=]/.test(one) && !/^audit\.(?!reveal)/.test(one))) {
    throw new Refusal('--set audit.reveal: a role that counts stands in the configuration file', 2);
  }
  const person = whoIsHere();
  const role = roleOf(person, audit.reveal);
  if (role === null) {
    throw new Refusal(
      `--reveal: ${person} has no role that may see numbers and names: whoever answers for the records can name user:${person} or a group under audit.reveal`,
    );
  }
  return { ...here, numbers: 'shown', role, reason: why };
}

function roleOf(person: string, roles: Config['audit']['reveal']): string | null {
  const own = new Set([`user:${person}`]);
  const isNamed = (members: readonly string[]) => members.some((member) => own.has(member));
  const asUser = Object.entries(roles).find(([, members]) => isNamed(members));
  if (asUser !== undefined) return asUser[0];
  // Groups may live in a directory far away: it is asked only when a group counts.
  if (!Object.values(roles).some((members) => members.some((member) => member.startsWith('group:')))) return null;
  for (const group of groupsOf(person)) own.add(`group:${group}`);
  return Object.entries(roles).find(([, members]) => isNamed(members))?.[0] ?? null;
}

function groupsOf(person: string): readonly string[] {
  try {
    return printedBy('id', ['-Gn', '--', person], ASK_MS).trim().split(/\s+/);
  } catch {
    return [];
  }
}

/** This machine, and the one that somebody came from, as the terminal says. */
function device(): string {
  const from = environmentValue('SSH_CONNECTION')?.split(' ')[0] ?? '';
  const name = hostname().slice(0, 64);
  return /^[0-9a-fA-F.:]{2,45}$/.test(from) ? `${name}, from ${from}` : name;
}
