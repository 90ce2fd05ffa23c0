import { type HeaderName, headerName, isToken } from './header-names.ts';
import { splitList } from './split-list.ts';

/**
 * The header fields of one message, in order. Names are matched without regard to case and compact forms are the same
 * as long ones. Every value written here passes through one encoder, so no value can start a second header.
 */
export class Headers {
  #keys: string[] = [];
  #names: string[] = [];
  #values: string[] = [];
  #changes = 0;

  /** Another number after each change. */
  get changes(): number {
    return this.#changes;
  }

  get count(): number {
    return this.#keys.length;
  }

  /** How long they are when written, but for Content-Length; of other letters than ASCII a little more. */
  get chars(): number {
    let chars = 0;
    for (let i = 0; i < this.#names.length; i++) {
      chars += (this.#names[i] as string).length + (this.#values[i] as string).length + 4;
    }
    return chars;
  }

  /** The first field of that name, as one line. */
  get(name: string): string | undefined {
    const index = this.#keys.indexOf(headerName(name).key);
    return index < 0 ? undefined : this.#values[index];
  }

  has(name: string): boolean {
    return this.#keys.includes(headerName(name).key);
  }

  /** All fields of that name, one entry a line. */
  lines(name: string): string[] {
    const { key } = headerName(name);
    const found: string[] = [];
    for (let i = 0; i < this.#keys.length; i++) if (this.#keys[i] === key) found.push(this.#values[i] as string);
    return found;
  }

  /** All elements of a comma-separated header over all its lines: Route, Contact, Supported and the like. */
  list(name: string): string[] {
    const lines = this.lines(name);
    return lines.length === 1 ? splitList(lines[0] as string) : lines.flatMap(splitList);
  }

  /** Appends a field. Throws RangeError if the name is no RFC 3261 token. */
  add(name: string, value: string): this {
    const entry = headerName(name);
    assertName(name);
    this.#changes++;
    this.#keys.push(entry.key);
    this.#names.push(entry.name);
    this.#values.push(encodeHeaderValue(value));
    return this;
  }

  /** For the parser only: name and value are known to be clean. */
  addParsed(entry: HeaderName, value: string): void {
    this.#changes++;
    this.#keys.push(entry.key);
    this.#names.push(entry.name);
    this.#values.push(value);
  }

  /** How many fields of that name there are. */
  countOf(name: string): number {
    const { key } = headerName(name);
    let count = 0;
    for (let i = 0; i < this.#keys.length; i++) if (this.#keys[i] === key) count++;
    return count;
  }

  /** Puts a field in front of all others. */
  prepend(name: string, value: string): this {
    const entry = headerName(name);
    assertName(name);
    this.#changes++;
    this.#keys.unshift(entry.key);
    this.#names.unshift(entry.name);
    this.#values.unshift(encodeHeaderValue(value));
    return this;
  }

  /** Replaces the first field of that name and removes the others; appends if there is none. */
  set(name: string, value: string): this {
    const { key } = headerName(name);
    const index = this.#keys.indexOf(key);
    if (index < 0) return this.add(name, value);
    this.#changes++;
    this.#values[index] = encodeHeaderValue(value);
    for (let i = this.#keys.length - 1; i > index; i--) if (this.#keys[i] === key) this.#removeAt(i);
    return this;
  }

  /** Replaces only the first field of that name; there must be one. */
  replaceFirst(name: string, value: string): void {
    const index = this.#keys.indexOf(headerName(name).key);
    if (index < 0) throw new RangeError(`no ${name} header to replace`);
    this.#changes++;
    this.#values[index] = encodeHeaderValue(value);
  }

  remove(name: string): void {
    const { key } = headerName(name);
    for (let i = this.#keys.length - 1; i >= 0; i--) if (this.#keys[i] === key) this.#removeAt(i);
  }

  /** Copies every field of that name from another message, keeping order. */
  copy(name: string, from: Headers): this {
    const { key } = headerName(name);
    for (let i = 0; i < from.#keys.length; i++) {
      if (from.#keys[i] !== key) continue;
      this.#changes++;
      this.#keys.push(key);
      this.#names.push(from.#names[i] as string);
      this.#values.push(from.#values[i] as string);
    }
    return this;
  }

  /** Calls `visit` for each field in order; `key` is the lower-case long name. */
  forEach(visit: (name: string, value: string, key: string) => void): void {
    for (let i = 0; i < this.#keys.length; i++) {
      visit(this.#names[i] as string, this.#values[i] as string, this.#keys[i] as string);
    }
  }

  clone(): Headers {
    const copy = new Headers();
    copy.#keys = this.#keys.slice();
    copy.#names = this.#names.slice();
    copy.#values = this.#values.slice();
    return copy;
  }

  /** The fields as lines ending in CR LF, without Content-Length, which belongs to the writer. */
  toText(): string {
    let text = '';
    for (let i = 0; i < this.#keys.length; i++) {
      if (this.#keys[i] !== 'content-length') text += `${this.#names[i]}: ${this.#values[i]}\r\n`;
    }
    return text;
  }

  #removeAt(index: number): void {
    this.#changes++;
    this.#keys.splice(index, 1);
    this.#names.splice(index, 1);
    this.#values.splice(index, 1);
  }
}

/** The one encoder of header values: what could end a line or a C string becomes a space. */
export function encodeHeaderValue(value: string): string {
  if (!value.includes('\n') && !value.includes('\r') && !value.includes('\0')) return value;
  return value.replaceAll(/[\r\n\0]+/g, ' ');
}

function assertName(name: string): void {
  if (!isToken(name)) throw new RangeError('a header name must be an RFC 3261 token');
}
