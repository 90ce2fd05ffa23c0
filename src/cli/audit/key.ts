import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { done } from '../report.ts';
import { withAudit } from './site-audit.ts';

export function keyCommand(audit: Group, answer: Commands['answer']): void {
  audit('key')
    .description('the public key that checkpoints and exports are checked with')
    .action(
      answer((options: CommonOptions) =>
        withAudit(options, 'reader', async ({ reader: { publicKey, keyId } }) =>
          done([publicKey, `Ed25519; checkpoints call it ${keyId}. Keep it where this machine cannot change it.`], {
            publicKey,
            keyId,
          }),
        ),
      ),
    );
}
