import type { Config } from '../../config/index.ts';
import { Mailer } from '../../mail/index.ts';
import { readSecret, wholeFile } from '../../telephony/index.ts';

/** Throws PortError keyUnreadable for a file of the configuration that cannot be read. */
export function mailerOf(options: Config['mail']): Mailer {
  const { passwordFile, authorities } = options;
  return new Mailer({
    options,
    password: passwordFile === '' ? '' : readSecret('mail.passwordFile', { secretFile: passwordFile }),
    authorities: authorities === '' ? '' : wholeFile('mail.authorities', authorities),
  });
}
