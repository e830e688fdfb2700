import type { Traffic } from '../counterpart/observer/observer.ts';

export type { Traffic } from '../counterpart/observer/observer.ts';

/** What came of letting every client talk to every resource server. Plain data. */
export interface MatrixRecord {
  readonly schema: 1;
  readonly tool: { readonly name: string; readonly version: string };
  /** The draft's name and revision. */
  readonly draft: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly clients: readonly MatrixParty[];
  readonly servers: readonly MatrixParty[];
  /** Of every client and server that both could be started, by client and then by server. */
  readonly cells: readonly Cell[];
  /** What went wrong with the run itself. */
  readonly problems: readonly string[];
}

/** A client or a resource server of the matrix. */
export interface MatrixParty {
  readonly name: string;
  readonly title: string;
  readonly homepage?: string;
  readonly version?: string;
  /** How it was reached: `module …`, `process …`, `container …`. */
  readonly startedAs: string;
  /** True for the reference, which failing cells are tried against to find out whose matter it is. */
  readonly reference: boolean;
  /** Why it could not be started; it has no cells then. */
  readonly problem?: string;
}

/** One client with one resource server. */
export interface Cell {
  /** Names of the parties. */
  readonly client: string;
  readonly server: string;
  readonly journeys: readonly JourneyResult[];
  /** What the observer between them saw, in all journeys together. */
  readonly traffic: Traffic;
  readonly durationMs: number;
}

export type JourneyOutcome = 'pass' | 'fail' | 'not-applicable' | 'inconclusive';

/** Whose matter a failure is: found by putting the reference in the place of one side, and then of the other. */
export interface Blame {
  readonly on: 'client' | 'server' | 'both' | 'pair';
  /** In words, with what the swaps gave. */
  readonly because: string;
}

export interface JourneyResult {
  /** Such as `reconnect`. */
  readonly journey: string;
  readonly title: string;
  readonly outcome: JourneyOutcome;
  /** One sentence: what was seen, or why nothing could be told. */
  readonly because: string;
  readonly steps: readonly Step[];
  /** With a `fail`. */
  readonly blame?: Blame;
}

/** One thing that was done, in order. */
export interface Step {
  readonly what: string;
  /** What came of it: `200 OK`, `401 … error="invalid_proof"`, that nothing came. */
  readonly seen: string;
  /** What should have come of it. */
  readonly expected: string;
  readonly ok: boolean;
  /** Number, from 1, of the newest connection that the observer saw by then. */
  readonly connection: number;
}
