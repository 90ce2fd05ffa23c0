import net from 'node:net';

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
