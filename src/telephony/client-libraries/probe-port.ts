import net from 'node:net';

/**
 * drachtio-fsmrf 5.0.1: `Mrf.connect` to a port where nobody listens retries every millisecond for ever and later
 * makes a media server that nobody holds; a wrong secret is retried for ever too. So port and secret are tried first,
 * on a connection of our own. Rejects with what is wrong.
 */
export function probeEventSocket(host: string, port: number, secret: string, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    let heard = '';
    const end = (error?: Error): void => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    socket.setTimeout(withinMs, () => end(new Error(`no answer from ${host}:${port} within ${withinMs} ms`)));
    socket.once('error', end);
    socket.once('close', () => end(new Error(`${host}:${port} closed the connection`)));
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
      if (heard.includes('rude-rejection')) end(new Error(`${host}:${port} does not accept connections from here`));
      else if (heard.includes('+OK accepted')) end();
      else if (heard.includes('-ERR')) end(new Error(`${host}:${port} refused the secret`));
      else if (heard.length > 4096) end(new Error(`${host}:${port} does not speak the event socket protocol`));
      else if (/auth\/request\r?\n\r?\n$/.test(heard)) socket.write(`auth ${secret}\n\n`);
    });
  });
}

/**
 * drachtio-fsmrf 5.0.1 listens for the media server without an error handler: a port in use would end the process.
 * Port 0 is left to the system. Rejects with the error that listening would meet.
 */
export function probeListen(host: string, port: number): Promise<void> {
  if (port === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(port, host, () => server.close(() => resolve()));
  });
}
