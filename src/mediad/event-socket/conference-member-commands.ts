/** `conference <name> <command> <members> …`: what is done to one member, or to several, with FreeSWITCH's answers. */
import type { Conference } from '../channel/conference/conference.ts';
import type { Member } from '../channel/conference/member.ts';

/** `value`: the word after the member. */
type OnMember = (member: Member, conference: Conference, value: string) => string;

/** undefined: there is no such command of members. */
export function eachMember(
  name: string,
  conference: Conference,
  [target = '', value = '']: readonly string[],
): string | undefined {
  const act = MEMBER_COMMANDS.get(name);
  if (act === undefined) return undefined;
  const members = [...conference.members.values()];
  const on = (chosen: readonly Member[]) => chosen.map((member) => act(member, conference, value)).join('');
  if (/^\d+$/.test(target)) {
    const member = conference.members.get(Number(target));
    return member === undefined ? `-ERR Non-Existant ID ${target}\n` : on([member]);
  }
  if (target === 'all') return on(members) || '+OK\n';
  if (target === 'non_moderator') return on(members.filter((member) => !member.isModerator)) || '+OK\n';
  if (target === 'last') return on(members.toSorted((a, b) => b.id - a.id).slice(0, 1));
  const [, variable, wanted] = /^([^=]+)=(.*)$/.exec(target) ?? [];
  if (variable === undefined) return `${name} ${memberUsage(name)}`;
  const found = members.find((member) => member.channel.variables.get(variable) === wanted);
  return found === undefined ? '-ERR Non-Existant member\n' : on([found]);
}

/** Each command with its words. */
export function memberUsages(): string[] {
  return [...MEMBER_COMMANDS.keys()].map((name) => `${name} ${memberUsage(name)}`);
}

function memberUsage(name: string): string {
  const target = '<member_id|all|last|non_moderator>';
  if (name === 'dtmf') return `${target} <digits>`;
  return VALUED.has(name) ? `${target} [<newval>]` : target;
}

/** Those that take a value, and answer with the one that holds now. */
const VALUED: ReadonlySet<string> = new Set(['energy', 'agc', 'volume_in', 'volume_out']);

function switching(word: string, action: string, change: (member: Member) => void): OnMember {
  return (member, conference, value) => {
    change(member);
    conference.changed(member);
    if (value !== 'quiet' || action === 'hold-member') conference.publishOf(action, member);
    return `+OK ${word} ${member.id}\n`;
  };
}

const mute = switching('mute', 'mute-member', (member) => {
  member.canSpeak = false;
  member.isTalking = false;
});
const unmute = switching('unmute', 'unmute-member', (member) => (member.canSpeak = true));

const MEMBER_COMMANDS: ReadonlyMap<string, OnMember> = new Map<string, OnMember>([
  ['mute', mute],
  ['unmute', unmute],
  ['tmute', (member, ...rest) => (member.canSpeak ? mute : unmute)(member, ...rest)],
  ['deaf', switching('deaf', 'deaf-member', (member) => (member.canHear = false))],
  ['undeaf', switching('undeaf', 'undeaf-member', (member) => (member.canHear = true))],
  ['hold', switching('hold', 'hold-member', (member) => (member.isOnHold = true))],
  ['unhold', switching('unhold', 'unhold-member', (member) => (member.isOnHold = false))],
  // There is no picture to be muted; fsmrf asks for it all the same.
  ['vmute', (member) => `+OK vmute ${member.id}\n`],
  ['unvmute', (member) => `+OK unvmute ${member.id}\n`],
  ['kick', kick],
  ['hup', hangUp],
  ['dtmf', sendDigits],
  ['energy', energy],
  ['agc', (member) => `Agc ${member.id} = 0\n`],
  ['volume_in', (member, conference, value) => volume('in', member, conference, value)],
  ['volume_out', (member, conference, value) => volume('out', member, conference, value)],
  ['floor', floor],
  ['get-uuid', (member) => member.channel.uuid],
]);

function kick(member: Member, conference: Conference): string {
  conference.publishOf('kick-member', member);
  conference.leave(member);
  member.left();
  return `+OK kicked ${member.id}\n`;
}

function hangUp(member: Member, conference: Conference): string {
  conference.publishOf('hup-member', member);
  conference.leave(member);
  member.left();
  return `+OK hup ${member.id}\n`;
}

function sendDigits(member: Member, conference: Conference, digits: string): string {
  if (digits === '') return '-ERR Invalid input!\n';
  member.channel.media.sendDigits(digits, 2000);
  conference.publishOf('dtmf-member', member, { Digits: digits });
  return `+OK sent ${digits} to ${member.id}\n`;
}

function energy(member: Member, conference: Conference, value: string): string {
  if (/^\d{1,5}$/.test(value)) {
    member.setEnergy(Number(value));
    conference.changed(member);
    conference.publishOf('energy-level-member', member, { 'Energy-Level': String(member.energyLevel) });
  }
  return `Energy ${member.id} = ${member.energyLevel}\n`;
}

function volume(way: 'in' | 'out', member: Member, conference: Conference, value: string): string {
  if (/^-?\d{1,3}$/.test(value)) {
    member.setVolume(way, Number(value));
    conference.changed(member);
  }
  const level = way === 'in' ? member.volumeIn : member.volumeOut;
  if (value !== '') conference.publishOf(`volume-${way}-member`, member, { 'Volume-Level': String(level) });
  return `+OK Volume ${way.toUpperCase()} ${member.id} = ${level}\n`;
}

function floor(member: Member, conference: Conference): string {
  if (conference.floor !== undefined) return `-ERR floor is held by ${conference.floor}\n`;
  conference.takeFloor(member);
  return `+OK floor ${member.id}\n`;
}
