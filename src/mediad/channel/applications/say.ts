/**
 * say lang[:…] TYPE method [gender] text: numbers and names, piece by piece from recorded digits and letters.
 *
 * Numbers are said digit by digit whatever the method, for what a caller must not mishear is a number; whole words for them, dates and amounts are
 * not recorded, and are refused.
 */
import type { PlayItem } from '../../media/messages.ts';
import type { Application } from '../channel.ts';
import { NO_RESPONSE, splitArguments } from './application.ts';
import { playToEnd, setPlayedVariables } from './playback.ts';
import type { PromptFinder } from './prompts.ts';

const SPELLED: ReadonlySet<string> = new Set([
  'NUMBER',
  'TELEPHONE_NUMBER',
  'TELEPHONE_EXTENSION',
  'ACCOUNT_NUMBER',
  'NAME_SPELLED',
]);
const METHODS: ReadonlySet<string> = new Set(['pronounced', 'iterated', 'counted', 'N/A']);
const GENDERS: ReadonlySet<string> = new Set(['FEMININE', 'MASCULINE', 'NEUTER']);
const MAX_PIECES = 64;

export function say(prompts: PromptFinder): Application {
  return async ({ channel, arguments: args, signal }) => {
    const [language = '', type = '', method = '', ...rest] = splitArguments(args);
    const text = (GENDERS.has(rest[0] ?? '') ? rest.slice(1) : rest).join(' ').toLowerCase();
    if (!/^[a-z]{2}(?:[-_:][\w-]{1,32})?$/.test(language) || !METHODS.has(method) || text === '')
      return '-ERR say <language> <type> <method> [<gender>] <text>';
    if (!SPELLED.has(type)) return `-ERR ${type} is not recorded; said are ${[...SPELLED].join(', ')}`;
    const characters = text.match(/[a-z0-9*#]/g) ?? [];
    if (characters.length > MAX_PIECES) return `-ERR more than ${MAX_PIECES} digits and letters`;
    const items: PlayItem[] = [];
    for (const character of characters) {
      const item = await findPiece(character, language.slice(0, 2), prompts);
      if (item === undefined) return `-ERR there is no recording of "${character}" in ${language}`;
      items.push(item);
    }
    if (items.length === 0 || signal.aborted) return NO_RESPONSE;
    const result = await playToEnd(channel, signal, items, {});
    if (result.kind === 'refused') return `-ERR ${result.reason}`;
    setPlayedVariables(channel, result, items);
    return NO_RESPONSE;
  };
}

/** As the prompts that we ship are laid out, and as FreeSWITCH's are. */
async function findPiece(character: string, language: string, prompts: PromptFinder): Promise<PlayItem | undefined> {
  const names = /\d/.test(character)
    ? [`8000/digit-${character}.wav`, `digits/8000/${character}.wav`, `digits/${character}.wav`]
    : [`8000/letter-${character}.wav`, `ascii/8000/${character.charCodeAt(0)}.wav`];
  const places = names.flatMap((name) => [name, `${language}/${name}`, `${language}/asterisk-core-sounds/${name}`]);
  for (const place of places) {
    const found = await prompts.find(place, '');
    if (found.kind === 'found') return found.items[0];
  }
  return undefined;
}
