/** Which events one connection wants: names, CUSTOM subclasses and header filters. */
import type { SwitchEvent } from '../channel/events.ts';

export type EventFormat = 'json' | 'plain';

const MAX_FILTERS = 256;
const MAX_SUBCLASSES = 256;

export class Subscription {
  format: EventFormat = 'plain';
  readonly #names = new Set<string>();
  readonly #subclasses = new Set<string>();
  readonly #filters: { name: string; value: string }[] = [];

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
    this.#filters.push({ name, value: value.toLowerCase() });
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

  /** With filters, one that fits is enough. */
  wants(event: SwitchEvent): boolean {
    const isNamed =
      this.#names.has('ALL') ||
      (event.name === 'CUSTOM' ? this.#subclasses.has(event.subclass ?? '') : this.#names.has(event.name));
    if (!isNamed) return false;
    if (this.#filters.length === 0) return true;
    return this.#filters.some(({ name, value }) => event.headers[name]?.toLowerCase() === value);
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
