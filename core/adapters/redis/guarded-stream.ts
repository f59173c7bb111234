import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { closedAtOnce, farewellIn, hungUp, notRedis, type Place, speaksTls } from './failure.ts';
import { RESP_LIMITS, RespGuard } from './resp-guard.ts';

/** Enough for each farewell: that of the protected mode has 900 characters and is recognised by the first 100. */
const FAREWELL_BYTES = 1024;
/** An observation of a real server needs less. */
const FIRST_BYTES = 16 * 1024;
/** What each stream may hold in any case. */
const OWN_BYTES = 256 * 1024;
/** What all streams of the process may hold beyond that: many servers that send much must not exceed a function's memory. */
const SHARED_BYTES = 64 * 1024 * 1024;
let held = 0;

/**
 * The client reads from this stream in place of the socket. It passes replies on in one piece, when all of them have arrived, and only if a
 * {@link RespGuard} has accepted each byte: the client's parser sees no broken, endless or unsolicited reply, and no server makes it hold more
 * than 16 MiB. Anything else ends the stream with a NodeFailure.
 */
export class GuardedStream extends Duplex {
  readonly #socket: Socket;
  readonly #target: Place;
  readonly #guard = new RespGuard();
  #held = Buffer.alloc(0);
  #size = 0;
  #hasHeard = false;

  constructor(socket: Socket, target: Place) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#target = target;
    // The code that destroys it has the cause, or reads `errored`: an error without a listener would end the process.
    this.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
    if (socket.destroyed) this.#end();
  }

  /** This many commands are being sent. */
  expect(replies: number, mostElements?: number): void {
    this.#guard.expect(replies, mostElements);
  }

  /** Resolves when the socket's file descriptor is free again, whichever side has closed it. */
  untilClosed(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
  }

  /** The IP address at the other end; undefined once it is closed. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** The client calls it as if this were a socket. */
  setNoDelay(isOn: boolean): this {
    this.#socket.setNoDelay(isOn);
    return this;
  }

  /** The client calls it as if this were a socket. */
  setKeepAlive(isOn: boolean, delay: number): this {
    this.#socket.setKeepAlive(isOn, delay);
    return this;
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    if (!this.#hasHeard && isTlsAlert(chunk)) {
      this.#end(speaksTls(this.#target));
      return;
    }
    this.#hasHeard = true;
    const violation = this.#guard.feed(chunk);
    if (violation !== undefined) {
      if (this.#size < FAREWELL_BYTES) this.#hold(chunk.subarray(0, FAREWELL_BYTES));
      this.#end(notRedis(this.#target, violation));
      return;
    }
    if ((this.#size > 0 || !this.#guard.isComplete) && !this.#hold(chunk)) {
      this.#end(notRedis(this.#target, 'much data, as other servers did at the same time: together more than 64 MiB'));
      return;
    }
    if (this.#guard.isComplete) this.push(this.#size > 0 ? this.#release() : chunk);
  }

  /** One buffer for all pieces: a server that sends single bytes must not cost an object for each. False: no memory is left. */
  #hold(chunk: Buffer): boolean {
    const size = this.#size + chunk.length;
    if (size > this.#held.length) {
      const room = Math.max(FIRST_BYTES, size, Math.min(2 * size, RESP_LIMITS.bytes));
      if (room > OWN_BYTES && held - this.#held.length + room > SHARED_BYTES) return false;
      const roomier = Buffer.allocUnsafe(room);
      this.#held.copy(roomier, 0, 0, this.#size);
      held += room - this.#held.length;
      this.#held = roomier;
    }
    chunk.copy(this.#held, this.#size);
    this.#size = size;
    return true;
  }

  #release(): Buffer {
    const replies = this.#held.subarray(0, this.#size);
    held -= this.#held.length;
    this.#held = Buffer.alloc(0);
    this.#size = 0;
    return replies;
  }

  #end(error?: Error): void {
    const farewell = farewellIn(firstError(this.#held.subarray(0, Math.min(this.#size, FAREWELL_BYTES))));
    if (farewell !== undefined) this.destroy(hungUp(this.#target, farewell));
    else this.destroy(this.#isClosedAtOnce(error) ? closedAtOnce(this.#target) : error);
  }

  /** Reset, or ended without an error, before it has sent anything. */
  #isClosedAtOnce(error: Error | undefined): boolean {
    const { code } = (error ?? {}) as NodeJS.ErrnoException;
    return !this.#hasHeard && !this.destroyed && (error === undefined || code === 'ECONNRESET' || code === 'EPIPE');
  }

  override _read(): void {
    // The guard limits the size: no back-pressure is needed.
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  /** At once, without waiting for the rest: a server that reads nothing and sends without end would keep the connection. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#release();
    this.#socket.destroy();
    done(error);
  }
}

/** Of a server that got plain text where it expects a ClientHello: record type 21, version 3.x (RFC 8446, 5.1). */
function isTlsAlert(chunk: Buffer): boolean {
  return chunk[0] === 0x15 && (chunk.length === 1 || chunk[1] === 0x03);
}

/** The first line, if it is an error. */
function firstError(bytes: Buffer): string {
  const [line = ''] = bytes.toString('latin1').split('\r\n', 1);
  return line.startsWith('-') ? line : '';
}
