/**
 * A mistake of the user's: a wrong option, manifest, file or setting. Shown without a stack trace, as
 * `<where>: <what>` and the remedy, with exit code 2.
 */
export class UsageError extends Error {
  /** File (with line and column where known), option or setting at fault. */
  readonly where: string;
  /** What was seen there. */
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
  constructor(where: string, what: string, remedy: string) {
    super(`${where}: ${what}\n  ${remedy}`);
    this.name = 'UsageError';
    this.where = where;
    this.what = what;
    this.remedy = remedy;
  }
}
