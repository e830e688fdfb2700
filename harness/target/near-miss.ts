/**
 * The known name that a mistyped one was most likely meant to be, for "did you mean …?".
 *
 * Letter case and separators do not count; one letter in four may be wrong, and one of three.
 *
 * @returns `undefined` when nothing is near.
 */
export function nearMiss(typed: string, known: readonly string[]): string | undefined {
  const plain = fold(typed);
  // A hostile manifest may hold a very long word; nothing known is near it.
  if (plain.length === 0 || plain.length > 64) return undefined;
  let best: { name: string; edits: number } | undefined;
  for (const name of known) {
    const other = fold(name);
    const edits = distance(plain, other);
    const length = Math.max(plain.length, other.length);
    const allowed = length < 3 ? 0 : Math.max(1, Math.floor(length / 4));
    if (edits <= allowed && edits < (best?.edits ?? Infinity)) best = { name, edits };
  }
  return best?.name;
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ ./]/g, '');
}

/** Levenshtein distance, with a swap of neighbours counted as one edit. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? at(beforeLast, j - 2) + 1 : Infinity;
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, substitution, swap));
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
