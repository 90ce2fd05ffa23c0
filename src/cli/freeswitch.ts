import { totalmem } from 'node:os';
import path from 'node:path';
import { installedIn } from '../config/index.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import type { Finding } from './doctor/finding.ts';
import { freeswitchFindings } from './doctor/freeswitch-faults.ts';
import { memoryOnlyFindings } from './doctor/memory-only.ts';
import { type SiteOptions, writeSite } from './freeswitch-site.ts';
import { done, no } from './report.ts';

const configurationFolder = path.join(installedIn, 'freeswitch-conf');

export function freeswitchCommands({ group, answer }: Commands): void {
  const freeswitch = group('freeswitch', 'FreeSWITCH in place of our own media server');
  freeswitch('prepare <folder>')
    .description('make what freeswitch-conf needs: a secret, and a site file with the addresses of this machine')
    .option('--event-socket <address:port>', 'where the app steers it', '127.0.0.1:8021')
    .option('--sip <address:port>', 'where it takes calls from the app', '127.0.0.1:5090')
    .option('--rtp <address>', 'address of this machine for sound', '127.0.0.1')
    .option('--advertise <address>', 'address that phones send sound to (default: that of --rtp)')
    .option('--rtp-ports <first-last>', 'UDP ports for sound', '20000-20998')
    .option('--app <address>', 'where the app is', '127.0.0.1')
    .option(
      '--music <folder>',
      'WAV files of 8 kHz for whoever waits',
      path.join(installedIn, 'src/mediad/prompts/music/8000'),
    )
    .action(
      answer(async (folder: string, options: CommonOptions & SiteOptions) => {
        const { file, secretFile, place } = writeSite(folder, options);
        const start =
          `WARDLINE_FREESWITCH_SITE=${file} freeswitch -conf ${configurationFolder} ` +
          `-log ${place}/log -db ${place}/db -run ${place}/run -nonat -nc`;
        return done([`${file} is written, the secret is in ${secretFile}. Start it with:`, `  ${start}`], {
          file,
          secretFile,
          start,
        });
      }),
    );
  freeswitch('check <folder>')
    .description('look for what is dangerous in a FreeSWITCH configuration folder; exit code 1 if there is something')
    .option('--site <file>', 'the site file that goes with freeswitch-conf')
    .option('--recordings <folder>', 'also look whether this folder for plain recordings is in memory only')
    .action(
      answer(async (folder: string, { site, recordings }: { site?: string; recordings?: string }) => {
        const findings = [
          ...freeswitchFindings(path.resolve(folder), site),
          ...(recordings === undefined ? [] : memoryOnlyFindings(path.resolve(recordings), totalmem())),
        ];
        const isGood = findings.every(({ state }) => state !== 'bad');
        const text = findings.flatMap(lines);
        return isGood ? done(text, { isGood, findings }) : no(text, { isGood, findings });
      }),
    );
}

function lines(finding: Finding): readonly string[] {
  const { check, state, says } = finding;
  if (state === 'good') return [`ok    ${check}: ${says}`];
  return [`${state === 'bad' ? 'BAD ' : 'note'}  ${check}: ${says}`, `      -> ${finding.remedy}`];
}
