import { connect, createServer, type Socket } from 'node:net';

interface MovingAddress extends AsyncDisposable {
  readonly port: number;
  /** From now on, new connections go there; those that stand are cut. */
  moveTo(port: number): void;
}

/** One address for several servers, one at a time: a virtual IP, a DNS name, a Kubernetes Service, a balancer. */
export async function movingAddress(initial: number): Promise<MovingAddress> {
  let target = initial;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    port,
    moveTo(next) {
      target = next;
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
