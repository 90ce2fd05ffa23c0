/** Conferences and their members as lines, or as JSON. */
import type { Conference } from '../channel/conference/conference.ts';
import type { Member } from '../channel/conference/member.ts';

/** `conference list …`, of all conferences. */
export function conferencesAsText(
  conferences: readonly Conference[],
  [how = '', delimiter = ';']: readonly string[],
): string {
  if (conferences.length === 0) return '+OK No active conferences.\n';
  return conferences
    .map((conference) => {
      const lines = how === 'summary' ? '' : memberLines(conference, how === 'delim' ? delimiter : ';');
      return headLine(conference) + lines;
    })
    .join('');
}

function headLine(conference: Conference): string {
  const { members, name } = conference;
  const flags = [
    ...(conference.isLocked ? ['locked'] : []),
    'running',
    'answered',
    'dynamic',
    ...(conference.recordings.length > 0 ? ['recording'] : []),
  ];
  const count = `${members.size} member${members.size === 1 ? '' : 's'}`;
  return `+OK Conference ${name} (${count} rate: 8000 flags: ${flags.join('|')})\n`;
}

/** number;channel;uuid;name;number of the caller;flags;volumes;energy */
export function memberLines(conference: Conference, delimiter: string): string {
  return [...conference.members.values()].map((member) => memberLine(conference, member, delimiter)).join('');
}

function memberLine(conference: Conference, member: Member, delimiter: string): string {
  const { id, channel } = member;
  const fields = [
    id,
    channel.name,
    channel.uuid,
    // Callers are patients: who asks for a list of members is told who they are by the app.
    '',
    '',
    member.words(conference.floor === id).join('|'),
    member.volumeIn,
    member.volumeOut,
    member.energyLevel,
  ];
  return `${fields.join(delimiter)}\n`;
}

export function prettyLines(conference: Conference): string {
  return [...conference.members.values()].map(({ id, channel }) => `${id}) ${channel.uuid} ()\n`).join('');
}

export function conferencesAsJson(conferences: readonly Conference[], isCompact: boolean): string {
  const rows = conferences.map((conference) => ({
    conference_name: conference.name,
    member_count: conference.members.size,
    ghost_count: conference.ghosts,
    rate: 8000,
    run_time: conference.ageSecs,
    conference_uuid: conference.uuid,
    running: true,
    answered: true,
    dynamic: true,
    locked: conference.isLocked,
    members: [...conference.members.values()].map((member) => memberRow(conference, member)),
  }));
  return JSON.stringify(rows, undefined, isCompact ? undefined : '\t');
}

function memberRow(conference: Conference, member: Member): Readonly<Record<string, unknown>> {
  return {
    type: 'caller',
    id: member.id,
    flags: {
      can_hear: member.canHear,
      can_speak: member.canSpeak,
      mute_detect: member.isDetectingMute,
      talking: member.isTalking,
      has_video: false,
      video_bridge: false,
      has_floor: conference.floor === member.id,
      is_moderator: member.isModerator,
      end_conference: member.flags.has('endconf'),
    },
    uuid: member.channel.uuid,
    energy: member.energyLevel,
    'volume-in': member.volumeIn,
    'volume-out': member.volumeOut,
  };
}
