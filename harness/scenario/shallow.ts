/** Levels of foreign JSON that are shown: recursive readers of a record (and `JSON.stringify` itself) give up at some depth. */
const DEPTH = 16;

/** JSON data with whatever lies deeper than a reader of the record can follow replaced by a remark. */
export function shallow(value: unknown, depth = DEPTH): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '… (nested deeper)';
  if (Array.isArray(value)) return value.map((each) => shallow(each, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shallow(each, depth - 1)]));
}
