/** One named check of an ordered list. `run` returns what is wrong, or `undefined`. */
export interface Check<Name extends string, Run> {
  readonly name: Name;
  /** Where the check comes from, such as `draft -06 §3.3.2 step 5f`. */
  readonly section: string;
  readonly run: Run;
}

/**
 * An ordered, immutable list of named checks. Variants are composed from it, never switched inside
 * it: `defaultChecks.without('type')` or `defaultChecks.with('type', run)`.
 */
export class Checks<Name extends string, Run> implements Iterable<Check<Name, Run>> {
  readonly entries: readonly Check<Name, Run>[];

  /** @throws TypeError where two checks share a name */
  constructor(entries: readonly Check<Name, Run>[]) {
    if (new Set(entries.map(({ name }) => name)).size !== entries.length) {
      throw new TypeError('two checks have the same name');
    }
    this.entries = entries;
  }

  [Symbol.iterator](): Iterator<Check<Name, Run>> {
    return this.entries[Symbol.iterator]();
  }

  /** The check of that name. @throws TypeError where there is none */
  get(name: Name): Check<Name, Run> {
    const found = this.entries.find((entry) => entry.name === name);
    if (found === undefined) throw new TypeError(`no check is named ${name}`);
    return found;
  }

  /** The same list with another `run` for one check. @throws TypeError where there is no such check */
  with(name: Name, run: Run): Checks<Name, Run> {
    const replaced = this.get(name);
    return new Checks(this.entries.map((entry) => (entry === replaced ? { ...entry, run } : entry)));
  }

  /** The same list less one check. @throws TypeError where there is no such check */
  without(name: Name): Checks<Name, Run> {
    const removed = this.get(name);
    return new Checks(this.entries.filter((entry) => entry !== removed));
  }
}
