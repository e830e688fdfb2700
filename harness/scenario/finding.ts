import { ConnectFailure } from '../wire/connection.ts';
import type { Attribution, Deviation, FindingRecord, Verdict } from './record.ts';
import type { Severity } from './requirement.ts';

/** Something that a scenario found out and that bears on its verdict. */
export interface Finding {
  readonly severity: Severity | 'inconclusive';
  readonly reason: string;
  /** The likely cause of just this; `null` where none is known, and under whatever could not be measured. */
  readonly cause: string | null;
  /** What the attempt came to instead; `null` for what is no breach of a requirement. */
  readonly deviation: Deviation | null;
  readonly attribution: Attribution;
  /** The fields in which a request that was served differs from a valid one, where that is known. */
  readonly differs?: readonly string[];
}

/** Ends a scenario that cannot be judged. Thrown by the verbs of the stage; never by a target's refusal under test. */
export class Unjudgeable extends Error {
  readonly verdict: 'not-applicable' | 'inconclusive';
  readonly attribution: Attribution;
  /** What the diagnosis of a rejected valid request found. It explains that rejection, not what could not be judged because of it. */
  readonly likelyCause: string | null;
  constructor(
    verdict: 'not-applicable' | 'inconclusive',
    attribution: Attribution,
    reason: string,
    likelyCause: string | null = null,
  ) {
    super(reason);
    this.name = 'Unjudgeable';
    this.verdict = verdict;
    this.attribution = attribution;
    this.likelyCause = likelyCause;
  }
}

/** A valid request is rejected that is not under judgement, so that nothing else can be judged either. */
export class ValidRejected extends Unjudgeable {
  constructor(attribution: Attribution, reason: string) {
    super('inconclusive', attribution, reason);
    this.name = 'ValidRejected';
  }
}

/** Error messages quote what they stumbled over, and that may be a key; cut short as well. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** What an error that ended a scenario says about it; anything unforeseen is the harness's own fault. */
export function reasonOf(error: unknown): Unjudgeable {
  if (error instanceof Unjudgeable) return error;
  if (error instanceof ConnectFailure) {
    return new Unjudgeable(
      'inconclusive',
      error.outcome.kind === 'refused' ? 'environment' : 'target',
      `a connection that the scenario needs was not established: ${error.message}`,
    );
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Unjudgeable(
    'inconclusive',
    'harness',
    `the harness failed: ${text.replaceAll(PRIVATE_KEY, '<a private key>')}`,
  );
}

/** Gravest first: a served forgery stays a failure even where a later control could not be measured. */
const GRAVITY: readonly Finding['severity'][] = ['fail', 'inconclusive', 'warn', 'info'];

export interface Judgement {
  readonly verdict: Verdict;
  readonly attribution: Attribution | null;
  readonly reason: string | null;
  readonly cause: string | null;
  /** The findings that decided it, each with its cause, if it rests on findings. */
  readonly findings?: readonly FindingRecord[];
}

/**
 * The verdict of a scenario from its findings.
 *
 * No cause is given for what could not be judged: what is not known to be wrong has none.
 *
 * @param ended why the scenario ended early, if it did; weaker than a failure found before
 */
export function judge(findings: readonly Finding[], ended: Unjudgeable | undefined): Judgement {
  const failed = findings.some((finding) => finding.severity === 'fail');
  if (ended !== undefined && !failed) {
    return {
      verdict: ended.verdict,
      attribution: ended.attribution,
      reason: ended.message,
      cause: null,
    };
  }
  const gravest = GRAVITY.find((severity) => findings.some((finding) => finding.severity === severity));
  if (gravest === undefined) return { verdict: 'pass', attribution: null, reason: null, cause: null };
  const decisive = findings.filter((finding) => finding.severity === gravest);
  const known = gravest === 'inconclusive' ? [] : decisive.map((finding) => finding.cause);
  // A cause may itself be of several lines, where several checks are missing.
  const causes = [...new Set(known.flatMap((cause) => cause?.split('\n') ?? []))];
  return {
    verdict: gravest,
    attribution: decisive[0]?.attribution ?? 'target',
    reason: [...new Set(decisive.map((finding) => finding.reason))].join('\n'),
    cause: causes.length === 0 ? null : causes.join('\n'),
    findings: decisive.map(({ reason, cause, deviation }) => ({ reason, cause, deviation })),
  };
}
