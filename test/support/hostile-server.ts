import type { Socket } from 'node:net';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { type OddServer, oddServer } from './odd-server.ts';
import { bytesOf } from './resp.ts';

/** What a server sends, each character a byte. */
export interface Script {
  /** Before it has read anything, and after each write of its client's, in turn. */
  readonly greeting: string;
  readonly answers: readonly string[];
  /** Bytes that are sent at a time. */
  readonly piece: number;
  /** What it does when it has said everything. */
  readonly ending: 'hang up' | 'reset' | 'stay';
  /** For how long it waits for a write before it ends, in ms; for ever by default. */
  readonly patience?: number;
}

/** A server that plays a script to each of its clients. */
export function hostileServer(script: Script): Promise<OddServer> {
  return oddServer((socket) => void play(script, socket).catch(() => socket.destroy()));
}

async function play({ greeting, answers, piece, ending, patience }: Script, socket: Socket): Promise<void> {
  socket.setNoDelay(true);
  const writes = queued(socket);
  await say(socket, greeting, piece);
  for (const answer of answers) {
    const isHeard = await Promise.race([writes.next().then(() => true), ...(patience ? [wait(patience, false)] : [])]);
    if (!isHeard) break;
    await say(socket, answer, piece);
  }
  if (ending === 'reset') socket.resetAndDestroy();
  else if (ending === 'hang up') socket.end();
}

/** Ends with the connection. */
async function* queued(socket: Socket): AsyncGenerator<void> {
  let unseen = 0;
  let notify = () => {};
  socket.on('data', () => {
    unseen++;
    notify();
  });
  socket.once('close', () => notify());
  while (!socket.destroyed) {
    if (unseen === 0) {
      await new Promise<void>((resolve) => {
        notify = resolve;
      });
    }
    if (unseen > 0) {
      unseen--;
      yield;
    }
  }
}

async function say(socket: Socket, text: string, piece: number): Promise<void> {
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length && socket.writable; at += piece) {
    socket.write(bytes.subarray(at, at + piece));
    if (at + piece < bytes.length) await turn();
  }
}
