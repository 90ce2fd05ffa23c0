import { z } from 'zod';
import { isRecipient } from './age-recipient.ts';

export { KEYRING_FOLDER, SECRETS_FOLDER } from './folders.ts';

/** Where a key comes from that need not lie on this disk. */
export const keyPlace = z
  .string()
  .max(4096)
  .regex(/^(?:secrets|\/.*|env:\w+|command:\s*\S.*)$/, {
    error: 'must be secrets, an absolute path, env:NAME, or command:PROGRAM and its arguments',
  })
  .default('secrets');

export const voicemailOptions = z.strictObject({
  masterKey: keyPlace,
  escrow: z.array(z.string().max(100).refine(isRecipient, 'must be an age X25519 recipient, age1…')).max(8).default([]),
});
