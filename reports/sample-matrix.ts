/** A matrix as a first interop day would leave it, for tests and for looking at the page. */
import type {
  Cell,
  JourneyOutcome,
  JourneyResult,
  MatrixParty,
  MatrixRecord,
  Step,
} from '../harness/matrix/record.ts';

const party = (name: string, title: string, more: Partial<MatrixParty> = {}): MatrixParty => ({
  name,
  title,
  startedAs: `container registry.example/${name}`,
  reference: false,
  ...more,
});

const clients: readonly MatrixParty[] = [
  party('reference-sidecar', 'Reference sidecar', { startedAs: 'module', reference: true }),
  party('go-client', 'Go client with a binding RoundTripper', {
    version: '0.4.2',
    homepage: 'https://go-client.example/',
  }),
  party('python-client', 'Python client on pyOpenSSL', { startedAs: 'process python3 -m bound_client' }),
  party('swift-client', 'Swift client', {
    problem: 'the container ended with status 127 before it was ready: exec ./shim: no such file',
  }),
];

const servers: readonly MatrixParty[] = [
  party('reference-resource-server', 'Reference resource server', { startedAs: 'module', reference: true }),
  party('openresty-gateway', 'OpenResty gateway', { version: '1.27.1' }),
  party('rustls-gateway', 'Gateway on rustls', { version: '0.9.0' }),
  party('java-gateway', 'Java gateway on Netty', {
    problem: 'nothing listened on port 8443 within 30 s',
  }),
];

interface Journey {
  readonly title: string;
  readonly steps: readonly (readonly [what: string, expected: string, connection: number])[];
}

const SERVED = '200 OK';

const JOURNEYS: Readonly<Record<string, Journey>> = {
  'first-request': {
    title: 'One request on a new connection',
    steps: [['request with token and proof', SERVED, 1]],
  },
  reuse: {
    title: 'Several requests on one connection',
    steps: [
      ['first request', SERVED, 1],
      ['second request, same connection', SERVED, 1],
    ],
  },
  reconnect: {
    title: 'The server closes, and the client proves anew on the next connection',
    steps: [
      ['request', SERVED, 1],
      ['server closes the connection', 'connection closed', 1],
      ['request on a new connection', SERVED, 2],
    ],
  },
  resumption: {
    title: 'A resumed session has an exporter value of its own',
    steps: [
      ['request', SERVED, 1],
      ['request on a connection that resumes the session', SERVED, 2],
    ],
  },
  'tls1.2': {
    title: 'TLS 1.2 with extended master secret',
    steps: [['request over TLS 1.2', SERVED, 1]],
  },
  replay: {
    title: 'A proof copied from another connection is refused',
    steps: [
      ['request, proof copied on the way', SERVED, 1],
      ['the same proof on another connection', '401 … error="invalid_proof"', 2],
    ],
  },
};

const SENTENCE: Readonly<Record<JourneyOutcome, string>> = {
  pass: 'Every step came out as it must.',
  fail: 'A step came out otherwise than it must.',
  'not-applicable': 'The server does not claim TLS 1.2.',
  inconclusive: 'The client opened no second connection within 5 s, so nothing was resumed.',
};

/** One journey; with `seen` its last step came out as that, and not as expected. */
export function sampleJourney(
  name: string,
  outcome: JourneyOutcome = 'pass',
  more: Partial<JourneyResult> & { readonly seen?: string } = {},
): JourneyResult {
  const { title, steps } = JOURNEYS[name] ?? { title: name, steps: [] };
  const { seen, ...rest } = more;
  const told = steps.map(([what, expected, connection], index): Step =>
    seen !== undefined && index === steps.length - 1
      ? { what, expected, seen, ok: false, connection }
      : { what, expected, seen: expected, ok: true, connection },
  );
  return {
    journey: name,
    title,
    outcome,
    because: SENTENCE[outcome],
    steps: outcome === 'not-applicable' ? [] : told,
    ...rest,
  };
}

/** One pair, in which all passed but for the journeys given. */
export function sampleCell(client: string, server: string, other: readonly JourneyResult[] = []): Cell {
  return {
    client,
    server,
    journeys: Object.keys(JOURNEYS).map(
      (name) => other.find(({ journey }) => journey === name) ?? sampleJourney(name),
    ),
    traffic: { connections: 9, resumed: 1, tls: ['TLSv1.2', 'TLSv1.3'], sent: 41_872, received: 30_114 },
    durationMs: 2140,
  };
}

const noTls12 = sampleJourney('tls1.2', 'not-applicable');

const resumptionFails = sampleJourney('resumption', 'fail', {
  because: 'On the resumed connection the proof was refused: the server compared with the first session.',
  seen: '401 … error="invalid_proof"',
  blame: {
    on: 'server',
    because:
      'The reference client fails in the same way with openresty-gateway; with the reference server it passes.',
  },
});

const reconnectFails = sampleJourney('reconnect', 'fail', {
  because: 'The client sent the proof of the first connection on the second.',
  seen: '401 … error="invalid_proof"',
  blame: {
    on: 'pair',
    because:
      'python-client passes with the reference server, and the reference client with rustls-gateway; only together they fail.',
  },
});

const cells: readonly Cell[] = [
  sampleCell('reference-sidecar', 'reference-resource-server'),
  sampleCell('reference-sidecar', 'openresty-gateway', [resumptionFails]),
  sampleCell('reference-sidecar', 'rustls-gateway', [noTls12]),
  sampleCell('go-client', 'reference-resource-server'),
  sampleCell('go-client', 'openresty-gateway', [resumptionFails]),
  sampleCell('go-client', 'rustls-gateway', [noTls12]),
  sampleCell('python-client', 'reference-resource-server', [sampleJourney('resumption', 'inconclusive')]),
  sampleCell('python-client', 'openresty-gateway', [resumptionFails]),
  sampleCell('python-client', 'rustls-gateway', [noTls12, reconnectFails]),
];

/** Four clients by four servers, one of each not started; three pairs fail at one server, one together. */
export function sampleMatrix(change: Partial<MatrixRecord> = {}): MatrixRecord {
  return {
    schema: 1,
    tool: { name: 'tls-session-binding-conformance', version: '0.1.0' },
    draft: 'draft-mw-oauth-tls-session-bound-tokens-06',
    startedAt: '2026-05-04T09:30:00.000Z',
    durationMs: 48_200,
    clients,
    servers,
    cells,
    problems: [],
    ...change,
  };
}
