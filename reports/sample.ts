/**
 * A report as a broken resource server would leave it, for tests and for looking at the HTML: every
 * verdict, an attack, permutations, and text that tries to do harm.
 */
import type {
  Attribution,
  ConnectionEvidence,
  Evidence,
  ExchangeEvidence,
  Level,
  PairEvidence,
  Permutation,
  ResultRecord,
  Verdict,
} from '../harness/scenario/record.ts';
import { assembleReport, measureEvidence } from './assemble.ts';
import type { Report, TargetSummary } from './model.ts';
import { CORE } from '../harness/scenario/permutation.ts';
import { sampleCatches, sampleHarmless, sampleResemblances } from './sample-catches.ts';
import { sampleRequirements } from './sample-requirements.ts';

/** Markup, script, escape sequences, direction and invisible characters, and the ends of things. */
export const HOSTILE =
  `</pre></script><script>document.title='PWNED'</script><img src=x onerror="document.title='PWNED'">` +
  `"' onmouseover=alert(1) ]]> --> \u202egnp.exe\u2066 \u200bzero\u0000nul \u001b[31mred\u001b]0;PWNED\u0007 \u{e0041}\ufeff\ud800 {{7*7}} javascript:alert(1)`;

export const sampleTarget: TargetSummary = {
  name: 'acme-gateway',
  title: 'ACME Edge Gateway',
  role: 'resource-server',
  start: 'process ./acme-gateway --tls-binding',
  capabilities: ['tls1.2', 'tls1.3', 'http/1.1', 'h2', 'per-request-claims'],
  homepage: 'https://gateway.example/',
  version: '2.3.1',
  arguments: 'targets/acme/target.yaml',
  knownFailures: { 'RS-PL-4': '#41: no upper bound on iat yet' },
  resemblances: sampleResemblances,
};

const TOKEN_HASH = 'Zk3mQyJ1b0a8nF7wq2H5sXcVtR9LpE4uKdGjT6oBiA0';
const THUMBPRINT = 'hT2Qm8Vv0dYwA5n1RkP7sLfX3cJzU6eGbNqOiWtKyE4';
const EKM = ['q1Jm4c0v7gXhK2s9TnYbR5eWzLfUdA8oPiGtHkVwM3E', 'Vb8wR2x5NnLq0TfYcJ7hKdS3gPzMa9uEoIiWtG4kXlA'];

interface ExchangeShape {
  readonly id: number;
  readonly part: ExchangeEvidence['part'];
  readonly what: string;
  readonly status: number;
  readonly connection?: string;
  readonly proof?: boolean;
  readonly ekm?: number;
  readonly error?: string;
  readonly body?: string;
}

/** One request with its answer. */
export function sampleExchange(shape: ExchangeShape): ExchangeEvidence {
  const { id, part, what, status, connection = 'c1', proof = true, ekm = 0, error, body } = shape;
  const challenge = error === undefined ? [] : [['WWW-Authenticate', `Bearer error="${error}"`] as const];
  return {
    id,
    connection,
    part,
    what,
    request: {
      method: 'GET',
      target: '/resource',
      fields: [
        ['Host', 'localhost:8443'],
        ['Authorization', `Bearer <token sha-256 ${TOKEN_HASH}>`],
        ...(proof
          ? [
              [
                'Session-Binding-Proof',
                `eyJ0eXAiOiJ0bHMtYmluZGluZy1wcm9vZitqd3QiLCJhbGciOiJFUzI1NiJ9.${id}.sig`,
              ] as const,
            ]
          : []),
      ],
    },
    token: {
      sha256: TOKEN_HASH,
      header: { typ: 'at+jwt', alg: 'ES256', kid: 'issuer-1' },
      claims: {
        iss: 'https://issuer.test',
        aud: 'https://rs.test',
        sub: 'alice',
        exp: 1795351080,
        cnf: { 'x5t#S256': THUMBPRINT, tls_exp: 'EXPORTER-oauth-tls-session-bound' },
      },
      signature: 'verifies with the suite’s issuer key',
    },
    ...(proof
      ? {
          proof: {
            compact: `eyJ0eXAiOiJ0bHMtYmluZGluZy1wcm9vZitqd3QiLCJhbGciOiJFUzI1NiJ9.${EKM[ekm] ?? ''}.${'x'.repeat(86)}`,
            header: { typ: 'tls-binding-proof+jwt', alg: 'ES256', 'x5t#S256': THUMBPRINT },
            claims: { ath: TOKEN_HASH, ekm: EKM[ekm], iat: 1795347480 },
            signature: 'verifies with alice’s certificate key',
          },
        }
      : {}),
    response: {
      status,
      fields: [['Content-Type', 'application/json'], ...challenge, ['Content-Length', '27']],
      body: body ?? (status < 300 ? '{"sub":"alice","ok":true}' : '{"error":"unauthorized"}'),
      bodyTruncated: false,
    },
    expected: part === 'variant' ? '401 with error invalid_proof' : '2xx',
    observed: error === undefined ? String(status) : `${status} with error ${error}`,
    startedMs: id * 3,
    durationMs: 0.9,
  };
}

const connection = (id: string): ConnectionEvidence => ({
  id,
  tls: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  alpn: 'http/1.1',
  extendedMasterSecret: true,
  resumed: false,
  exporterCheck: 'key-log',
  handshakeMs: 2.4,
  clientCertificate: { name: 'alice', keyType: 'P-256', thumbprint: THUMBPRINT },
});

/** Evidence of one minimal pair: a control, a variant that crosses connections, and a control again. */
export function samplePair(status: number, error?: string): Evidence {
  const answer = error === undefined ? {} : { error };
  const pair: PairEvidence = {
    what: 'the proof of c2, which is still open, sent on c1',
    control: 1,
    variant: 2,
    difference: [
      {
        field: 'proof.claims.ekm',
        control: 'this connection’s exporter value',
        variant: 'the exporter value of c2',
      },
    ],
    expected: '401 with error invalid_proof',
    observed:
      error === undefined ? `${status}: the protected resource was served` : `${status} with error ${error}`,
    verdict: status === 401 ? 'pass' : 'fail',
  };
  return {
    connections: [connection('c1'), connection('c2')],
    exchanges: [
      sampleExchange({ id: 1, part: 'control', what: 'a proof for this token and connection', status: 200 }),
      sampleExchange({ id: 2, part: 'variant', what: 'the proof of c2 on c1', status, ekm: 1, ...answer }),
      sampleExchange({ id: 3, part: 'control', what: 'the first request again', status: 200 }),
    ],
    pairs: [pair],
    notes: [],
  };
}

const NOTHING: Evidence = { connections: [], exchanges: [], pairs: [], notes: [] };

interface ResultShape {
  readonly id: string;
  readonly suite: string;
  readonly title: string;
  readonly verdict: Verdict;
  readonly level?: Level;
  readonly attribution?: Attribution;
  readonly reason?: string;
  readonly cause?: string;
  readonly findings?: ResultRecord['findings'];
  readonly permutation?: Permutation;
  readonly evidence?: Evidence;
}

/** One result; what is not given is filled in as a run would. */
export function sampleResult(shape: ResultShape): ResultRecord {
  const { id, suite, title, verdict, level = 'MUST', permutation = CORE } = shape;
  const passed = verdict === 'pass';
  return {
    target: sampleTarget.name,
    scenario: id,
    requirement: id.replace(/([a-z]+)$/, ''),
    level,
    suite,
    title,
    permutation,
    verdict,
    attribution: passed ? null : (shape.attribution ?? 'target'),
    reason: passed ? null : (shape.reason ?? 'Expected 401 with error invalid_proof, observed 200.'),
    cause: shape.cause ?? null,
    ...(shape.findings !== undefined && { findings: shape.findings }),
    durationMs: 14.2,
    evidence: shape.evidence ?? samplePair(401, 'invalid_proof'),
  };
}

const EXPORTER_CAUSE =
  'The target caches the exporter value of the first connection of a client certificate. Take it from the socket that carried the request, and key the cache by the connection object.';

const replay: Evidence = {
  ...samplePair(200),
  attack: {
    attacker: 'Mallory, who reads the gateway’s access log and holds no key',
    loot: 'one request of Alice’s: her access token and its proof, both genuine',
    attempts: [
      {
        attempt: 'sends both on a new connection with Alice’s certificate.',
        outcome: '200, as alice',
        succeeded: true,
      },
      { attempt: 'sends the token alone.', outcome: '401 use_session_binding', succeeded: false },
      { attempt: 'resumes Alice’s session and sends both.', outcome: '200, as alice', succeeded: true },
    ],
    outcome: 'Mallory reads Alice’s resource with what she found in a log.',
  },
  notes: ['Alice’s own connection kept working during and after the attack.'],
  log: ['level=info msg="binding accepted" sub=alice', `level=warn ua="${HOSTILE}"`],
};

function permutations(): readonly ResultRecord[] {
  const keys = ['P-256', 'P-384', 'RSA'] as const;
  return keys.map((key) => {
    const shape = {
      id: 'RS-HDR-4',
      suite: 'JOSE attacks',
      permutation: { tls: 'TLSv1.3', http: 'h2', key } as const,
    };
    const title = 'accepts a natural algorithm for each client key type';
    return key === 'P-384'
      ? sampleResult({
          ...shape,
          title,
          verdict: 'fail',
          reason: 'The control was refused for P-384: 401 invalid_proof.',
          cause: 'Only ES256 is configured. Derive the algorithm from the certificate’s key.',
        })
      : sampleResult({ ...shape, title, verdict: 'pass' });
  });
}

const fillers: readonly ResultRecord[] = [
  ['RS-EKM-1', 'Exporter value', 'accepts the exporter value of this connection, and no other derivation'],
  ['RS-EKM-2', 'Exporter value', 'compares all 32 octets'],
  ['RS-EKM-3', 'Exporter value', 'refuses an exporter value made with a context'],
  ['RS-PL-1', 'Proof claims', 'refuses a proof that lacks ath, ekm or iat'],
  ['RS-PL-3', 'Proof claims', 'refuses a proof made long ago'],
  ['RS-FLD-1', 'Header field', 'answers use_session_binding to a bound token without a proof'],
  ['RS-FLD-2', 'Header field', 'matches the field’s name without regard to case'],
  ['RS-MTLS-1', 'Mutual TLS', 'refuses a bound token on a connection without a client certificate'],
  ['RS-MTLS-4', 'Mutual TLS', 'refuses a token bound to another certificate'],
  ['RS-TOK-1', 'Token validity', 'refuses an expired, foreign or forged token whatever the proof'],
].map(([id = '', suite = '', title = '']) => sampleResult({ id, suite, title, verdict: 'pass' }));

const sampleResults: readonly ResultRecord[] = [
  ...fillers,
  sampleResult({
    id: 'RS-EKM-5',
    suite: 'Exporter value',
    title: 'refuses a proof that was made for another live connection',
    verdict: 'fail',
    reason: 'Expected 401 with error invalid_proof, observed 200: the protected resource was served.',
    cause: EXPORTER_CAUSE,
    evidence: samplePair(200),
  }),
  sampleResult({
    id: 'RS-EKM-4',
    suite: 'Exporter value',
    title: 'which form of the empty context TLS 1.2 takes',
    verdict: 'info',
    level: 'AMBIGUOUS',
    attribution: 'specification',
    reason: 'The zero-length form is accepted, the absent form is refused.',
    permutation: { tls: 'TLSv1.2', http: 'http/1.1', key: 'P-256' },
  }),
  sampleResult({
    id: 'RS-SIG-1',
    suite: 'JOSE attacks',
    title: 'verifies the signature over the octets received',
    verdict: 'fail',
    reason: 'A proof with a flipped signature bit was served (200).',
    cause: 'The proof is decoded, not verified.',
    evidence: samplePair(200),
  }),
  ...permutations(),
  sampleResult({
    id: 'RS-PL-4',
    suite: 'Proof claims',
    title: 'refuses a proof dated in the future',
    verdict: 'fail',
    reason: 'A proof dated one hour ahead was served (200).',
    evidence: samplePair(200),
  }),
  sampleResult({
    id: 'RS-ERR-5',
    suite: 'Error responses',
    title: 'explains a failure in error_description',
    verdict: 'warn',
    level: 'SHOULD',
    reason: 'No error_description in any of four refusals.',
  }),
  sampleResult({
    id: 'RS-ERR-2',
    suite: 'Error responses',
    title: 'names proof failures invalid_proof',
    verdict: 'fail',
    reason: 'Expected error invalid_proof, observed invalid_token.',
    evidence: samplePair(401, 'invalid_token'),
  }),
  sampleResult({
    id: 'RS-ERR-4',
    suite: 'Error responses',
    title: `sends a challenge that parses ${HOSTILE}`,
    verdict: 'inconclusive',
    attribution: 'harness',
    reason: `The answer is not HTTP: ${HOSTILE}`,
    cause: HOSTILE,
    evidence: {
      ...NOTHING,
      exchanges: [sampleExchange({ id: 1, part: 'request', what: HOSTILE, status: 200, body: HOSTILE })],
      notes: [HOSTILE],
      log: [HOSTILE],
    },
  }),
  sampleResult({
    id: 'RS-INT-1',
    suite: 'Introspection',
    title: 'applies the binding of tokens resolved by introspection',
    verdict: 'not-applicable',
    reason: 'The target does not claim the capability introspection.',
    evidence: NOTHING,
  }),
  sampleResult({
    id: 'RS-T1',
    suite: 'Threats',
    title: 'T1: a token and proof replayed on another connection are worthless',
    verdict: 'fail',
    reason: 'Two of three attempts succeeded.',
    cause: EXPORTER_CAUSE,
    evidence: replay,
  }),
  sampleResult({
    id: 'RS-T2',
    suite: 'Threats',
    title: 'T2: a token replayed from another host is worthless',
    verdict: 'pass',
    evidence: {
      ...samplePair(401, 'invalid_proof'),
      attack: {
        attacker: 'Mallory with a certificate of her own',
        loot: 'Alice’s access token',
        attempts: [
          { attempt: 'makes a proof with her own key.', outcome: '401 invalid_token', succeeded: false },
        ],
        outcome: 'Nothing is served.',
      },
    },
  }),
];

/** The whole of it; `change` replaces parts. */
export function sampleReport(change: Partial<Omit<Report, 'schema' | 'summary'>> = {}): Report {
  const results = change.results ?? sampleResults;
  return assembleReport({
    tool: { name: 'tls-session-binding-conformance', version: '0.1.0' },
    draft: 'draft-mw-oauth-tls-session-bound-tokens-06',
    startedAt: '2026-11-22T10:18:00.120Z',
    finishedAt: '2026-11-22T10:18:03.410Z',
    complete: true,
    selection: {
      profile: 'core',
      strict: false,
      role: 'resource-server',
      suites: [],
      scenarios: [],
      requirements: [],
    },
    targets: [sampleTarget],
    results,
    requirements: sampleRequirements,
    catches: sampleCatches,
    harmless: [...sampleHarmless, { id: 'V-RS-odd', difference: HOSTILE }],
    problems: ['The baseline lists RS-FLD-9, which passes: take it out of knownFailures.'],
    exitCode: 1,
    measured: { wallMs: 3290, ...measureEvidence(results) },
    ...change,
  });
}
