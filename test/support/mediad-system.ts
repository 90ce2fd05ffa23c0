import { EslApplication } from './esl-client.ts';
import { startMediad } from './mediad-process.ts';
import { SipCaller } from './sip-caller.ts';

/** mediad, a caller and an application, put away at the end of the test. `options`: of mediad. */
export async function mediadSystem(
  t: { teardown: (run: () => Promise<void>) => void },
  options: Parameters<typeof startMediad>[0],
) {
  const mediad = await startMediad(options);
  const caller = await SipCaller.open();
  const application = await EslApplication.open();
  t.teardown(async () => {
    application.close();
    caller.close();
    await mediad.stop();
  });
  return { mediad, caller, application };
}
