/**
 * One relative distinguished name: its attributes as `TYPE=value`, type in upper case, value without escapes, sorted.
 * Two of them are the same name where they are the same list.
 */
type RelativeName = readonly string[];

/** Splits at a separator that no backslash stands before. */
function split(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let part = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (character === '\\') {
      part += character + (text[index + 1] ?? '');
      index += 1;
    } else if (character === separator) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return [...parts, part];
}

/** RFC 4514 §2.4: `\,` stands for the character, `\2C` for an octet of its UTF-8 form. */
function unescaped(value: string): string {
  const escapes = /(?:\\[0-9A-Fa-f]{2})+|\\(.)/gs;
  return value.replaceAll(escapes, (escape, character: string | undefined) =>
    character === undefined ? Buffer.from(escape.replaceAll('\\', ''), 'hex').toString('utf8') : character,
  );
}

/** The white space around an attribute is none of its value, unless a backslash makes it so. */
function trimmed(value: string): string {
  const start = value.trimStart();
  const end = start.trimEnd();
  return end.endsWith('\\') ? `${end} ` : end;
}

function attribute(text: string): string {
  const at = text.indexOf('=');
  return `${text.slice(0, at).trim().toUpperCase()}=${unescaped(trimmed(text.slice(at + 1)))}`;
}

function relativeName(text: string): RelativeName {
  return split(text, '+').map(attribute).sort();
}

function same(left: readonly RelativeName[], right: readonly RelativeName[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/**
 * Whether a certificate's subject is the distinguished name that a client registered.
 *
 * @param subject `X509Certificate.subject` of Node: one relative name in a line, in the order of the certificate
 * @param expected the name as RFC 4514 writes it: the other way round, with commas
 *
 * Source: RFC 8705 §2.1.2 `tls_client_auth_subject_dn`; RFC 4514 §2, §3.
 */
export function isSubject(subject: string, expected: string): boolean {
  const actual = subject
    .split('\n')
    .map((line) => relativeName(line))
    .reverse();
  return same(actual, split(expected, ',').map(relativeName));
}
