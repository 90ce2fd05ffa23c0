import { readFileSync, readdirSync } from 'node:fs';
import { EslApplication, EslClient } from './support/esl-client.ts';
import { SECRET, startMediad } from './support/mediad-process.ts';
import { SipCaller } from './support/sip-caller.ts';
const mediad = await startMediad(); const caller = await SipCaller.open(); const app = await EslApplication.open();
const control = await EslClient.member(mediad.eventSocketPort, SECRET);
const stat = () => `${/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${mediad.process.pid}/status`,'utf8'))?.[1]} kB, fds ${readdirSync(`/proc/${mediad.process.pid}/fd`).length}`;
const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n`;
for (let round = 0; round < 4; round++) {
  const t0 = performance.now();
  for (let i = 0; i < 60; i++) {
    await Promise.all(Array.from({length: 25}, async () => {
      const { call, response } = await caller.invite(`sip:d@${mediad.sipAddress}`, { 'X-esl-outbound': app.address }, sdp);
      if (!call) throw new Error(String(response.status));
      call.ack();
      const { esl } = await app.accept();
      esl.socket.write('sendmsg\ncall-command: execute\nexecute-app-name: hangup\n\n');
      await esl.closed();
      esl.close();
    }));
  }
  console.log(round, '1500 calls in', Math.round(performance.now()-t0), 'ms', stat());
  await new Promise(r => setTimeout(r, 40000));
  console.log('rested', stat());
}
control.close(); app.close(); caller.close(); await mediad.stop(); process.exit(0);
