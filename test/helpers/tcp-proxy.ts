import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a line does with bytes that come over it; what a line did before does not come back. */
export type LineMode =
  | { readonly kind: 'pass' }
  /** Replies come so much later, in order. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Nothing comes through, and nobody is told. */
  | { readonly kind: 'blackhole' }
  /** The connection is reset once so many bytes of replies have come through. */
  | { readonly kind: 'cut'; readonly afterBytes: number };

/** A line between clients and a server, which fails as it is told to. */
export interface TcpProxy {
  readonly url: string;
  /** How new connections behave, and with `all` those that are open. */
  set(mode: LineMode, lines: 'all' | 'new'): void;
  /** Resets every open connection. */
  reset(): void;
  /** Connections so far. */
  readonly connections: number;
}

interface Line {
  readonly client: Socket;
  readonly server: Socket;
  mode: LineMode;
  replied: number;
}

/** Opens a line to a server; closed with the test. */
export async function openProxy(target: { readonly port: number }): Promise<TcpProxy> {
  const lines = new Set<Line>();
  let mode: LineMode = { kind: 'pass' };
  let connections = 0;
  const listener = createServer((client) => {
    connections++;
    const server = connect(target.port, '127.0.0.1');
    const line: Line = { client, server, mode, replied: 0 };
    lines.add(line);
    const end = (): void => {
      lines.delete(line);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.setNoDelay().on('close', end).on('error', end);
    client.on('data', (bytes) => {
      if (line.mode.kind !== 'blackhole') server.write(bytes);
    });
    server.on('data', (bytes) => reply(line, bytes));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const reset = (): void => {
    for (const { client } of lines) client.resetAndDestroy();
  };
  onTestFinished(async () => {
    listener.close();
    reset();
    await once(listener, 'close');
  });
  return {
    url: `redis://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    set(next, which) {
      mode = next;
      if (which === 'new') return;
      for (const line of lines) line.mode = next;
    },
    reset,
  };
}

function reply(line: Line, bytes: Buffer): void {
  const { client, mode } = line;
  if (mode.kind === 'blackhole') return;
  if (mode.kind === 'delay') {
    setTimeout(() => client.write(bytes), mode.ms);
    return;
  }
  const left = mode.kind === 'cut' ? mode.afterBytes - line.replied : Number.POSITIVE_INFINITY;
  line.replied += bytes.length;
  if (bytes.length < left) client.write(bytes);
  else client.write(bytes.subarray(0, left), () => client.resetAndDestroy());
}
