import { phi } from '../../src/core/phi/index.ts';
import { noon, phones } from './lakeside.ts';

/** An urgent message for Dr Ames, as it is entered in the list. */
export const leftMessage = {
  messageId: 'M1',
  mailbox: phones.ames,
  callId: 'K7QX-2M4D-9RTB',
  at: noon,
  durationMs: 900,
  isUrgent: true,
  isPrivate: false,
  callBack: phi('+13125550166'),
  service: null,
  urgency: null,
  path: 'M1.sealed',
  sentBy: null,
  copyOf: null,
  exportedAt: null,
} as const;
