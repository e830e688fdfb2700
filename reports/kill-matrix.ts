/** What a kill matrix page is made from: what the suite found on each mutant and harmless variant. Plain data. */
export interface KillMatrixView {
  readonly role: string;
  readonly wallMs: number;
  readonly counts: {
    readonly mutants: number;
    readonly killedExactly: number;
    readonly variants: number;
    readonly variantsClean: number;
  };
  readonly subjects: readonly {
    readonly id: string;
    readonly form: 'mutant' | 'variant';
    /** The mistake, or the difference, in words. */
    readonly what: string;
    readonly breaks: readonly string[];
    /** Scenario → what it found, in words; only where it found anything. */
    readonly reasons: Readonly<Record<string, readonly string[]>>;
  }[];
  readonly scenarios: readonly {
    readonly id: string;
    readonly severity: string | null;
    /** Mutants that it catches. */
    readonly kills: readonly string[];
    /** Why it catches none. */
    readonly reason?: string;
  }[];
  readonly mismatches: readonly { readonly kind: string; readonly about: string; readonly text: string }[];
}
