/**
 * Text that came from outside, made safe to look at: characters that steer a terminal, reverse a line or
 * cannot be seen are replaced by their escape, so that a reader sees what is there.
 */

// Controls, format characters (bidi controls, zero-width, tags), separators, blanks other than the
// ordinary space, lone surrogates, variation selectors, fillers that show nothing, and non-characters.
const UNSEEN = new RegExp(
  String.raw`[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Zs}\p{Noncharacter_Code_Point}\p{Variation_Selector}` +
    String.raw`\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]--[\x20\n\t]]`,
  'gv',
);

const SHORT: Readonly<Record<string, string>> = { '\r': '\\r', '\n': '\\n', '\t': '\\t' };

function escape(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

/**
 * Makes every unseen character visible as `\u202e` (or `\r`); line feeds and tabs stay, as the text may
 * be shown in several lines. The result is free of C0/C1 controls other than those two, of bidi
 * controls and of characters that XML 1.0 forbids. It is not HTML: escape it like every text.
 */
export function visible(text: string): string {
  return text.replace(UNSEEN, escape);
}

/** As {@link visible}, for a place that holds one line: line feeds and tabs are shown as `\n` and `\t` too. */
export function visibleLine(text: string): string {
  return visible(text).replace(/[\n\t]/g, escape);
}

/** The first `length` UTF-16 units of `text`, and how many were left out. Never cuts a surrogate pair. */
export function clip(text: string, length: number): { readonly text: string; readonly omitted: number } {
  if (text.length <= length) return { text, omitted: 0 };
  const cut = /[\ud800-\udbff]/.test(text.charAt(length - 1)) ? length - 1 : length;
  return { text: text.slice(0, cut), omitted: text.length - cut };
}
