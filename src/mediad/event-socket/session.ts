/** One event socket connection, either way round: somebody who dialled us (inbound) or an application that we dialled for a channel (outbound). */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Channel } from '../channel/channel.ts';
import type { SwitchEvent } from '../channel/events.ts';
import { runApiCommand, type ApiContext } from './api-commands.ts';
import {
  apiResponse,
  commandReply,
  CommandReader,
  disconnectNotice,
  headerBlock,
  jsonEvent,
  MEMBER_LIMITS,
  plainEvent,
  STRANGER_LIMITS,
  type EslCommand,
} from './framing.ts';
import { Subscription } from './subscription.ts';

export interface SessionOptions {
  readonly socket: Socket;
  readonly context: ApiContext;
  /** Inbound: what the other side has to say first. Outbound: the channel it controls. */
  readonly role:
    | { readonly kind: 'inbound'; readonly secret: string }
    | { readonly kind: 'outbound'; readonly channel: Channel };
  readonly onClosed: () => void;
}

/** A client that does not read its events is cut off, as in FreeSWITCH; the memory is ours. */
const MAX_UNREAD_BYTES = 8_388_608;
const AUTH_WAIT_MS = 10_000;
const MAX_LINGER_SECS = 60;
const MAX_WAITING_COMMANDS = 1000;

export class Session {
  readonly #socket: Socket;
  readonly #context: ApiContext;
  readonly #role: SessionOptions['role'];
  readonly #reader: CommandReader;
  readonly #subscription = new Subscription();
  readonly #unlisten: () => void;
  readonly #authTimer: NodeJS.Timeout | undefined;
  #isMember: boolean;
  #lingerSecs = 0;
  /** Commands are answered in order, also those that take a while. */
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: SessionOptions) {
    this.#socket = options.socket;
    this.#context = options.context;
    this.#role = options.role;
    this.#isMember = options.role.kind === 'outbound';
    this.#reader = new CommandReader(this.#isMember ? MEMBER_LIMITS : STRANGER_LIMITS);
    this.#unlisten = this.#context.switchboard.bus.listen((event) => this.#hear(event));
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', () => {});
    this.#socket.once('close', () => {
      this.#unlisten();
      clearTimeout(this.#authTimer);
      options.onClosed();
    });
    if (this.#isMember) return;
    this.#authTimer = setTimeout(() => this.close(), AUTH_WAIT_MS);
    this.#write('Content-Type: auth/request\n\n');
  }

  /** Says goodbye and closes. May be called twice. */
  close(): void {
    if (this.#socket.writableEnded) return;
    this.#write(disconnectNotice(undefined));
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #read(chunk: Buffer): void {
    for (const command of this.#reader.read(chunk)) {
      this.#waiting += 1;
      // An answer that waits (bgapi, api) must not be overtaken by the next one.
      this.#tail = this.#tail.then(() => this.#answer(command)).catch(() => this.close());
      if (command.line.startsWith('auth ')) this.#authenticate(command.line.slice(5));
    }
    if (this.#reader.isBroken || this.#waiting > MAX_WAITING_COMMANDS) {
      this.#write(commandReply('-ERR too large or malformed'));
      this.close();
    }
  }

  async #answer(command: EslCommand): Promise<void> {
    this.#waiting -= 1;
    if (this.#socket.writableEnded) return;
    const reply = this.#isMember ? await this.#perform(command) : this.#refuseStranger(command.line);
    if (reply !== undefined) this.#write(reply);
  }

  #authenticate(password: string): void {
    if (this.#role.kind !== 'inbound' || this.#isMember) return;
    this.#isMember = timingSafeEqual(sha256(password.trim()), sha256(this.#role.secret));
    if (!this.#isMember) return;
    clearTimeout(this.#authTimer);
    this.#reader.limits = MEMBER_LIMITS;
  }

  #refuseStranger(line: string): string {
    if (line.startsWith('auth')) {
      setImmediate(() => this.close());
      return commandReply('-ERR invalid');
    }
    if (line === 'exit') {
      setImmediate(() => this.close());
      return commandReply('+OK bye');
    }
    return commandReply('-ERR command not found');
  }

  async #perform(command: EslCommand): Promise<string | undefined> {
    const [, verb = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(command.line) ?? [];
    const words = rest.split(/\s+/).filter((word) => word !== '');
    switch (verb) {
      case 'auth':
        return commandReply('+OK accepted');
      case 'connect':
        return this.#channelData();
      case 'event':
        return this.#event(words);
      case 'myevents':
        return this.#myEvents(words);
      case 'nixevent':
        if (words.length === 0) return commandReply('-ERR no keywords supplied');
        this.#subscription.remove(words);
        return commandReply('+OK events nixed');
      case 'noevents':
        this.#subscription.clear();
        return commandReply('+OK no longer listening for events');
      case 'filter':
        return this.#filter(words);
      case 'api':
        if (rest === '') break;
        return apiResponse(await runApiCommand(rest, this.#context));
      case 'bgapi':
        if (rest === '') break;
        return this.#background(rest, command.headers.get('job-uuid') ?? randomUUID());
      case 'sendmsg':
        return this.#sendMessage(words[0], command.headers);
      case 'sendevent':
        return this.#sendEvent(rest, command);
      case 'log':
        // Nothing is ever said there: FreeSWITCH's log shows the keys that callers press.
        return commandReply(`+OK log level ${words[0] ?? ''} [${words[0] ?? 7}]`);
      case 'nolog':
        return commandReply('+OK no longer logging');
      case 'exit':
      case '...':
        setImmediate(() => this.close());
        return commandReply('+OK bye');
      case 'linger':
      case 'nolinger':
      case 'divert_events':
      case 'getvar':
      case 'resume':
        return this.#performOnOwn(verb, rest);
    }
    return commandReply('-ERR command not found');
  }

  /** What only makes sense where one channel is controlled. */
  #performOnOwn(verb: 'linger' | 'nolinger' | 'divert_events' | 'getvar' | 'resume', rest: string): string {
    const own = this.#own;
    switch (verb) {
      case 'linger':
        if (own === undefined) return commandReply('-ERR not controlling a session');
        this.#lingerSecs = /^\d{1,4}$/.test(rest) ? Math.min(Number(rest), MAX_LINGER_SECS) : MAX_LINGER_SECS;
        return commandReply(rest === '' ? '+OK will linger' : `+OK will linger ${this.#lingerSecs} seconds`);
      case 'nolinger':
        if (own === undefined) return commandReply('-ERR not controlling a session');
        this.#lingerSecs = 0;
        return commandReply('+OK will not linger');
      case 'divert_events':
        if (own === undefined) return commandReply('-ERR not controlling a session.');
        return commandReply(rest.trim() === 'off' ? '+OK events not diverted' : '+OK events diverted');
      case 'getvar':
        return commandReply(own === undefined ? '-ERR command not found' : (own.variables.get(rest.trim()) ?? ''));
      case 'resume':
        return commandReply(own === undefined ? '-ERR command not found' : '+OK');
    }
  }

  get #own(): Channel | undefined {
    return this.#role.kind === 'outbound' ? this.#role.channel : undefined;
  }

  #channelData(): string {
    const channel = this.#own;
    if (channel === undefined) return commandReply('-ERR command not found');
    return `${headerBlock({
      ...this.#context.switchboard.bus.common('CHANNEL_DATA'),
      ...channel.profileHeaders(),
      ...channel.variableHeaders(),
      'Content-Type': 'command/reply',
      'Reply-Text': '+OK\n',
      'Socket-Mode': 'async',
      Control: 'full',
    })}\n`;
  }

  #event(words: readonly string[]): string {
    const [format = '', ...names] = words;
    if (format === 'xml') return commandReply('-ERR xml events are not supported, use json or plain');
    const isFormat = format === 'json' || format === 'plain';
    if (!this.#subscription.add(isFormat ? names : words)) return commandReply('-ERR no keywords supplied');
    this.#subscription.format = format === 'json' ? 'json' : 'plain';
    return commandReply(`+OK event listener enabled ${this.#subscription.format}`);
  }

  #myEvents(words: readonly string[]): string {
    const uuid = this.#own?.uuid ?? words[0];
    if (uuid === undefined) return commandReply('-ERR command not found');
    this.#subscription.add(['ALL']);
    this.#subscription.filter('Unique-ID', uuid);
    this.#subscription.format = words.includes('json') ? 'json' : 'plain';
    return commandReply('+OK Events Enabled');
  }

  #filter(words: readonly string[]): string {
    if (words[0] === 'delete') {
      const [, name = '', ...value] = words;
      this.#subscription.unfilter(name, value.length === 0 ? undefined : value.join(' '));
      return commandReply(`+OK filter deleted. [${name}][${value.join(' ')}]`);
    }
    const [name, ...value] = words;
    if (name === undefined) return commandReply('-ERR command not found');
    if (value.length === 0) return commandReply('-ERR invalid syntax');
    if (!this.#subscription.filter(name, value.join(' '))) return commandReply('-ERR too many filters');
    return commandReply(`+OK filter added. [${name}]=[${value.join(' ')}]`);
  }

  #background(command: string, job: string): string {
    const [, name = '', args = ''] = /^(\S+)\s*(.*)$/s.exec(command) ?? [];
    runApiCommand(command, this.#context)
      .catch((error: unknown) => `-ERR ${error instanceof Error ? error.message : String(error)}\n`)
      .then((body) => {
        const headers = { 'Job-UUID': job, 'Job-Command': name, 'Job-Command-Arg': args };
        this.#context.switchboard.bus.publish('BACKGROUND_JOB', headers, { body });
      })
      .catch(() => this.close());
    return commandReply(`+OK Job-UUID: ${job}`, { 'Job-UUID': job });
  }

  #sendMessage(uuid: string | undefined, headers: ReadonlyMap<string, string>): string {
    const channel = uuid === undefined ? this.#own : this.#context.switchboard.find(uuid);
    if (channel === undefined || channel.state === 'hungUp')
      return commandReply(`-ERR invalid session id [${uuid ?? ''}]`);
    switch (headers.get('call-command')) {
      case 'execute': {
        const application = headers.get('execute-app-name') ?? '';
        const eventUuid = headers.get('event-uuid') ?? randomUUID();
        const isQueued = channel.execute(application, headers.get('execute-app-arg') ?? '', eventUuid);
        return commandReply(isQueued ? '+OK' : '-ERR too many applications are waiting');
      }
      case 'hangup':
        channel.hangup(headers.get('hangup-cause') ?? 'NORMAL_CLEARING');
        return commandReply('+OK');
      default:
        return commandReply('-ERR only call-command execute and hangup are supported');
    }
  }

  /** Passes an event on to everybody who listens. */
  #sendEvent(name: string, { headers, fields, body }: EslCommand): string {
    const subclass = headers.get('event-subclass');
    const more = body === '' ? {} : { body };
    this.#context.switchboard.bus.publish(name.trim() || 'CUSTOM', fields, {
      ...more,
      ...(subclass !== undefined && { subclass }),
    });
    return commandReply(`+OK ${randomUUID()}`);
  }

  #hear(event: SwitchEvent): void {
    if (this.#isMember && this.#subscription.wants(event)) {
      const encode = this.#subscription.format === 'json' ? jsonEvent : plainEvent;
      this.#write(encode(event.headers, event.body));
    }
    const isOwnEnd = event.name === 'CHANNEL_DESTROY' && event.headers['Unique-ID'] === this.#own?.uuid;
    if (isOwnEnd) this.#channelEnded(event.headers['Unique-ID'] ?? '');
  }

  #channelEnded(uuid: string): void {
    this.#write(disconnectNotice(uuid));
    if (this.#lingerSecs === 0) this.#socket.end();
    else setTimeout(() => this.#socket.end(), this.#lingerSecs * 1000).unref();
  }

  #write(text: string): void {
    if (this.#socket.writableEnded || this.#socket.destroyed) return;
    this.#socket.write(text);
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) this.#socket.destroy();
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
