import type { Identity } from '../../../certs/identity.ts';
import type { Token } from '../../forge/token.ts';
import type {
  Answer,
  UpstreamConnection,
  UpstreamRequest,
} from '../../counterpart/resource-server/contract.ts';
import type { HttpVersion, Outcome, WireRequest } from '../../wire/connection.ts';
import type { DescribedConnection, Sent } from '../describe.ts';
import type { TellingConnection } from '../evidence.ts';
import { dpopProofsOf } from './dpop-examination.ts';
import type { Defect } from './defect.ts';

/** A request of the client under test as it arrived at the counterpart, with what its proof is like. */
export interface Arrival {
  readonly request: UpstreamRequest;
  /** The bearer token that it carries, where it is one of the suite's. */
  readonly token: Token | null;
  /** The values of its Session-Binding-Proof fields. */
  readonly proofs: readonly string[];
  /** What is wrong with its proof; of several proofs, with the first one. */
  readonly defects: readonly Defect[];
  /** Whether this very proof came before. */
  readonly proofSeenBefore: boolean;
}

const PROOF_FIELD = 'session-binding-proof';

/** The field by which the suite recognizes a request of its agent; it goes through, as everything that agents send. */
export const MARK = 'X-Tsbt-Request';

/** The number that the agent gave a request; `undefined`: it is not the agent's, or the client dropped the field. */
export function markOf({ fields }: Pick<UpstreamRequest, 'fields'>): string | undefined {
  return fields.find(([name]) => name.toLowerCase() === MARK.toLowerCase())?.[1];
}

/**
 * Whether a request is the client's own, such as one that warms a connection up or asks whether the server is well
 * (`HEAD /`, `OPTIONS *`, `GET /health`): no agent asked for it, and it carries neither credentials nor a proof.
 */
export function isOfClientItself(request: Pick<UpstreamRequest, 'fields'>): boolean {
  return (
    markOf(request) === undefined &&
    !request.fields.some(([name]) => ['authorization', 'dpop', PROOF_FIELD].includes(name.toLowerCase()))
  );
}

/** The values of the proof fields of a request, in order. */
export function proofsOf({ fields }: Pick<UpstreamRequest, 'fields'>): readonly string[] {
  return fields.filter(([name]) => name.toLowerCase() === PROOF_FIELD).map(([, value]) => value);
}

/** The credentials of the request's only Authorization field with the scheme Bearer; `null`: there is none. */
export function bearerOf({ fields }: Pick<UpstreamRequest, 'fields'>): string | null {
  const values = fields.filter(([name]) => name.toLowerCase() === 'authorization').map(([, value]) => value);
  const [only] = values;
  if (values.length !== 1 || only === undefined) return null;
  return /^Bearer +(?<token>[^\s,]+)$/i.exec(only)?.groups?.['token'] ?? null;
}

/** The token of a request: that of its only Authorization field, under the scheme Bearer or DPoP (RFC 9449 §7.1). */
export function tokenIn({ fields }: Pick<UpstreamRequest, 'fields'>): string | null {
  const dpop = fields.map(([name, value]) =>
    name.toLowerCase() === 'authorization'
      ? ([name, value.replace(/^dpop /i, 'Bearer ')] as const)
      : ([name, value] as const),
  );
  return bearerOf({ fields: dpop });
}

/** A connection of the client as evidence tells it, with the certificate that it presented. */
export function seenFromBehind(
  connection: UpstreamConnection,
  known: readonly Identity[],
): DescribedConnection & TellingConnection {
  const http: HttpVersion = connection.facts.alpn === 'h2' ? 'h2' : 'http/1.1';
  return {
    id: connection.id,
    facts: connection.facts,
    options: { http, identity: presented(connection, known), servername: connection.facts.serverName },
    exporter: (derivation) => connection.exporter(derivation),
  };
}

/** The suite's identity that the client presented; one that the suite does not know is told by its certificate alone. */
function presented({ clientChain: [leaf] }: UpstreamConnection, known: readonly Identity[]): Identity | null {
  if (leaf === undefined) return null;
  const certificate = leaf.toString();
  return (
    known.find((identity) => identity.certificate.trim() === certificate.trim()) ?? {
      name: leaf.subject.replaceAll('\n', ', '),
      keyType: leaf.publicKey.asymmetricKeyDetails?.namedCurve ?? leaf.publicKey.asymmetricKeyType ?? '',
      certificate,
      chain: certificate,
      privateKey: '',
      thumbprint: '',
    }
  );
}

/** The request in the form that descriptions and evidence are made from. */
export function sentBy(
  arrival: Pick<Arrival, 'request' | 'proofs'>,
  connection: DescribedConnection,
  defaultAuthority: string,
): Sent {
  const { request } = arrival;
  const wire: WireRequest = {
    method: request.method,
    target: request.target,
    authority: request.authority,
    fields: request.fields,
    ...(request.body.length === 0 ? {} : { body: request.body }),
  };
  return {
    connection,
    request: wire,
    defaultAuthority,
    token: tokenIn(request),
    proofs: arrival.proofs,
    dpop: dpopProofsOf(request),
    now: Math.floor(request.receivedAt / 1000),
  };
}

const DONE: Readonly<Record<Exclude<Answer['kind'], 'response' | 'held' | 'cut' | 'octets'>, string>> = {
  end: 'the counterpart ended the connection without a response',
  reset: 'the counterpart reset the connection without a response',
  'refuse-stream': 'the counterpart refused the stream (RST_STREAM, REFUSED_STREAM)',
  'go-away': 'the counterpart sent GOAWAY and left this stream out',
};

/** What the counterpart did with a request, as evidence tells it. */
export function answeredWith(answer: Answer | undefined): Outcome {
  if (answer === undefined)
    return {
      type: 'failure',
      kind: 'timeout',
      detail: 'the counterpart had not answered yet',
      durationMs: 0,
    };
  if (answer.kind === 'response' || answer.kind === 'held')
    return {
      type: 'response',
      status: answer.status,
      fields: answer.fields,
      body: Buffer.from(answer.body),
      bodyTruncated: false,
      informational: [],
      durationMs: 0,
    };
  return {
    type: 'failure',
    kind: answer.kind === 'reset' ? 'reset' : 'closed',
    detail: inWords(answer),
    durationMs: 0,
  };
}

function inWords(answer: Exclude<Answer, { kind: 'response' | 'held' }>): string {
  if (answer.kind === 'octets')
    return `the counterpart sent ${answer.what}${answer.stays === true ? '' : ' and then ended the connection'}`;
  if (answer.kind !== 'cut') return DONE[answer.kind];
  const { status, how, stallMs = 0 } = answer;
  const pause = stallMs === 0 ? '' : `, nothing for ${stallMs} ms,`;
  return `the counterpart sent the head of a ${status} response${pause} and then ended the connection (${how})`;
}
