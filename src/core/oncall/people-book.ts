import { STEP_ITEMS } from '../steps/index.ts';
import type { CompiledRoster } from './model.ts';
import type { Person } from './people.ts';
import type { PersonId } from './vocabulary.ts';

/**
 * People as bytes, with tables to find them by: 10⁶ of them are put to use at once, whoever made the book and in
 * whatever thread, and nothing has to look after 10⁶ objects. Whoever is asked for is written out as an object then.
 */
export interface PackedPeople {
  readonly count: number;
  /** Person after person: "id\ndesk\n", and the person in JSON. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each begins, and where the last one ends. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Places of people by a hash of what they are found by, each behind the one whose place it would have; 0: free. */
  readonly byId: Uint32Array<ArrayBuffer>;
  readonly byDesk: Uint32Array<ArrayBuffer>;
}

const NEW_LINE = 10;
/** Of the table that are free, at least: so a look-up seldom has to go on. */
const LEAST_FREE = 0.3;

export function packPeople(people: readonly Person[]): PackedPeople {
  const starts = new Uint32Array(people.length + 1);
  const encoder = new TextEncoder();
  let bytes = new Uint8Array(256);
  let used = 0;
  let desks = 0;
  for (let first = 0; first < people.length; first += STEP_ITEMS) {
    const texts = people.slice(first, first + STEP_ITEMS).map((person) => {
      if (person.desk !== undefined) desks += 1;
      return `${person.id}\n${person.desk ?? ''}\n${JSON.stringify(person)}`;
    });
    const text = texts.join('');
    // A character takes three bytes at most.
    if (used + 3 * text.length > bytes.length) bytes = grown(bytes, 2 * bytes.length + 3 * text.length);
    const { written } = encoder.encodeInto(text, bytes.subarray(used));
    const isAscii = written === text.length;
    for (const [i, one] of texts.entries()) {
      used += isAscii ? one.length : encoder.encode(one).length;
      starts[first + i + 1] = used;
    }
  }
  return {
    count: people.length,
    bytes: bytes.slice(0, used),
    starts,
    byId: tableOf(people.length, people, ({ id }) => id),
    byDesk: tableOf(desks, people, ({ desk }) => desk),
  };
}

/** What `indexRoster` says of people, out of their book. */
export function peopleBook(packed: PackedPeople): Pick<CompiledRoster, 'person' | 'personByDesk' | 'people'> {
  const { count, bytes, starts, byId, byDesk } = packed;
  const decoder = new TextDecoder();
  // Those who were asked for, in pages: one long row would be a long pause to make.
  const pages: (Person | undefined)[][] = [];

  function personAt(i: number): Person {
    const page = (pages[i >>> PAGE_BITS] ??= []);
    return (page[i & PAGE_MASK] ??= written(i));
  }

  function written(i: number): Person {
    let at = starts[i]!;
    for (let lines = 0; lines < 2; at++) if (bytes[at] === NEW_LINE) lines++;
    return JSON.parse(decoder.decode(bytes.subarray(at, starts[i + 1]))) as Person;
  }

  function find(table: Uint32Array, key: string, lineStart: (i: number) => number): Person | undefined {
    for (let slot = slotOf(key, table.length); ; slot = (slot + 1) % table.length) {
      const place = table[slot]!;
      if (place === 0) return undefined;
      if (stands(key, lineStart(place - 1))) return personAt(place - 1);
    }
  }

  function stands(key: string, at: number): boolean {
    for (let i = 0; i < key.length; i++) if (bytes[at + i] !== key.charCodeAt(i)) return false;
    return bytes[at + key.length] === NEW_LINE;
  }

  const idLine = (i: number): number => starts[i]!;
  const deskLine = (i: number): number => bytes.indexOf(NEW_LINE, starts[i]) + 1;
  return {
    person: (id) => find(byId, id, idLine),
    personByDesk: (extension) => (extension === '' ? undefined : find(byDesk, extension, deskLine)),
    people: () => Array.from({ length: count }, (_, i) => personAt(i)),
  };
}

const PAGE_BITS = 8;
const PAGE_MASK = (1 << PAGE_BITS) - 1;

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(length);
  more.set(bytes);
  return more;
}

function tableOf(count: number, people: readonly Person[], keyOf: (person: Person) => string | undefined) {
  const table = new Uint32Array(Math.ceil(count / (1 - LEAST_FREE)) + 1);
  for (let i = 0; i < people.length; i++) {
    const key = keyOf(people[i]!);
    if (key === undefined) continue;
    let slot = slotOf(key, table.length);
    while (table[slot] !== 0) slot = (slot + 1) % table.length;
    table[slot] = i + 1;
  }
  return table;
}

/** FNV-1a. */
function slotOf(key: string | PersonId, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % length;
}
