/** Which events one connection wants: names, CUSTOM subclasses and header filters. */
import type { SwitchEvent } from '../channel/events.ts';

export type EventFormat = 'json' | 'plain';

const MAX_FILTERS = 256;
const MAX_SUBCLASSES = 256;

export class Subscription {
  format: EventFormat = 'plain';
  readonly #names = new Set<string>();
  readonly #subclasses = new Set<string>();
  readonly #filters: Filter[] = [];

  /** The words of an `event` command after the format; false if none of them is an event. */
  add(words: readonly string[]): boolean {
    let isAny = false;
    for (const [index, word] of words.entries()) {
      if (words.indexOf('CUSTOM') !== -1 && words.indexOf('CUSTOM') < index) {
        // After CUSTOM every further word is a subclass, whatever it looks like.
        if (this.#subclasses.size < MAX_SUBCLASSES) this.#subclasses.add(word);
        isAny = true;
        continue;
      }
      const name = eventName(word);
      if (name === undefined) continue;
      this.#names.add(name);
      isAny = true;
    }
    return isAny;
  }

  remove(words: readonly string[]): void {
    for (const word of words) {
      this.#names.delete(eventName(word) ?? word);
      this.#subclasses.delete(word);
    }
  }

  clear(): void {
    this.#names.clear();
    this.#subclasses.clear();
  }

  filter(name: string, value: string): boolean {
    if (this.#filters.length >= MAX_FILTERS) return false;
    this.#filters.push(new Filter(name, value));
    return true;
  }

  /** Without a value all filters on that header go. */
  unfilter(name: string, value: string | undefined): void {
    for (let i = this.#filters.length - 1; i >= 0; i--) {
      const filter = this.#filters[i]!;
      const isSame = filter.name.toLowerCase() === name.toLowerCase();
      if (isSame && (value === undefined || filter.value === value.toLowerCase())) this.#filters.splice(i, 1);
    }
  }

  /** With filters, one that fits is enough, unless one that begins with a minus fits too. */
  wants(event: SwitchEvent): boolean {
    const isNamed =
      this.#names.has('ALL') ||
      (event.name === 'CUSTOM' ? this.#subclasses.has(event.subclass ?? '') : this.#names.has(event.name));
    if (!isNamed) return false;
    if (this.#filters.length === 0) return true;
    const fitting = this.#filters.filter((filter) => filter.fits(event.headers[filter.name]));
    return fitting.length > 0 && fitting.every(({ isWanted }) => isWanted);
  }
}

/** As FreeSWITCH reads them: `value`, `-value` for what is not wanted, `/expression/`. */
class Filter {
  readonly name: string;
  /** In lower case. */
  readonly value: string;
  readonly isWanted: boolean;
  readonly #expression: RegExp | undefined;
  readonly #text: string;

  constructor(name: string, value: string) {
    const [, signs = '', text = ''] = /^([+\- ]*)(.*)$/s.exec(value) ?? [];
    this.name = name;
    this.value = value.toLowerCase();
    this.isWanted = !signs.includes('-');
    this.#expression = expressionOf(value);
    this.#text = text.toLowerCase();
  }

  fits(value: string | undefined): boolean {
    if (value === undefined) return false;
    return this.#expression?.test(value.slice(0, MAX_MATCHED)) ?? value.toLowerCase() === this.#text;
  }
}

const MAX_MATCHED = 256;
const MAX_EXPRESSION = 100;

/** undefined: it is none, or none that can be read; then it is a text like any other. */
function expressionOf(value: string): RegExp | undefined {
  const [, source] = /^\/(.+)\/$/s.exec(value) ?? [];
  if (source === undefined || source.length > MAX_EXPRESSION) return undefined;
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}

function eventName(word: string): string | undefined {
  const name = word.toUpperCase().replace(/^SWITCH_EVENT_/, '');
  return EVENT_NAMES.has(name) ? name : undefined;
}

/** FreeSWITCH's event names; ours are a part of them, and asking for another is no mistake. */
const EVENT_NAMES: ReadonlySet<string> = new Set(
  `ALL CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP
   CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE CHANNEL_UNBRIDGE
   CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID
   API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE
   PRESENCE_IN NOTIFY_IN PRESENCE_OUT PRESENCE_PROBE MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE
   PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY PHONE_FEATURE PHONE_FEATURE_SUBSCRIBE
   SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO
   RECV_INFO RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT RECORD_START RECORD_STOP PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE
   SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP CONFERENCE_DATA_QUERY CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL
   DEVICE_STATE TEXT SHUTDOWN_REQUESTED`.split(/\s+/),
);
