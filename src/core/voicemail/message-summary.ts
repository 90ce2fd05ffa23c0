/** What a lamp shows of a mailbox. */
export interface WaitingMessages {
  /** Not heard, or not kept yet; the urgent ones among them. */
  readonly fresh: number;
  readonly freshUrgent: number;
  readonly saved: number;
}

export const noMessages: WaitingMessages = { fresh: 0, freshUrgent: 0, saved: 0 };

/** The body of a NOTIFY (RFC 3842 5.2): "new/old (urgent new/urgent old)". Nothing in it names anybody. */
export function messageSummary({ fresh, freshUrgent, saved }: WaitingMessages): string {
  const isWaiting = fresh > 0 ? 'yes' : 'no';
  return `Messages-Waiting: ${isWaiting}\r\nVoice-Message: ${fresh}/${saved} (${freshUrgent}/0)\r\n`;
}
