/** What `say` says: which pieces in which order, in the words of texts.yaml; and that every piece is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { piecesOf, type Saying } from '../../src/mediad/channel/say/pieces.ts';
import { readSound } from '../../src/mediad/media/files/sound-file.ts';
import { activeDbfs, edges } from '../../scripts/prompts/level.ts';
import { readList } from '../../scripts/prompts/tools.ts';

const prompts = join(import.meta.dirname, '../../src/mediad/prompts');

/** `say` of each piece, also of the voices that were there before. */
const words = {
  en: new Map([
    ...readList(join(prompts, 'en/asterisk-core-sounds/texts.yaml')),
    ...readList(join(prompts, 'en/say/texts.yaml')),
  ]),
  es: readList(join(prompts, 'es/say/texts.yaml')),
};

type Language = keyof typeof words;

function said(language: Language, type: string, method: string, text: string, zone = 'America/Chicago'): string {
  const saying: Saying = { language, type, method, text, zone };
  const pieces = piecesOf(saying);
  if (typeof pieces === 'string') return `refused: ${pieces}`;
  return pieces.map((id) => words[language].get(id) ?? `(no ${id})`).join(' ');
}

const english: readonly (readonly [type: string, method: string, text: string, said: string])[] = [
  ['NUMBER', 'PRONOUNCED', '0', 'zero'],
  ['NUMBER', 'PRONOUNCED', '13', 'thirteen'],
  ['NUMBER', 'PRONOUNCED', '20', 'twenty'],
  ['NUMBER', 'PRONOUNCED', '42', 'forty two'],
  ['NUMBER', 'PRONOUNCED', '100', 'one hundred'],
  ['NUMBER', 'PRONOUNCED', '1015', 'one thousand fifteen'],
  ['NUMBER', 'PRONOUNCED', '2345678', 'two million three hundred forty five thousand six hundred seventy eight'],
  ['NUMBER', 'PRONOUNCED', '-3.05', 'minus three dot zero five'],
  ['NUMBER', 'PRONOUNCED', '1234567890', 'one two three four five six seven eight nine zero'],
  ['NUMBER', 'ITERATED', '42', 'four two'],
  ['NUMBER', 'COUNTED', '1', 'first'],
  ['MESSAGES', 'COUNTED', '12', 'twelfth'],
  ['NUMBER', 'COUNTED', '30', 'thirtieth'],
  ['NUMBER', 'COUNTED', '33', 'thirty third'],
  ['TELEPHONE_NUMBER', 'PRONOUNCED', '+1 (312) 555-0', 'plus one three one two five five five dash zero'],
  ['NAME_SPELLED', 'ITERATED', 'Ann 2', 'A N N two'],
  ['IP_ADDRESS', 'ITERATED', '10.0', 'one zero dot zero'],
  ['CURRENT_DATE', 'PRONOUNCED', '2026-11-22', 'sunday november twenty second twenty twenty six'],
  ['CURRENT_DATE', 'PRONOUNCED', '2005-03-01', 'tuesday march first two thousand five'],
  ['CURRENT_DATE', 'PRONOUNCED', '1905-01-20', 'friday january twentieth nineteen oh five'],
  ['CURRENT_TIME', 'PRONOUNCED', '00:00', "twelve o'clock A.M."],
  ['CURRENT_TIME', 'PRONOUNCED', '13:05', 'one oh five P.M.'],
  ['CURRENT_TIME', 'PRONOUNCED', '09:42', 'nine forty two A.M.'],
  // Seconds since 1970 are told in the zone: 22 November, 22:30 UTC.
  ['CURRENT_DATE_TIME', 'PRONOUNCED', '1795386600', 'sunday november twenty second twenty twenty six four thirty P.M.'],
  ['TIME_MEASUREMENT', 'PRONOUNCED', '0', 'zero seconds'],
  ['TIME_MEASUREMENT', 'PRONOUNCED', '61', 'one minute one second'],
  ['TIME_MEASUREMENT', 'PRONOUNCED', '3600', 'sixty minutes'],
  ['TIME_MEASUREMENT', 'PRONOUNCED', '2:05:30', 'two hours five minutes thirty seconds'],
];

const spanish: typeof english = [
  ['NUMBER', 'PRONOUNCED', '1', 'uno'],
  ['NUMBER', 'PRONOUNCED', '21', 'veintiuno'],
  ['NUMBER', 'PRONOUNCED', '42', 'cuarenta y dos'],
  ['NUMBER', 'PRONOUNCED', '100', 'cient'],
  ['NUMBER', 'PRONOUNCED', '101', 'ciento uno'],
  ['NUMBER', 'PRONOUNCED', '1000', 'mil'],
  ['NUMBER', 'PRONOUNCED', '31555', 'treinta y un mil quinientos cincuenta y cinco'],
  ['NUMBER', 'PRONOUNCED', '1000001', 'un millon uno'],
  ['NUMBER', 'PRONOUNCED', '2000000', 'dos millones'],
  ['NUMBER', 'COUNTED', '33', 'trigesimo tercero'],
  ['CURRENT_DATE', 'PRONOUNCED', '2026-11-01', 'domingo primero de noviembre de dos mil veintiseis'],
  ['CURRENT_TIME', 'PRONOUNCED', '13:05', 'una y cinco p.m.'],
  ['CURRENT_TIME', 'PRONOUNCED', '09:00', 'nueve en punto a.m.'],
  ['TIME_MEASUREMENT', 'PRONOUNCED', '61', 'un minuto un segundo'],
  ['TIME_MEASUREMENT', 'PRONOUNCED', '31:00:00', 'treinta y una horas'],
  ['NAME_SPELLED', 'ITERATED', 'Eva#', 'e v a tecla de numero'],
];

void t.test('numbers, dates, times, lengths and names are said in English', async (t) => {
  for (const [type, method, text, expected] of english) t.equal(said('en', type, method, text), expected, text);
});

void t.test('… and in Spanish', async (t) => {
  for (const [type, method, text, expected] of spanish) t.equal(said('es', type, method, text), expected, text);
});

void t.test('what cannot be said is refused with the reason', async (t) => {
  const refusals: readonly (readonly [Saying['type'], string, string, RegExp])[] = [
    ['CURRENCY', 'PRONOUNCED', '1', /CURRENCY is not recorded/],
    ['NUMBER', 'PRONOUNCED', 'many', /not a number/],
    ['NUMBER', 'COUNTED', '100', /counted are 1 to 99/],
    ['NUMBER', 'COUNTED', '-1', /counted are 1 to 99/],
    ['CURRENT_DATE', 'PRONOUNCED', '2026-02-30', /no such day/],
    ['CURRENT_TIME', 'PRONOUNCED', '24:00', /no such day or time/],
    ['CURRENT_TIME', 'PRONOUNCED', '2026-02-03', /no time is given/],
    ['CURRENT_DATE', 'PRONOUNCED', 'tomorrow', /not a moment/],
    ['TIME_MEASUREMENT', 'PRONOUNCED', 'long', /not a length/],
  ];
  for (const [type, method, text, reason] of refusals) t.match(said('en', type, method, text), reason, text);
  t.match(said('en', 'CURRENT_DATE', 'PRONOUNCED', '1', 'Mars/Base'), /not a time zone/);
  const french: Saying = { language: 'fr', type: 'NUMBER', method: 'PRONOUNCED', text: '1', zone: undefined };
  t.match(piecesOf(french), /fr has no grammar; there are en, es/);
  t.same(piecesOf({ ...french, type: 'NAME_SPELLED' }), ['digit-1'], 'but spells');
});

for (const language of ['en', 'es'] as const) {
  void t.test(`${language}: every number, day, hour and length has its pieces`, async (t) => {
    const missing = new Set<string>();
    const check = (type: string, method: string, text: string) => {
      const sentence = said(language, type, method, text);
      if (/\(no |refused/.test(sentence)) missing.add(`${text}: ${sentence}`);
    };
    for (let n = 0; n < 2000; n++) check('NUMBER', 'PRONOUNCED', String(n));
    for (let n = 1; n < 100; n++) check('NUMBER', 'COUNTED', String(n));
    for (const n of [30_021, 100_000, 999_999, 1_000_000, 999_999_999]) check('NUMBER', 'PRONOUNCED', String(n));
    for (let day = 0; day < 366; day++) check('CURRENT_DATE_TIME', 'PRONOUNCED', String(1_767_225_600 + day * 88_321));
    for (let seconds = 0; seconds < 90_000; seconds += 37) check('TIME_MEASUREMENT', 'PRONOUNCED', String(seconds));
    check('NAME_SPELLED', 'ITERATED', 'abcdefghijklmnopqrstuvwxyz0123456789*#.@-/+');
    t.same([...missing], []);
  });

  void t.test(`${language}: every piece is there, licensed, as loud as the others and with short edges`, async (t) => {
    const folder = join(prompts, language, 'say');
    const ids = [...readList(join(folder, 'texts.yaml')).keys()].sort();
    t.same([...readList(join(folder, 'sources.yaml')).keys()].sort(), ids);
    const files = readdirSync(folder).filter((name) => name.endsWith('.opus'));
    t.same(files.sort(), ids.map((id) => `${id}.opus`).sort());
    for (const name of files) {
      const read = await readSound(readFileSync(join(folder, name)));
      if (read.kind === 'refused') throw new Error(`${name}: ${read.reason}`);
      const level = activeDbfs(read.sound);
      const { leadMs, tailMs } = edges(read.sound);
      const isFine = Math.abs(level + 18) < 1 && leadMs >= 40 && leadMs <= 150 && tailMs >= 40 && tailMs <= 150;
      t.ok(isFine, `${name}: ${level.toFixed(1)} dBFS, ${leadMs} and ${tailMs} ms`);
    }
    for (const name of ['LICENSE', 'ATTRIBUTION.md']) t.ok(existsSync(join(folder, name)));
  });
}
