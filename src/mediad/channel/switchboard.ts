/** All channels, and what they share. */
import type { PlayItem } from '../media/messages.ts';
import { Attendance } from './attendance.ts';
import { Channel, type ChannelOptions } from './channel.ts';
import { EventBus } from './events.ts';

export interface SwitchboardOptions {
  readonly maxChannels: number;
  readonly unattendedMs: number;
  readonly hold: readonly PlayItem[];
  /** Of the SIP side, as `sofia status` calls it. */
  readonly profile: string;
  /** As `sofia status` shows it: host:port where INVITEs are taken. */
  readonly sipAddress: () => string;
  /** … by TLS. */
  readonly tlsAddress: () => string | undefined;
  /** Never goes back. */
  readonly monotonicMs?: () => number;
}

const HEARTBEAT_MS = 20_000;

export class Switchboard {
  readonly bus = new EventBus();
  readonly options: SwitchboardOptions;
  readonly #channels = new Map<string, { channel: Channel; attendance: Attendance }>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #monotonicMs: () => number;
  readonly #startedMs: number;
  #created = 0;
  #createdBefore = 0;
  #cpuBefore = process.cpuUsage();

  constructor(options: SwitchboardOptions) {
    this.options = options;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#startedMs = this.#monotonicMs();
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get channels(): Channel[] {
    return [...this.#channels.values()].map(({ channel }) => channel);
  }

  get count(): number {
    return this.#channels.size;
  }

  get created(): number {
    return this.#created;
  }

  /** How long it has been up. */
  get upMs(): number {
    return Math.floor(this.#monotonicMs() - this.#startedMs);
  }

  get isFull(): boolean {
    return this.#channels.size >= this.options.maxChannels;
  }

  find(uuid: string): Channel | undefined {
    return this.#channels.get(uuid)?.channel;
  }

  attendanceOf(channel: Channel): Attendance | undefined {
    return this.#channels.get(channel.uuid)?.attendance;
  }

  add(options: Omit<ChannelOptions, 'bus' | 'monotonicMs' | 'onEnded' | 'onActivity' | 'onPartnerHungUp'>): Channel {
    const channel = new Channel({
      ...options,
      bus: this.bus,
      monotonicMs: this.#monotonicMs,
      onActivity: () => this.attendanceOf(channel)?.activity(),
      onPartnerHungUp: () => this.attendanceOf(channel)?.partnerLeft(),
      onEnded: () => this.#remove(channel),
    });
    this.#channels.set(channel.uuid, { channel, attendance: new Attendance(channel, this.options) });
    this.#created += 1;
    return channel;
  }

  /** Hangs everybody up. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const channel of this.channels) channel.hangup('MANAGER_REQUEST');
  }

  #remove(channel: Channel): void {
    this.attendanceOf(channel)?.close();
    this.#channels.delete(channel.uuid);
  }

  #beat(): void {
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    this.#cpuBefore = process.cpuUsage();
    const perSecond = ((this.#created - this.#createdBefore) * 1000) / HEARTBEAT_MS;
    this.#createdBefore = this.#created;
    this.bus.publish('HEARTBEAT', {
      'Event-Info': 'System Ready',
      'FreeSWITCH-IPv4': this.options.sipAddress().split(':')[0] ?? '',
      'FreeSWITCH-Version': VERSION,
      'Uptime-msec': String(this.upMs),
      'Session-Count': String(this.count),
      'Max-Sessions': String(this.options.maxChannels),
      'Session-Per-Sec': String(Math.round(perSecond)),
      'Session-Since-Startup': String(this.#created),
      'Heartbeat-Interval': String(HEARTBEAT_MS / 1000),
      'Idle-CPU': (100 - Math.min(100, (user + system) / 10 / HEARTBEAT_MS)).toFixed(6),
    });
  }
}

/** The FreeSWITCH whose event socket this one speaks like. */
export const VERSION = '1.10.12-wardline-mediad';
