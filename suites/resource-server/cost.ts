import type { RequestPlan } from '../../harness/scenario/request.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/** What session binding costs beside the other ways of sending a token: draft -06 §2.1, §4. */

const NOT_LASTING =
  'A proof that was right stops being accepted on its connection. Verify it anew where nothing is remembered of it; the number of requests makes no difference.';

/** The way in which one proof serves all requests. */
const LASTING = 'Session-bound, one proof';

/** A way of sending a token, and what the client signs for it. */
interface Way {
  readonly name: string;
  /** Begins a series on a connection; what it returns makes each request of it. */
  readonly begin: (connection: Connection) => () => RequestPlan;
  /** How many signatures the client makes for so many requests on one connection. */
  readonly signatures: (requests: number) => number;
  /** How many of them the resource server has to verify then, by what is written. It may verify more. */
  readonly verifications: (requests: number) => number;
  /** Where that is written. */
  readonly written: string;
}

export const cost = suite('resource-server', 'cost', [
  {
    id: 'RS-CACHE-12.cost',
    title:
      'serves a token with its first proof all along a connection (and what each way of binding costs is measured)',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    async run(stage) {
      const requests = stage.full ? 200 : 12;
      stage.derive(
        'Whatever the way: signatures of tokens to verify per request',
        1 / requests,
        'RFC 9068 §4: one for the token, where a valid one is remembered',
      );
      for (const way of await ways(stage)) {
        const connection = await stage.connect();
        const next = way.begin(connection);
        const first = await stage.send(`${way.name}: the first request`, next(), { on: connection });
        if (!first.served) {
          stage.note(`${way.name}: not served (${first.reading.text}), so not measured`);
          continue;
        }
        const durations: number[] = [];
        let octets = 0;
        for (let index = 0; index < requests && connection.open; index++) {
          const plan = next();
          const exchange = await stage.accepts(
            `${way.name}: request ${index + 2}`,
            plan,
            { on: connection },
            way.name === LASTING ? NOT_LASTING : null,
          );
          if (!exchange.served) return;
          durations.push(exchange.outcome.durationMs);
          octets = octetsOf(exchange) + (typeof plan.dpop === 'string' ? plan.dpop.length : 0);
        }
        stage.measure(
          `${way.name}: signatures of the client per request`,
          way.signatures(requests) / requests,
        );
        const { written } = way;
        stage.derive(
          `${way.name}: signatures of proofs to verify per request`,
          way.verifications(requests) / requests,
          written,
        );
        stage.measure(`${way.name}: octets of token and proof per request`, octets);
        stage.measure(`${way.name}: request, median`, median(durations), 'ms');
      }
    },
  },
]);

async function ways(stage: Stage): Promise<readonly Way[]> {
  const [bearer, certificate, perConnection, perRequest] = [
    await stage.mint({ boundTo: null, sessionBound: false }),
    await stage.mint({ sessionBound: false }),
    await stage.mint(),
    await stage.mint(),
  ];
  return [
    {
      name: 'Bearer token',
      begin: () => () => ({ token: bearer, proof: null }),
      signatures: () => 0,
      verifications: () => 0,
      written: 'RFC 6750 §2.1: there is no proof',
    },
    {
      name: 'Certificate-bound (RFC 8705)',
      begin: () => () => ({ token: certificate, proof: null }),
      signatures: () => 0,
      verifications: () => 0,
      written: 'RFC 8705 §3: the handshake has proven the key, and a thumbprint is compared',
    },
    {
      name: LASTING,
      begin: (connection) => {
        const proof = stage.proof(connection, perConnection);
        return () => ({ token: perConnection, proof });
      },
      signatures: () => 1,
      verifications: () => 1,
      written: 'draft -06 §3.3.2: one for the connection and token, where the verified binding is remembered',
    },
    ...(stage.setting.target.capabilities.has('dpop') ? [await keyBound(stage)] : []),
    ...(stage.setting.target.capabilities.has('per-request-claims')
      ? [
          {
            name: 'Session-bound, a proof per request',
            begin: () => () => ({ token: perRequest, proof: { claims: stage.perRequest() } }),
            signatures: (requests: number) => requests,
            verifications: (requests: number) => requests,
            written: 'draft -06 §2.3.2.2: jti, htm and htu are new with each request',
          },
        ]
      : []),
  ];
}

/** A DPoP-bound token (RFC 9449): a proof per request, signed with another key than the connection's. */
async function keyBound(stage: Stage): Promise<Way> {
  const token = await stage.mint({ boundTo: null, sessionBound: false, jkt: stage.dpopKey });
  return {
    name: 'DPoP-bound, a proof per request',
    begin: () => () => ({
      token,
      proof: null,
      dpop: stage.dpopProof(token),
      authorization: (compact) => [['Authorization', `DPoP ${compact}`]],
    }),
    signatures: (requests) => requests,
    verifications: (requests) => requests,
    written: 'RFC 9449 §4.3: one for each request',
  };
}

/** What token and proof take in the request, without the names of their fields. */
function octetsOf({ token, proofs }: Exchange): number {
  return [token?.compact ?? '', ...proofs].reduce((sum, value) => sum + value.length, 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
