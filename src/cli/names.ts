import type { Names } from '../core/audit/index.ts';
import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster, PersonId, ServiceId } from '../core/oncall/index.ts';
import { instant } from '../core/time/index.ts';
import type { Config } from '../config/index.ts';
import { compileFiles, rosterWindow } from '../documents/index.ts';
import type { Store } from '../storage/index.ts';
import { promptIds } from './prompt-ids.ts';
import { checkDocuments } from './site-documents.ts';

export type SiteNames = Omit<Names, 'leg' | 'wasPickedUp'>;

/** Names as the documents have them today; whoever is in them no more is told by id. */
export async function namesToday(config: Config): Promise<SiteNames> {
  const documents = await checkDocuments(config, instant(Date.now()));
  return documents.kind === 'good' ? namesIn(documents.plan, documents.roster) : nobody;
}

/** Names as the documents had them that a call was decided by; what they cannot tell is told as of today. */
export async function namesThen(
  config: Config,
  store: Store,
  used: { readonly plan: string; readonly roster: string } | null,
): Promise<SiteNames> {
  const today = await namesToday(config);
  const version = used && store.documents.find(used);
  if (!version) return today;
  const window = rosterWindow(version.at);
  const then = compileFiles(version.files, { prompts: promptIds(), now: version.at, window });
  return then.kind === 'ok' ? namesIn(then.plan, then.roster, today) : today;
}

function namesIn(plan: CompiledPlan, roster: CompiledRoster, otherwise = nobody): SiteNames {
  return {
    person: (id) => roster.person(id as PersonId)?.name ?? plan.extension(id)?.name ?? otherwise.person(id),
    service: (id) => roster.service(id as ServiceId)?.name ?? otherwise.service(id),
    mailbox: (id) => plan.mailbox(id)?.name ?? otherwise.mailbox(id),
    extension: (number) => plan.extension(number)?.name ?? otherwise.extension(number),
  };
}

const same = (id: string) => id;
const nobody: SiteNames = { person: same, service: same, mailbox: same, extension: () => null };
