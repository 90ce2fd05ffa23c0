import type { Config } from '../../config/index.ts';
import type { CommonOptions, Commands } from '../command-line.ts';
import { remembered } from '../remembered.ts';
import { done, no } from '../report.ts';
import { siteConfig } from '../site.ts';
import { certificate } from './certificate.ts';
import { disk, secrets } from './data-folder.ts';
import type { Finding } from './finding.ts';
import { processes } from './house.ts';
import { node, prompts, speech } from './installation.ts';
import { clock, clockAgainst } from './clock.ts';
import { coreFiles, defaultBuffer, openFiles, receiveBuffer, sipAlg } from './machine.ts';
import { plainSpeech } from './memory-only.ts';
import { serversElsewhere } from './servers.ts';
import { isHere } from './reach.ts';
import { documents, trunks } from './site.ts';
import { wayToReflector, waysToTrunks } from './ways-out.ts';

export function doctorCommand({ command, answer }: Commands): void {
  command('doctor')
    .description('look for what does not work, with the remedy; exit code 1 if there is something')
    .option('--ntp <address>', 'also compare the clock with this time server')
    .option('--reflector <address:port>', 'also look for a SIP ALG on the way to a "wardline reflect" outside')
    .action(
      answer(async (options: DoctorOptions) => {
        const findings = await examine(siteConfig(options), options);
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

interface DoctorOptions extends CommonOptions {
  readonly ntp?: string;
  readonly reflector?: string;
}

async function examine(config: Config, { ntp, reflector }: DoctorOptions): Promise<readonly Finding[]> {
  const before = remembered(config.data);
  const house = before?.config ?? config;
  const hasDrachtioHere = house.signalling.servers.some(({ host }) => isHere(host));
  return [
    node(),
    ...secrets(config),
    ...certificate(house),
    await documents(config),
    prompts(),
    ...(house.media.servers.length === 0 ? [speech()] : []),
    ...trunks(house),
    ...(await waysToTrunks(house)),
    ...(reflector === undefined ? [] : await wayToReflector(house, reflector)),
    ...(await processes(config, before)),
    ...(await serversElsewhere(house)),
    ...plainSpeech(house),
    disk(config),
    receiveBuffer(),
    ...(hasDrachtioHere ? [defaultBuffer()] : []),
    openFiles(),
    coreFiles(),
    sipAlg(),
    clock(),
    ...(ntp === undefined ? [] : [await clockAgainst(ntp)]),
  ];
}
