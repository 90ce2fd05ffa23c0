/** Which recorded pieces say a text, in which order. */
import { english } from './english.ts';
import { MINUS, POINT, type Grammar } from './grammar.ts';
import { readMoment } from './moment.ts';
import { spanish } from './spanish.ts';

export interface Saying {
  /** Two letters, as the folder of its pieces is called. */
  readonly language: string;
  /** As FreeSWITCH calls them. */
  readonly type: string;
  readonly method: string;
  readonly text: string;
  readonly zone: string | undefined;
}

const GRAMMARS: ReadonlyMap<string, Grammar> = new Map([
  ['en', english],
  ['es', spanish],
]);

type Way = (saying: Saying, grammar: Grammar) => readonly string[] | string;

const WAYS: ReadonlyMap<string, Way> = new Map([
  ...['NUMBER', 'ITEMS', 'PERSONS', 'MESSAGES'].map((type): [string, Way] => [type, counted]),
  ...[
    'TELEPHONE_NUMBER',
    'TELEPHONE_EXTENSION',
    'ACCOUNT_NUMBER',
    'NAME_SPELLED',
    'URL',
    'IP_ADDRESS',
    'EMAIL_ADDRESS',
    'POSTAL_ADDRESS',
  ].map((type): [string, Way] => [type, spelled]),
  ['TIME_MEASUREMENT', duration],
  ['CURRENT_DATE', (saying, grammar) => moment(saying, grammar, ['date'])],
  ['CURRENT_TIME', (saying, grammar) => moment(saying, grammar, ['time'])],
  ['CURRENT_DATE_TIME', (saying, grammar) => moment(saying, grammar, ['date', 'time'])],
  ['SHORT_DATE_TIME', (saying, grammar) => moment(saying, grammar, ['date', 'time'])],
]);

const SIGNS: ReadonlyMap<string, string> = new Map([
  ['*', 'key-star'],
  ['#', 'key-pound'],
  ['.', 'dot'],
  ['@', 'at-sign'],
  ['-', 'dash'],
  ['/', 'slash'],
  ['+', 'plus'],
]);

/** A string is why it cannot be said. */
export function piecesOf(saying: Saying): readonly string[] | string {
  if (saying.type === 'CURRENCY')
    return 'CURRENCY is not recorded: the voice never said "dollar", "cent" or "and"; use speak';
  const way = WAYS.get(saying.type);
  if (way === undefined) return `${saying.type} is not recorded; said are ${[...WAYS.keys()].join(', ')}`;
  const grammar = GRAMMARS.get(saying.language);
  if (grammar === undefined) {
    // Who brings recordings of digits and letters has a language that spells.
    return way === spelled
      ? spelled(saying)
      : `${saying.language} has no grammar; there are ${[...GRAMMARS.keys()].join(', ')}`;
  }
  return way(saying, grammar);
}

function counted(saying: Saying, grammar: Grammar): readonly string[] | string {
  const [, minus, digits = '', fraction = ''] = /^(-?)(\d{1,32})(?:\.(\d{1,16}))?$/.exec(saying.text) ?? [];
  if (saying.method === 'ITERATED') return spelled(saying);
  if (digits === '') return 'not a number';
  const value = Number(digits);
  if (saying.method === 'COUNTED') {
    const isCounted = value >= 1 && value <= 99 && fraction === '' && minus === '';
    return isCounted ? grammar.ordinal(value) : 'counted are 1 to 99';
  }
  const sign = minus === '' ? [] : [MINUS];
  const behind = fraction === '' ? [] : [POINT, ...spelled({ ...saying, text: fraction })];
  // Longer ones are no amounts, and nobody could follow.
  if (value >= 1_000_000_000) return [...sign, ...spelled({ ...saying, text: digits }), ...behind];
  return [...sign, ...grammar.number(value), ...behind];
}

/** Digits, letters and the signs of addresses; what else there is, is left out. */
function spelled({ text }: Saying): readonly string[] {
  return (text.toLowerCase().match(/[a-z0-9*#.@/+-]/g) ?? []).flatMap((character) => {
    if (/\d/.test(character)) return [`digit-${character}`];
    if (/[a-z]/.test(character)) return [`letter-${character}`];
    const sign = SIGNS.get(character);
    return sign === undefined ? [] : [sign];
  });
}

/** Seconds, or hours:minutes:seconds. */
function duration({ text }: Saying, grammar: Grammar): readonly string[] | string {
  const [, hours, minutes = '', seconds = ''] = /^(?:(\d{1,4}):)?(\d{1,4}):(\d\d)$/.exec(text) ?? [];
  const isClock = minutes !== '';
  if (!isClock && !/^\d{1,7}$/.test(text)) return 'not a length: give seconds, or hours:minutes:seconds';
  const total = isClock ? Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds) : Number(text);
  // "One hour" is recorded in no language: it is sixty minutes.
  const wholeHours = total >= 7200 ? Math.floor(total / 3600) : 0;
  const left = total - wholeHours * 3600;
  return grammar.duration({ hours: wholeHours, minutes: Math.floor(left / 60), seconds: left % 60 });
}

function moment(
  { text, zone }: Saying,
  grammar: Grammar,
  parts: readonly ('date' | 'time')[],
): readonly string[] | string {
  const read = readMoment(text, zone);
  if (typeof read === 'string') return read;
  const said: string[] = [];
  for (const part of parts) {
    if (part === 'date' && read.date === undefined) return 'no date is given';
    if (part === 'time' && read.time === undefined) return 'no time is given';
    if (part === 'date' && read.date !== undefined) said.push(...grammar.date(read.date));
    if (part === 'time' && read.time !== undefined) said.push(...grammar.time(read.time));
  }
  return said;
}
