import type { Config } from '../../config/index.ts';
import type { CommonOptions, Commands } from '../command-line.ts';
import { remembered } from '../remembered.ts';
import { done, no } from '../report.ts';
import { siteConfig } from '../site.ts';
import { disk, secrets } from './data-folder.ts';
import type { Finding } from './finding.ts';
import { processes } from './house.ts';
import { node, prompts } from './installation.ts';
import { clock, openFiles, receiveBuffer, sipAlg } from './machine.ts';
import { plainSpeech } from './memory-only.ts';
import { serversElsewhere } from './servers.ts';
import { documents, trunks } from './site.ts';

export function doctorCommand({ command, answer }: Commands): void {
  command('doctor')
    .description('look for what does not work, with the remedy; exit code 1 if there is something')
    .action(
      answer(async (options: CommonOptions) => {
        const findings = await examine(siteConfig(options));
        const bad = findings.filter(({ state }) => state === 'bad').length;
        const words = { good: 'ok  ', note: 'note', bad: 'BAD ' };
        const text = findings.flatMap((finding) => [
          `${words[finding.state]}  ${finding.check}: ${finding.says}`,
          ...(finding.state === 'good' ? [] : [`      -> ${finding.remedy}`]),
        ]);
        const end = bad === 0 ? 'Nothing is wrong.' : `${bad} thing${bad === 1 ? ' is' : 's are'} wrong.`;
        const json = { isGood: bad === 0, findings };
        return bad === 0 ? done([...text, end], json) : no([...text, end], json);
      }),
    );
}

async function examine(config: Config): Promise<readonly Finding[]> {
  const before = remembered(config.data);
  return [
    node(),
    ...secrets(config),
    await documents(config),
    prompts(),
    ...trunks(before?.config ?? config),
    ...(await processes(config, before)),
    ...(await serversElsewhere(before?.config ?? config)),
    ...plainSpeech(before?.config ?? config),
    disk(config),
    receiveBuffer(),
    openFiles(),
    sipAlg(),
    clock(),
  ];
}
