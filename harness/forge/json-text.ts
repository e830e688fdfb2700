/**
 * JSON at the octet level: texts that no serializer makes. Each function returns a text maker, for `headerText` and
 * `payloadText` of a change.
 */

/** Makes octets from the right JSON text, which is an object as `JSON.stringify` writes it. */
export type TextMaker = (right: string) => string | Uint8Array;

function members(right: string): readonly (readonly [name: string, value: string])[] {
  const value: unknown = JSON.parse(right);
  return Object.entries(value ?? {}).map(([name, each]) => [JSON.stringify(name), JSON.stringify(each)]);
}

function object(all: readonly (readonly [name: string, value: string])[]): string {
  return `{${all.map(([name, value]) => `${name}:${value}`).join(',')}}`;
}

/** `"ekm"` → `"\u0065km"`: the same name to a JSON parser, another to a search for its text. */
function escapedName(name: string): string {
  const first = name.charCodeAt(0).toString(16).padStart(4, '0');
  return `"\\u${first}${JSON.stringify(name.slice(1)).slice(1)}`;
}

/**
 * The named member twice: with its right value and a wrong one (RFC 8259 §4 leaves open which counts).
 * @param escaped writes the second name with a `\u` escape.
 */
export function duplicateMember(
  name: string,
  wrong: unknown,
  order: 'right-then-wrong' | 'wrong-then-right',
  escaped = false,
): TextMaker {
  return (right) => {
    const plain = JSON.stringify(name);
    const second = escaped ? escapedName(name) : plain;
    return object(
      members(right).flatMap(([each, value]) => {
        if (each !== plain) return [[each, value]];
        const values =
          order === 'right-then-wrong' ? [value, JSON.stringify(wrong)] : [JSON.stringify(wrong), value];
        return [
          [plain, values[0] ?? ''],
          [second, values[1] ?? ''],
        ];
      }),
    );
  };
}

/** The named member with exactly this text as its value, such as `1e400`, `NaN` or `-0`; added where it was not there. */
export function literalMember(name: string, literal: string): TextMaker {
  return (right) => {
    const plain = JSON.stringify(name);
    const all = members(right);
    if (!all.some(([each]) => each === plain)) return object([...all, [plain, literal]]);
    return object(all.map(([each, value]) => [each, each === plain ? literal : value]));
  };
}

/** The named member under another name, in its place. */
export function memberAs(name: string, as: string): TextMaker {
  return (right) =>
    object(
      members(right).map(([each, value]) => [
        each === JSON.stringify(name) ? JSON.stringify(as) : each,
        value,
      ]),
    );
}

/** The same members, the first character of each name escaped: the same names to a JSON parser (RFC 8259 §8.3). */
export const escapedNames: TextMaker = (right) =>
  object(members(right).map(([name, value]) => [escapedName(String(JSON.parse(name))), value]));

/**
 * One member more, of another name, before the named one or after it.
 * @param values of the two; `right` for the value that the named one has
 */
export function memberBeside(
  name: string,
  values: {
    readonly value: unknown;
    readonly as: string;
    readonly asValue: unknown;
    readonly place: 'before' | 'after';
  },
): TextMaker {
  const { value, as, asValue, place } = values;
  return (right) =>
    object(
      members(right).flatMap(([each, own]) => {
        if (each !== JSON.stringify(name)) return [[each, own]];
        const text = (given: unknown): string => (given === 'right' ? own : JSON.stringify(given));
        const both = [
          [each, text(value)],
          [JSON.stringify(as), text(asValue)],
        ] as const;
        return place === 'after' ? both : both.toReversed();
      }),
    );
}

/** An array of the values of these members, in this order, and after them so many times `null`. */
export function memberValues(names: readonly string[], nulls = 0): TextMaker {
  return (right) => {
    const all = new Map(members(right));
    const values = names.map((name) => all.get(JSON.stringify(name)) ?? 'null');
    return `[${[...values, ...Array<string>(nulls).fill('null')].join(',')}]`;
  };
}

/** One more member, `x`, holding arrays nested this deep. */
export function deepNesting(depth: number): TextMaker {
  return literalMember('x', '['.repeat(depth) + ']'.repeat(depth));
}

/** The named member as an integer of this many digits. */
export function hugeNumber(name: string, digits: number): TextMaker {
  return literalMember(name, '9'.repeat(digits));
}

/** One more member, `x`, whose string holds octets that are not UTF-8. */
export const invalidUtf8: TextMaker = (right) =>
  Buffer.concat([
    Buffer.from(`${right.slice(0, -1)},"x":"`),
    Buffer.from([0xc3, 0x28, 0xff]),
    Buffer.from('"}'),
  ]);

/** A byte order mark first (RFC 8259 §8.1). */
export const byteOrderMark: TextMaker = (right) => `\uFEFF${right}`;

/** One more member, `x`, whose string is half of a surrogate pair, escaped. */
export const loneSurrogate: TextMaker = literalMember('x', '"\\ud800"');

/** The same text in UTF-16, big-endian, with a byte order mark. */
export const utf16: TextMaker = (right) => Buffer.from(`\uFEFF${right}`, 'utf16le').swap16();

/** The same members with other white space. */
export const respaced: TextMaker = (right) => JSON.stringify(JSON.parse(right), null, 2);
