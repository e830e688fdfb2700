import type { Level, ResultRecord, Role, Verdict } from '../harness/scenario/record.ts';

/** What `report.json` says of a target. */
export interface TargetSummary {
  readonly name: string;
  readonly title: string;
  readonly role: Role;
  /** How it was reached: `module …`, `process …`, `url …`, `container …`; for the reader. */
  readonly start: string;
  readonly capabilities: readonly string[];
  readonly homepage?: string;
  readonly version?: string;
  /** The words that select this target on the command line, such as `targets/go/target.yaml` or `--url https://…`; empty for the embedded reference. */
  readonly arguments: string;
  /** Why the target could not be run at all, where that is so. */
  readonly problem?: string;
  /** Scenario id → reason, from the baseline. */
  readonly knownFailures: Readonly<Record<string, string>>;
  /** Known mistakes whose failures are nearly this target's, all equally near; left out where none is near. */
  readonly resemblances?: readonly Resemblance[];
}

/** A mistake, built into the reference, all of whose scenarios fail on a target too, as far as they were judged, and hardly any others do. */
export interface Resemblance {
  /** Id of the mutant, as in `tsbt run --mutant`. */
  readonly mutant: string;
  readonly mistake: string;
  /** Jaccard distance of the failing scenarios, among those judged: 0 the same, 1 none in common. */
  readonly distance: number;
  /** Scenarios that fail on both. */
  readonly common: readonly string[];
  /** Scenarios that fail on the target and pass on the mutant. */
  readonly onlyTarget: readonly string[];
  /** Scenarios that fail on the mutant, and were not judged on the target. */
  readonly unjudged: readonly string[];
}

/** A mistake that the suite was tried on, and what caught it. */
export interface Catch {
  /** Id of the mutant. */
  readonly id: string;
  readonly mistake: string;
  /** Requirements that the mistake breaks. */
  readonly breaks: readonly string[];
  /** The scenarios that fail on it; where one gives another verdict that counts, with the verdict behind the id: `RS-ERR-8 warn`. */
  readonly scenarios: readonly string[];
}

/** A way to be different, and right, that the suite was tried on, and that no scenario may call broken. */
export interface HarmlessVariant {
  readonly id: string;
  readonly difference: string;
}

export type Counts = Readonly<Record<Verdict, number>>;

/** A row of the requirement coverage: what leads to it, or why nothing does. */
export interface RequirementCoverage {
  readonly id: string;
  readonly role: Role;
  readonly level: Level;
  /** Section numbers of draft -06. */
  readonly sections: string;
  readonly area: string;
  readonly statement: string;
  readonly scenarios: readonly string[];
  /** Why there is no scenario; only where `scenarios` is empty. */
  readonly untested?: string;
  /** Ambiguity ids with the stance taken. */
  readonly ambiguities: readonly { readonly id: string; readonly issue: string; readonly stance: string }[];
}

/** `report.json`. */
export interface Report {
  readonly schema: 'https://tls-session-binding-conformance.invalid/report/1';
  readonly tool: { readonly name: string; readonly version: string };
  readonly draft: string;
  /** RFC 3339 */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** False when the run was interrupted or results were lost. */
  readonly complete: boolean;
  readonly selection: {
    readonly profile: 'core' | 'full';
    readonly strict: boolean;
    readonly role: string | null;
    readonly suites: readonly string[];
    readonly scenarios: readonly string[];
    readonly requirements: readonly string[];
  };
  readonly targets: readonly TargetSummary[];
  readonly summary: Readonly<Record<string, Counts>>;
  readonly results: readonly ResultRecord[];
  readonly requirements: readonly RequirementCoverage[];
  /** What the suite would catch: the mistakes that it is tried on at each change of it. */
  readonly catches?: readonly Catch[];
  readonly harmless?: readonly HarmlessVariant[];
  /** Matters of the run itself: stale baseline entries, targets that did not start, interruption. */
  readonly problems: readonly string[];
  readonly exitCode: number;
  readonly measured: { readonly wallMs: number; readonly handshakes: number; readonly requests: number };
}
