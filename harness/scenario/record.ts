/**
 * The report model: what one scenario's execution leaves behind. Plain JSON data, written to
 * `report.ndjson` line by line and read by `reports/`.
 */

export type Verdict = 'pass' | 'fail' | 'warn' | 'info' | 'not-applicable' | 'inconclusive';

/** Every verdict, gravest first. */
export const VERDICTS: readonly Verdict[] = [
  'fail',
  'inconclusive',
  'warn',
  'info',
  'not-applicable',
  'pass',
];

/** Whose matter a verdict other than `pass` is. */
export type Attribution = 'target' | 'harness' | 'environment' | 'specification';

export type Level = 'MUST' | 'MUST NOT' | 'SHOULD' | 'MAY' | 'SECURITY' | 'AMBIGUOUS';

/** `intermediary`: a resource server that is a client of the next one (draft -06 §4.6). */
export type Role = 'resource-server' | 'client' | 'intermediary' | 'authorization-server';

/** The variation of transport and key that a scenario ran under. */
export interface Permutation {
  readonly tls: 'TLSv1.2' | 'TLSv1.3';
  readonly http: 'http/1.1' | 'h2';
  readonly key: 'P-256' | 'P-384' | 'P-521' | 'RSA' | 'Ed25519';
}

export interface ConnectionEvidence {
  /** `c1`, `c2`, … */
  readonly id: string;
  readonly tls: string;
  readonly cipher: string;
  readonly alpn: string;
  readonly extendedMasterSecret: boolean;
  readonly resumed: boolean;
  readonly exporterCheck: 'key-log' | 'not-checked';
  readonly handshakeMs: number;
  /** The certificate that the client presented, or had at hand where the handshake failed. `null`: it presented none. */
  readonly clientCertificate: {
    readonly name: string;
    readonly keyType: string;
    readonly thumbprint: string;
  } | null;
  /** Why the client presented no certificate, though it had one. */
  readonly certificateWithheld?: string;
  /** Set when the handshake did not succeed: what happened. */
  readonly failure?: string;
}

/** A JWT taken apart for reading. `header`/`claims` are the parsed JSON where it parses, else the raw text. */
export interface DecodedJwt {
  readonly header: unknown;
  readonly claims: unknown;
  /** In words: whose key verifies the signature, or that none known does. */
  readonly signature: string;
}

export interface ExchangeEvidence {
  /** 1, 2, … within the scenario. */
  readonly id: number;
  readonly connection: string;
  /** `control`: must be served · `neutral`: a harmless difference, must be served · `variant`: the request under judgement · `request`: one that is only recorded. */
  readonly part: 'control' | 'neutral' | 'variant' | 'request' | 'diagnosis';
  /** What this request is, in words. */
  readonly what: string;
  readonly request: {
    readonly method: string;
    readonly target: string;
    /** Secrets redacted: an access token appears as `<token sha-256 …>`, a DPoP proof as `<DPoP proof sha-256 …>`. */
    readonly fields: readonly (readonly [string, string])[];
    readonly body?: string;
  };
  /** The access token sent, by hash and decoded; never the token itself. */
  readonly token?: DecodedJwt & { readonly sha256: string };
  /** The Session-Binding-Proof sent, decoded, and as sent (a proof is of no use on another connection; it is cut at 4 KiB). */
  readonly proof?: DecodedJwt & { readonly compact: string };
  /** The DPoP proof sent, by hash and decoded; never as sent, since it could be presented again (RFC 9449 §11.1). */
  readonly dpop?: DecodedJwt & { readonly sha256: string };
  readonly response:
    | {
        readonly status: number;
        readonly fields: readonly (readonly [string, string])[];
        readonly body: string;
        readonly bodyTruncated: boolean;
      }
    | { readonly failure: string; readonly detail: string };
  readonly expected: string;
  readonly observed: string;
  readonly startedMs: number;
  readonly durationMs: number;
}

/** One field in which two requests differ, in the suite's symbolic terms (`proof.claims.ekm`: "this connection's exporter value" / "the exporter value of c2"). */
export interface Difference {
  readonly field: string;
  readonly control: string;
  readonly variant: string;
}

/** A minimal pair: a request that was served, and one that differs in just what was declared. */
export interface PairEvidence {
  readonly what: string;
  /** Ids of {@link ExchangeEvidence}. */
  readonly control: number;
  readonly variant: number;
  /** Computed from what stood on the wire. */
  readonly difference: readonly Difference[];
  readonly expected: string;
  readonly observed: string;
  readonly verdict: Verdict;
}

/** An attack told from end to end (threats T1–T5). */
export interface AttackEvidence {
  readonly attacker: string;
  readonly loot: string;
  readonly attempts: readonly {
    readonly attempt: string;
    readonly outcome: string;
    readonly succeeded: boolean;
  }[];
  readonly outcome: string;
}

/** Something that was measured beside what was judged. */
export interface Measurement {
  /** What it is, in words: the name of its row in the report. */
  readonly what: string;
  readonly value: number;
  /** `ms`, or empty for a plain number. */
  readonly unit: string;
  /** Where the value was not measured but follows from a text: which. Such values stand apart in the report. */
  readonly derivedFrom?: string;
}

export interface Evidence {
  readonly connections: readonly ConnectionEvidence[];
  readonly exchanges: readonly ExchangeEvidence[];
  readonly pairs: readonly PairEvidence[];
  readonly attack?: AttackEvidence;
  /** Observations worth a reader's notice that did not decide the verdict. */
  readonly notes: readonly string[];
  /** What was measured; most scenarios measure nothing. */
  readonly measurements?: readonly Measurement[];
  /** What the target wrote to its log meanwhile (last lines). */
  readonly log?: readonly string[];
}

/**
 * What an attempt came to instead of what must be. A cause explains one of these and not the others: that an invalid
 * proof is served and that it is refused with the wrong code have nothing in common but the scenario.
 *
 * - `served`: an invalid request is served, or a token issued for it
 * - `other-manner`: it is refused, with another status or error code than the one required
 * - `server-error`: it is answered with a 5xx
 * - `ended`: the connection, the handshake or the stream is ended instead of an answer; a client's request does not arrive
 * - `rejected`: a valid request is rejected with an answer
 * - `attack`: an attack told from end to end succeeds
 * - `no-proof`: a client's request arrives without a proof
 * - `defect`: a client's proof has a defect that has no cure of its own
 * - `statement`: a statement that the scenario worked out does not hold
 */
export type Deviation =
  | 'served'
  | 'other-manner'
  | 'server-error'
  | 'ended'
  | 'rejected'
  | 'attack'
  | 'no-proof'
  | 'defect'
  | 'statement';

/** One thing that a scenario found. */
export interface FindingRecord {
  readonly reason: string;
  /** The likely cause of just this, where known. */
  readonly cause: string | null;
  /** What the attempt came to instead of what must be; `null` where no requirement is broken. */
  readonly deviation: Deviation | null;
}

/** What the proofs are like in their form that a client sent during one scenario. */
export interface ProofTally {
  /** How many different proofs arrived. */
  readonly examined: number;
  /** In how many of them each of these values is 32 octets in unpadded base64url. */
  readonly wellFormed: Readonly<Record<HashedValue, number>>;
  /** The malformed ones, each with the first of its defects. */
  readonly malformed: readonly {
    /** The request that carried it, in words. */
    readonly where: string;
    readonly part: 'serialization' | HashedValue;
    readonly what: string;
    readonly cure: string | null;
  }[];
}

/** A value of a proof that is 32 octets in unpadded base64url. */
export type HashedValue = 'x5t#S256' | 'ath' | 'ekm';

/** One scenario, on one target, under one permutation. */
export interface ResultRecord {
  readonly target: string;
  readonly scenario: string;
  readonly requirement: string;
  readonly level: Level;
  readonly suite: string;
  readonly title: string;
  readonly permutation: Permutation;
  readonly verdict: Verdict;
  /** `null` exactly when the verdict is `pass`. */
  readonly attribution: Attribution | null;
  /** What was expected and what was seen; `null` exactly when the verdict is `pass`. */
  readonly reason: string | null;
  /** The likely cause and the cure, where known. */
  readonly cause: string | null;
  /** The findings that decided the verdict, in the order of `reason`; left out where it does not rest on any. */
  readonly findings?: readonly FindingRecord[];
  readonly durationMs: number;
  readonly evidence: Evidence;
  /**
   * A valid request was rejected, or nothing could be judged: other scenarios at work on the target may have had a part
   * in that, and it is to be played again on its own. Never in a report.
   */
  readonly again?: true;
  /**
   * A connection ended before anything was answered on it, or none could be made ready, as a target with a limit of
   * connections ends further ones: the result is in doubt where other scenarios were disturbed. Never in a report.
   */
  readonly unanswered?: true;
  /** Of a client's scenario: its part of what is judged once for the whole run. Never in a report. */
  readonly proofs?: ProofTally;
  /** Other scenarios that have to be played too for this result to come about again. */
  readonly repeatWith?: readonly string[];
}
