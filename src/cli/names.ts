import type { Names } from '../core/audit/index.ts';
import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster, PersonId, ServiceId } from '../core/oncall/index.ts';
import type { Config } from '../config/index.ts';
import type { Store } from '../storage/index.ts';
import { compileVersion, knownDocuments } from './site-documents.ts';

export type SiteNames = Omit<Names, 'leg' | 'wasPickedUp'>;

/** Names as the documents have them today; whoever is in them no more is told by id. */
export async function namesToday(config: Config, store: Store): Promise<SiteNames> {
  const documents = await knownDocuments(config, store);
  return documents ? namesIn(documents.plan, documents.roster) : nobody;
}

/** Names as the documents had them that a call was decided by; what they cannot tell is told as of today. */
export async function namesThen(
  config: Config,
  store: Store,
  used: { readonly plan: string; readonly roster: string } | null,
): Promise<SiteNames> {
  const today = await namesToday(config, store);
  const version = used && store.documents.find(used);
  const then = version && compileVersion(version);
  return then ? namesIn(then.plan, then.roster, today) : today;
}

export function namesIn(plan: CompiledPlan, roster: CompiledRoster, otherwise = nobody): SiteNames {
  return {
    person: (id) => roster.person(id as PersonId)?.name ?? plan.extension(id)?.name ?? otherwise.person(id),
    service: (id) => roster.service(id as ServiceId)?.name ?? otherwise.service(id),
    mailbox: (id) => plan.mailbox(id)?.name ?? otherwise.mailbox(id),
    extension: (number) => plan.extension(number)?.name ?? otherwise.extension(number),
  };
}

const same = (id: string) => id;
const nobody: SiteNames = { person: same, service: same, mailbox: same, extension: () => null };
