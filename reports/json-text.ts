/**
 * JSON text of a value, well-formed whatever is in it. Claims of hostile proofs may hold halves of surrogate pairs, in
 * names too. `JSON.stringify` writes those as escapes, which RFC 8259 §8.2 calls unpredictable: jq refuses the whole
 * file. Each becomes U+FFFD here, as in {@link String.toWellFormed}; a pair is written as the character that it is.
 *
 * @param space as for `JSON.stringify`
 */
export function jsonText(value: object, space?: number): string {
  // An escaped backslash is passed over as a whole, so that what follows it is not taken for an escape.
  return JSON.stringify(value, null, space).replaceAll(
    /\\\\|\\u(d[89a-f][0-9a-f]{2})/g,
    (escape, half: string | undefined) => (half === undefined ? escape : '\ufffd'),
  );
}
