/**
 * What a server may send for one `send`. Real replies are far below: the longest is an INFO of some 10 kB, the largest list is LATENCY
 * HISTORY with 160 events of two numbers (latency.h), and no reply nests deeper than that.
 */
export const RESP_LIMITS = {
  /** Of all replies together, in bytes. */
  bytes: 16 * 1024 * 1024,
  /** Of one text, in bytes. */
  text: 8 * 1024 * 1024,
  /** Of a simple string or an error, in bytes. */
  line: 128 * 1024,
  /** Of a number or a length, in bytes. */
  header: 32,
  /** Of all lists together: each element costs the client's parser an object. */
  elements: 10_000,
  /** The same for a description of a whole Cluster: 17 for each of 1,000 nodes, and two for each range, of which 16,384 slots make as many at most. */
  clusterElements: 64_000,
  /** Lists within lists. */
  depth: 4,
} as const;

const CR = 0x0d;
const LF = 0x0a;
const ERROR = '-';
const LINES = '+-';
const HEADERS = ':$*';
/** Types that RESP3 has added. */
const RESP3 = '_#,(!=%~|>';

const INTEGER = /^[+-]?\d{1,20}$/;
/** As Redis writes them: no sign, except for null, and no leading zero. */
const LENGTH = /^(?:0|[1-9]\d*)$/;
const NULL = '-1';

const UNASKED = 'a reply without a command';
const TOO_MUCH = 'more than 16 MiB of replies at once';

/** What the next byte belongs to. */
type Place = 'type' | 'line' | 'line-feed' | 'text' | 'text-end';

/**
 * Checks what a server sends before the client's parser sees it: replies in RESP2, no more of them than there were commands, within
 * {@link RESP_LIMITS}. Keeps counters and one header of at most 32 bytes, so that it needs no memory of its own, and gives the same
 * bytes the same verdict, however they are split.
 */
export class RespGuard {
  #outstanding = 0;
  #bytes = 0;
  #elements = 0;
  #mostElements: number = RESP_LIMITS.elements;
  /** Elements that are still to come, of each list that is open. */
  readonly #open: number[] = [];
  #place: Place = 'type';
  #type = '';
  #header = '';
  /** Of the line: bytes so far; of the text: bytes to come. */
  #length = 0;
  #violation: string | undefined;

  /** All expected replies have arrived, and no other one has begun. */
  get isComplete(): boolean {
    return this.#outstanding === 0 && this.#place === 'type';
  }

  /** This many commands are being sent: as many replies may arrive. */
  expect(replies: number, mostElements: number = RESP_LIMITS.elements): void {
    if (this.#outstanding === 0) {
      this.#bytes = 0;
      this.#elements = 0;
    }
    this.#mostElements = mostElements;
    this.#outstanding += replies;
  }

  /** Undefined while all is well; otherwise a description of the violation, without any of its bytes. Final: later bytes are ignored. */
  feed(chunk: Uint8Array): string | undefined {
    for (let at = 0; at < chunk.length && this.#violation === undefined; ) {
      if (this.#place === 'text') at += this.#skip(chunk.length - at);
      else this.#violation = this.#step(chunk[at++] ?? 0);
    }
    return this.#violation;
  }

  /** The header has been checked: these bytes fit. */
  #skip(available: number): number {
    const skipped = Math.min(this.#length, available);
    this.#length -= skipped;
    this.#bytes += skipped;
    if (this.#length === 0) this.#place = 'text-end';
    return skipped;
  }

  #step(byte: number): string | undefined {
    if (++this.#bytes > RESP_LIMITS.bytes) return TOO_MUCH;
    switch (this.#place) {
      case 'type':
        return this.#begin(String.fromCharCode(byte));
      case 'line':
        return this.#lengthen(byte);
      case 'line-feed':
        return byte === LF ? this.#endOfLine() : 'a line without a line feed at its end';
      case 'text-end':
        if (byte !== CR) return 'a text of another length than it announced';
        this.#place = 'line-feed';
        this.#type = '';
        return undefined;
      case 'text':
        return undefined;
    }
  }

  #begin(type: string): string | undefined {
    if (RESP3.includes(type)) return 'a reply in RESP3, although RESP2 was requested';
    if (!LINES.includes(type) && !HEADERS.includes(type)) return 'bytes that are not the beginning of a reply';
    // Before it closes a connection, a server may send an error by itself: its words are of interest.
    if (type !== ERROR && this.#isUnasked()) return UNASKED;
    this.#place = 'line';
    this.#type = type;
    this.#header = '';
    this.#length = 0;
    return undefined;
  }

  #isUnasked(): boolean {
    return this.#outstanding === 0;
  }

  #lengthen(byte: number): string | undefined {
    if (byte === CR) {
      this.#place = 'line-feed';
      return undefined;
    }
    if (byte === LF) return 'a line that ends too early';
    const isHeader = HEADERS.includes(this.#type);
    if (++this.#length > (isHeader ? RESP_LIMITS.header : RESP_LIMITS.line)) {
      return isHeader ? 'a number of more than 32 bytes' : 'a line of more than 128 KiB';
    }
    if (isHeader) this.#header += String.fromCharCode(byte);
    return undefined;
  }

  #endOfLine(): string | undefined {
    switch (this.#type) {
      case ':':
        return INTEGER.test(this.#header) ? this.#finish() : 'a malformed number';
      case '$':
        return this.#header === NULL ? this.#finish() : this.#beginText();
      case '*':
        return this.#header === NULL ? this.#finish() : this.#beginList();
      default:
        return this.#isUnasked() ? UNASKED : this.#finish();
    }
  }

  #beginText(): string | undefined {
    if (!LENGTH.test(this.#header)) return 'a text whose length is not a number';
    const length = Number(this.#header);
    if (length > RESP_LIMITS.text) return 'a text of more than 8 MiB';
    if (this.#bytes + length > RESP_LIMITS.bytes) return TOO_MUCH;
    this.#length = length;
    this.#place = length === 0 ? 'text-end' : 'text';
    return undefined;
  }

  #beginList(): string | undefined {
    if (!LENGTH.test(this.#header)) return 'a list whose length is not a number';
    const length = Number(this.#header);
    this.#elements += length;
    if (this.#elements > this.#mostElements)
      return `lists of more than ${this.#mostElements.toLocaleString('en')} elements`;
    if (length === 0) return this.#finish();
    if (this.#open.length === RESP_LIMITS.depth) return 'lists that nest more than 4 deep';
    this.#open.push(length);
    this.#place = 'type';
    return undefined;
  }

  /** The end of an element, and of each list that it was the last of; or of a reply. */
  #finish(): undefined {
    this.#place = 'type';
    for (let left = this.#open.pop(); left !== undefined; left = this.#open.pop()) {
      if (left === 1) continue;
      this.#open.push(left - 1);
      return;
    }
    this.#outstanding -= 1;
  }
}
