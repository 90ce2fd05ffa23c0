import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { openSealed } from '../../src/vault/index.ts';
import { mediadSystem } from '../support/mediad-system.ts';
import { until } from '../support/processes.ts';
import { RtpPhone } from '../support/rtp-phone.ts';

/** WARDLINE_MESSAGES says how many are left with mediad, WARDLINE_MESSAGES_AT_ONCE how many of them at the same time. */
const MESSAGES = Number(process.env['WARDLINE_MESSAGES'] ?? 6);
const AT_ONCE = Number(process.env['WARDLINE_MESSAGES_AT_ONCE'] ?? 3);
const FRAMES = 60;
const FRAME_BYTES = 160;
const SILENCE = 0xff;

/** A frame that is no other's: what message it is of, and which of it; never silence. */
function frame(message: number, n: number): Buffer {
  return Buffer.alloc(FRAME_BYTES, Buffer.from([1 + (message >> 6), 1 + (message & 0x3f), 0x80 + n]));
}

/** Which frames of the message a recording has, in their order; what is neither one of them nor silence is `odd`. */
function heardIn(audio: Uint8Array, message: number): { readonly frames: readonly number[]; readonly odd: number } {
  const known = new Map(Array.from({ length: FRAMES }, (_, n) => [frame(message, n).toString('latin1'), n]));
  const bytes = Buffer.from(audio);
  const frames: number[] = [];
  let odd = 0;
  for (let at = 0; at < bytes.length; ) {
    const n = known.get(bytes.toString('latin1', at, at + FRAME_BYTES));
    if (n !== undefined) frames.push(n);
    else if (bytes[at] !== SILENCE) odd += 1;
    at += n === undefined ? 1 : FRAME_BYTES;
  }
  return { frames, odd };
}

void t.test(
  `${MESSAGES} messages, ${AT_ONCE} at once: each opens to what its caller said, and to nobody else's`,
  { timeout: 60_000 + MESSAGES * 5_000 },
  async (t) => {
    const identity = await generateX25519Identity();
    const sealTo = [await identityToRecipient(identity)];
    const { mediad, caller, application } = await mediadSystem(t, { sealTo });
    // Who calls next is whom the application is told of next.
    let calling: Promise<unknown> = Promise.resolve();
    const enter = () => {
      const entered = calling.then(async () => {
        const phone = await RtpPhone.open();
        const headers = { 'X-esl-outbound': application.address };
        const { response, call } = await caller.invite(`sip:drachtio@${mediad.sipAddress}`, headers, phone.sdp);
        if (call === undefined) throw new Error(`refused with ${response.status}`);
        call.ack();
        phone.talkTo(response.body.toString());
        return { phone, call, ...(await application.accept()) };
      });
      calling = entered;
      return entered;
    };
    let said = 0;
    let heard = 0;
    const leave = async (message: number): Promise<void> => {
      const { phone, call, esl } = await enter();
      const path = join(mediad.recordings, `m${message}.sealed`);
      await esl.command(`sendmsg\ncall-command: execute\nexecute-app-name: record\nexecute-app-arg: ${path}`);
      await phone.speak(Array.from({ length: FRAMES }, (_, n) => frame(message, n)));
      // What waits for those that are late is heard before the end.
      await phone.speak(Array.from({ length: 10 }, () => Buffer.alloc(FRAME_BYTES, SILENCE)));
      call.bye();
      const opened = await until(`message ${message} to be complete`, async () => {
        const found = await openSealed(await readFile(path), [identity]);
        return found.kind === 'opened' && found.ending === 'complete' && found;
      });
      phone.close();
      const { frames, odd } = heardIn(opened.audio, message);
      const isInOrder = frames.every((n, i) => i === 0 || n > (frames[i - 1] ?? 0));
      if (!isInOrder || frames.length === 0 || odd > 0 || opened.damaged.length > 0)
        t.fail(`message ${message} is not what was said`, { frames: frames.join(), odd, damaged: opened.damaged });
      said += FRAMES;
      heard += frames.length;
    };
    let next = 0;
    const line = async () => {
      while (next < MESSAGES) await leave(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, line));
    t.pass(`${heard} of ${said} frames`);
  },
);
