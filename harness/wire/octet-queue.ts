/**
 * Octets waiting to be read, in one growing buffer. Each octet is copied and scanned a bounded number of times, so a
 * peer that drips single octets costs no more than one that sends them at once.
 */
export class OctetQueue {
  #buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #scanned = 0;

  /** Octets waiting. */
  get length(): number {
    return this.#end - this.#start;
  }

  push(octets: Uint8Array): void {
    if (this.#end + octets.length > this.#buffer.length) this.#grow(octets.length);
    this.#buffer.set(octets, this.#end);
    this.#end += octets.length;
  }

  /** Takes a line up to and without LF (a CR before it stays), as latin1; `undefined` if no LF has come. */
  line(): string | undefined {
    const from = Math.max(this.#scanned, this.#start);
    const feed = this.#buffer.subarray(0, this.#end).indexOf(0x0a, from);
    if (feed < 0) {
      this.#scanned = this.#end;
      return undefined;
    }
    const line = this.#buffer.toString('latin1', this.#start, feed);
    this.#start = feed + 1;
    return line;
  }

  /** Takes at most `count` octets; a copy. */
  take(count: number): Buffer {
    const stop = Math.min(this.#start + count, this.#end);
    const octets = Buffer.from(this.#buffer.subarray(this.#start, stop));
    this.#start = stop;
    return octets;
  }

  /** What waits, without taking it. */
  peek(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  #grow(more: number): void {
    const length = this.length;
    const size = Math.max(1024, 2 * length, length + more);
    const buffer = Buffer.allocUnsafe(size);
    this.#buffer.copy(buffer, 0, this.#start, this.#end);
    this.#scanned = Math.max(0, this.#scanned - this.#start);
    this.#buffer = buffer;
    this.#start = 0;
    this.#end = length;
  }
}
