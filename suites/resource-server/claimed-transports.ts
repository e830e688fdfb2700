import { AXES, CORE } from '../../harness/scenario/permutation.ts';
import type { Permutation } from '../../harness/scenario/record.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection, WireFailure } from '../../harness/wire/connection.ts';

/** draft -06 §5.3, §7.4, docs/target-contract.md: whether what a target claims to speak carries valid requests. */

const NOT_SPOKEN =
  'The manifest claims a protocol version that the listener does not negotiate. Enable it, or leave it out of capabilities.';
const NOT_SERVED =
  'Connections with this protocol version are established, and no valid request is served on them: the layer that verifies proofs has no exporter value or no client certificate there, or such connections are led elsewhere. Serve session-bound tokens on them, or do not negotiate the version, and leave it out of capabilities.';

type Transport = Pick<Permutation, 'tls' | 'http'>;

const CAPABILITY: Readonly<Record<Permutation['tls'], string>> = { 'TLSv1.2': 'tls1.2', 'TLSv1.3': 'tls1.3' };

/** What came of valid requests on a transport. */
type Answer =
  | { readonly kind: 'served' }
  | { readonly kind: 'not spoken' | 'not served' | 'unmeasured'; readonly text: string };

function isUnmeasured({ kind }: WireFailure): boolean {
  return kind === 'timeout' || kind === 'refused';
}

/** Both forms of the exporter value on TLS 1.2 (AMB-01), the literal one first. */
function forms(tls: Permutation['tls']): readonly RequestPlan[] {
  const ekm = (context: Uint8Array | null) => (connection: Connection) =>
    connection.exporter({ context }).toString('base64url');
  return tls === 'TLSv1.3'
    ? [{}]
    : [new Uint8Array(), null].map((context) => ({ proof: { ekm: ekm(context) } }));
}

async function answerOn(stage: Stage, transport: Transport): Promise<Answer> {
  const connection = await stage.tryConnect(transport);
  if ('kind' in connection)
    return { kind: isUnmeasured(connection) ? 'unmeasured' : 'not spoken', text: connection.detail };
  let text = '';
  for (const form of forms(transport.tls)) {
    if (!connection.open) break;
    const what = `a valid request on ${transport.tls} with ${transport.http}`;
    const { served, reading } = await stage.send(what, form, { on: connection }, 'variant', 'served');
    if (served) return { kind: 'served' };
    if (reading.kind === 'no-answer') return { kind: 'unmeasured', text: reading.text };
    text = reading.text;
  }
  return { kind: 'not served', text };
}

/** Served on a second connection too: what is exported once for all connections fits the first of them. */
async function answerTo(stage: Stage, transport: Transport): Promise<Answer> {
  const first = await answerOn(stage, transport);
  const isCore = transport.tls === CORE.tls && transport.http === CORE.http;
  return first.kind === 'served' && !isCore ? answerOn(stage, transport) : first;
}

/** The combinations to try, until each claimed version is served on one of them. */
function transportsOf(stage: Stage): readonly Transport[] {
  const { capabilities } = stage.setting.target;
  return AXES.tls
    .filter((tls) => capabilities.has(CAPABILITY[tls]))
    .flatMap((tls) => AXES.http.filter((http) => capabilities.has(http)).map((http) => ({ tls, http })));
}

/** Judged: on each TLS and each HTTP version that is claimed, a valid request is served. */
export async function servesWhatItClaims(stage: Stage): Promise<void> {
  const transports = transportsOf(stage);
  const served = new Set<string>();
  const answers: (Transport & { readonly answer: Answer })[] = [];
  for (const transport of transports) {
    if (!stage.full && served.has(transport.tls) && served.has(transport.http)) continue;
    const answer = await answerTo(stage, transport);
    answers.push({ ...transport, answer });
    if (answer.kind === 'served') served.add(transport.tls).add(transport.http);
  }
  if (served.size === 0)
    stage.inconclusive('no valid request is served on any transport that is claimed; see RS-EKM-1', 'target');
  const versions = new Set(transports.flatMap(({ tls, http }) => [tls, http]));
  for (const version of versions) {
    if (served.has(version)) continue;
    const tried = answers.filter(({ tls, http }) => tls === version || http === version);
    judgeUnserved(stage, version, tried);
  }
}

function judgeUnserved(
  stage: Stage,
  version: string,
  tried: readonly (Transport & { readonly answer: Answer })[],
): void {
  const told = tried
    .map(({ tls, http, answer }) => `${tls} with ${http}: ${'text' in answer ? answer.text : 'served'}`)
    .join('; ');
  if (tried.some(({ answer }) => answer.kind === 'unmeasured'))
    stage.inconclusive(`whether ${version} is served, which is claimed, could not be measured (${told})`);
  const spoken = tried.some(({ answer }) => answer.kind === 'not served');
  stage.holds(
    false,
    `${version} is claimed, and no valid request is served on it (${told})`,
    spoken ? NOT_SERVED : NOT_SPOKEN,
  );
}
