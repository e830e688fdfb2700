import { html as template } from 'hono/html';
import { clip, visible, visibleLine } from '../visible.ts';

/** A piece of HTML, known to be well-formed and escaped. */
export type Markup = string & { readonly isEscaped: true };

const compacted = new WeakMap<TemplateStringsArray, TemplateStringsArray>();

/** Takes the source's indentation out of a template: repeated ten thousand times it is most of a report. */
function compact(strings: TemplateStringsArray): TemplateStringsArray {
  const known = compacted.get(strings);
  if (known !== undefined) return known;
  const made = Object.assign(
    strings.map((part) => part.replace(/\s*\n\s*/g, '\n')),
    { raw: strings.raw },
  );
  compacted.set(strings, made);
  return made;
}

/**
 * Tagged template for HTML: every interpolated value is escaped unless it is {@link Markup} itself; arrays
 * are joined; `null`, `undefined` and `false` leave nothing. Attribute values have to be quoted. White
 * space with a line break in it counts as one line break, so a template holds no preformatted text of its own.
 */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Markup {
  // Only a promise among the values makes hono answer with a promise, and templates here are synchronous.
  return template(compact(strings), ...values) as Markup;
}

const PLAIN = /^[\x20-\x7e\n\t]*$/;

/** Text of any origin: unseen characters made visible, and kept from reordering what stands around it. */
export function shown(text: string): Markup {
  const safe = visible(text);
  return PLAIN.test(text) ? html`${safe}` : html`<bdi>${safe}</bdi>`;
}

/** As {@link shown}, cut after `length` characters with a note of how much is missing. */
export function shownUpTo(text: string, length: number): Markup {
  const { text: kept, omitted } = clip(text, length);
  return omitted === 0
    ? shown(kept)
    : html`${shown(kept)}<span class="cut">… ${omitted} more characters in report.json</span>`;
}

/** The value of an attribute; no markup, one line. */
export function attributeText(text: string): string {
  return visibleLine(text);
}

/** Several lines of technical text. */
export function block(text: string, length = 2000): Markup {
  return html`<pre>${shownUpTo(text, length)}</pre>`;
}

/** `1 scenario`, `2 scenarios`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`;
}

/** Milliseconds as `0.4 ms`, `12 ms` or `3.2 s`. */
export function milliseconds(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}
