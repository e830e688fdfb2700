/** One challenge of a `WWW-Authenticate` field (RFC 9110 §11.6.1). */
export interface Challenge {
  /** As sent; compare without regard to case. */
  readonly scheme: string;
  /** Parameter names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The RFC 9110 token68 form, where the challenge has that instead of parameters. */
  readonly token68?: string;
}

export type ParsedChallenges =
  | { readonly ok: true; readonly challenges: readonly Challenge[] }
  | { readonly ok: false; readonly problem: string };

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const SPACE = /[ \t]*/y;

/**
 * Parses the values of all `WWW-Authenticate` fields of a response, several challenges to a field allowed
 * (RFC 9110 §11.6.1, §11.2).
 *
 * @param values the field values as received, one entry per field line
 * @returns the challenges in order, or what is wrong with them in words
 */
export function parseChallenges(values: readonly string[]): ParsedChallenges {
  const challenges: Challenge[] = [];
  for (const value of values) {
    const parsed = parseValue(value);
    if (!parsed.ok) return parsed;
    challenges.push(...parsed.challenges);
  }
  return { ok: true, challenges };
}

interface Cursor {
  readonly text: string;
  at: number;
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (match === null) return undefined;
  cursor.at += match[0].length;
  return match[0];
}

/** A parameter's value, once its name and `=` are read. */
function takeValue(cursor: Cursor): { readonly value: string } | { readonly problem: string } {
  if (cursor.text[cursor.at] !== '"') {
    const token = take(cursor, TOKEN);
    return token === undefined ? { problem: 'a parameter without a value' } : { value: token };
  }
  let value = '';
  for (let at = cursor.at + 1; at < cursor.text.length; at++) {
    const character = cursor.text[at] ?? '';
    if (character === '"') {
      cursor.at = at + 1;
      return { value };
    }
    if (character === '\\') {
      at++;
      value += cursor.text[at] ?? '';
    } else if (/[\x00-\x08\x0a-\x1f\x7f]/.test(character)) {
      return { problem: 'a control character or line break within a quoted string' };
    } else {
      value += character;
    }
  }
  return { problem: 'a quoted string that does not end' };
}

function parseValue(text: string): ParsedChallenges {
  const cursor: Cursor = { text, at: 0 };
  const challenges: { scheme: string; parameters: Map<string, string>; token68?: string }[] = [];
  const fail = (problem: string): ParsedChallenges => ({ ok: false, problem: `${problem}, in: ${text}` });
  let separated = true;
  for (;;) {
    take(cursor, SPACE);
    if (cursor.at >= text.length) return { ok: true, challenges };
    if (text[cursor.at] === ',') {
      cursor.at++;
      separated = true;
      continue;
    }
    const name = take(cursor, TOKEN);
    if (name === undefined) return fail(`an unexpected character at ${cursor.at + 1}`);
    const gap = take(cursor, SPACE) ?? '';
    if (text[cursor.at] === '=') {
      const current = challenges.at(-1);
      if (current === undefined) return fail('a parameter before any scheme');
      cursor.at++;
      take(cursor, SPACE);
      const value = takeValue(cursor);
      if ('problem' in value) return fail(value.problem);
      const key = name.toLowerCase();
      if (current.parameters.has(key)) return fail(`the parameter ${key} twice in one challenge`);
      current.parameters.set(key, value.value);
      take(cursor, SPACE);
      if (cursor.at < text.length && text[cursor.at] !== ',')
        return fail('parameters that are not separated by commas');
      continue;
    }
    if (!separated) return fail('schemes that are not separated by commas');
    separated = false;
    const challenge: { scheme: string; parameters: Map<string, string>; token68?: string } = {
      scheme: name,
      parameters: new Map(),
    };
    challenges.push(challenge);
    if (gap === '') continue;
    const token68 = take(cursor, TOKEN68);
    if (token68 !== undefined) challenge.token68 = token68;
  }
}
