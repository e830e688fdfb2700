import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

/** Longest log line that is kept, in characters; the rest of the line is dropped. */
export const MAX_LINE = 2048;
/** How many lines are kept; older ones are dropped. */
export const MAX_LINES = 500;

/** The last lines of a target's log, in bounded memory however much it writes. */
export class LogRing {
  readonly #lines: string[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #following = 0;
  #next = 0;

  /** Resolves when every stream that was followed has ended; with none, never. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Adds one line, without its line end. Control characters become visible signs, so that no terminal obeys them. */
  add(line: string): void {
    const kept = line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line;
    this.#lines[this.#next % MAX_LINES] = kept.replaceAll(/[\p{Cc}\p{Cf}]/gu, visible);
    this.#next += 1;
  }

  /** The lines kept, oldest first; a first line says how many older ones were dropped. */
  lines(): readonly string[] {
    if (this.#next <= MAX_LINES) return this.#lines.slice();
    const oldest = this.#next % MAX_LINES;
    const dropped = `… ${this.#next - MAX_LINES} earlier lines dropped …`;
    return [dropped, ...this.#lines.slice(oldest), ...this.#lines.slice(0, oldest)];
  }

  /** Takes in everything that a stream of UTF-8 text yields, line by line, until it ends. */
  follow(stream: Readable): void {
    const decoder = new StringDecoder('utf8');
    this.#following++;
    let rest = '';
    const take = (text: string): void => {
      const lines = text.split('\n');
      for (const [index, part] of lines.entries()) {
        // A line without end must not grow: what is beyond the longest line that is kept is not collected.
        if (rest.length <= MAX_LINE) rest += part.slice(0, MAX_LINE + 1);
        if (index === lines.length - 1) return;
        this.add(rest.replace(/\r$/, ''));
        rest = '';
      }
    };
    stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
    stream.on('error', () => undefined);
    stream.on('end', () => {
      take(decoder.end());
      if (rest !== '') this.add(rest);
      rest = '';
    });
    stream.once('close', () => {
      this.#following--;
      if (this.#following === 0) this.#ended.resolve();
    });
  }
}

function visible(character: string): string {
  if (character === '\t') return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '\u2421' : `\\u{${code.toString(16)}}`;
}
