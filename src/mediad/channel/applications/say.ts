/** say lang[:…] TYPE method [gender] text: numbers, dates, times, lengths and spelled names, piece by piece from recordings. */
import type { PlayItem } from '../../media/messages.ts';
import type { Application } from '../channel.ts';
import { piecesOf } from '../say/pieces.ts';
import { NO_RESPONSE, splitArguments } from './application.ts';
import { playToEnd, setPlayedVariables } from './playback.ts';
import type { PromptFinder } from './prompts.ts';

const METHODS: ReadonlySet<string> = new Set(['PRONOUNCED', 'ITERATED', 'COUNTED', 'N/A']);
const GENDERS: ReadonlySet<string> = new Set(['FEMININE', 'MASCULINE', 'NEUTER']);
const MAX_PIECES = 64;

export function say(prompts: PromptFinder): Application {
  return async ({ channel, arguments: args, signal }) => {
    const [given = '', type = '', way = '', ...rest] = splitArguments(args);
    const method = way.toUpperCase();
    const text = (GENDERS.has(rest[0]?.toUpperCase() ?? '') ? rest.slice(1) : rest).join(' ');
    if (!/^[a-z]{2}(?:[-_:][\w-]{1,32})?$/.test(given) || !METHODS.has(method) || text === '')
      return '-ERR say <language> <type> <method> [<gender>] <text>';
    const language = given.slice(0, 2);
    const zone = channel.variables.get('timezone');
    const pieces = piecesOf({ language, type: type.toUpperCase(), method, text, zone });
    if (typeof pieces === 'string') return `-ERR ${pieces}`;
    if (pieces.length > MAX_PIECES) return `-ERR more than ${MAX_PIECES} pieces`;
    const items: PlayItem[] = [];
    for (const id of pieces) {
      const item = await findPiece(id, language, prompts);
      if (item === undefined) return `-ERR there is no recording of "${id}" in ${language}`;
      items.push(item);
    }
    if (items.length === 0 || signal.aborted) return NO_RESPONSE;
    const result = await playToEnd(channel, signal, items, {});
    if (result.kind === 'refused') return `-ERR ${result.reason}`;
    setPlayedVariables(channel, result, items);
    return NO_RESPONSE;
  };
}

/** As the prompts that we ship are laid out, and digits and letters as FreeSWITCH's are. */
async function findPiece(id: string, language: string, prompts: PromptFinder): Promise<PlayItem | undefined> {
  const [, kind, character = ''] = /^(digit|letter)-(.)$/.exec(id) ?? [];
  const theirs =
    kind === 'digit'
      ? [`digits/8000/${character}.wav`, `digits/${character}.wav`]
      : kind === 'letter'
        ? [`ascii/8000/${character.charCodeAt(0)}.wav`]
        : [];
  const names = [`say/${id}.opus`, `asterisk-core-sounds/8000/${id}.wav`, `8000/${id}.wav`, ...theirs];
  for (const place of [...names.map((name) => `${language}/${name}`), ...names]) {
    const found = await prompts.find(place, '');
    if (found.kind === 'found') return found.items[0];
  }
  return undefined;
}
