import type { Token } from '../forge/token.ts';
import type { Connection } from '../wire/connection.ts';
import { difference } from './difference.ts';
import type { Exchange, Play } from './play.ts';
import type { RequestPlan } from './request.ts';

/** What a request that should have been served, and was not, says about the target. */
export type Standing =
  /** It is rejected for what it is, or for what went before it in this scenario. */
  | 'blamed'
  /** It is the plain valid request, and further ones on its connection are rejected too. */
  | 'valid'
  /** The target rejects plain valid requests, or the same request now and then: nothing else can be blamed. */
  | 'nothing';

/** What was sent on which connection, and which valid requests were served there. */
export class SentRequests {
  readonly #tokens = new Map<Connection, Token[]>();
  readonly #counts = new Map<Connection, number>();

  /** @param valid whether it should be served */
  note({ connection, token, served }: Exchange, valid: boolean): void {
    this.#counts.set(connection, this.count(connection) + 1);
    if (!served || !valid) return;
    const tokens = this.#tokens.get(connection) ?? [];
    if (token !== null && !tokens.some(({ compact }) => compact === token.compact)) tokens.push(token);
    this.#tokens.set(connection, tokens);
  }

  /** The tokens that were served on it, in order; `undefined` where nothing was. */
  on(connection: Connection): readonly Token[] | undefined {
    return this.#tokens.get(connection);
  }

  /** How many requests have gone out on it. */
  count(connection: Connection): number {
    return this.#counts.get(connection) ?? 0;
  }
}

/** Most plain valid requests that are sent to see whether so many are served. */
const MOST = 60;

/**
 * Finds out whether a rejection can be blamed on the request, or on what the scenario did before. The plain valid
 * request with a fresh token goes out on the same connection; where that is served, the rejected one once more.
 *
 * @param plan of the request
 * @param aboutSequence whether the scenario judges what comes of valid requests one after the other
 */
export async function standingOf(
  play: Play,
  exchange: Exchange,
  plan: RequestPlan,
  before: SentRequests,
  aboutSequence: boolean,
): Promise<Standing> {
  const { connection } = exchange;
  const witness = connection.open
    ? await plainOn(play, connection, 'on the same connection')
    : await severalLike(play, connection, before.count(connection));
  if (witness !== undefined && isPlain(plan) && isAlike(witness, exchange)) {
    if (!aboutSequence && !(await servesSequence(play, exchange, before))) return 'nothing';
    return witness.served ? 'blamed' : 'valid';
  }
  if (witness?.served === true) return (await isConstant(play, plan, connection)) ? 'blamed' : 'nothing';
  if (before.on(connection) !== undefined) return 'nothing';
  // Nothing was ever served on it: is it all connections of its kind, and only them?
  const usual = await severalLike(play, undefined, 2);
  if (usual?.served !== true) return 'nothing';
  const like = await severalLike(play, connection, 1);
  return like?.served === true ? 'nothing' : 'blamed';
}

/**
 * Whether a connection on which a request was rejected, and the plain valid one served, goes on so: one that rejects
 * each second or third request, whatever it is, does not.
 */
async function isConstant(play: Play, plan: RequestPlan, on: Connection): Promise<boolean> {
  if (!on.open) return true;
  const again = await play.send('the rejected request once more', plan, { on });
  if (again.served) return false;
  for (let sent = 0; sent < 2 && on.open; sent++) {
    const plain = await plainOn(play, on, 'on the same connection again');
    if (plain?.served === false && plain.reading.kind !== 'cut') return false;
  }
  return true;
}

/** Whether as many plain valid requests are served on a usual connection as have gone out on that of an exchange. */
export async function servesSequence(
  play: Play,
  { connection }: Exchange,
  before: SentRequests,
): Promise<boolean> {
  return (await severalLike(play, undefined, before.count(connection)))?.served === true;
}

/** Whether a plan has nothing that descriptions may not tell: another spelling, another place. */
function isPlain(plan: RequestPlan): boolean {
  return Object.keys(plan).every((member) => member === 'token' || member === 'proof');
}

/** Whose token it is makes no difference that a target may mind. */
const INDIFFERENT: readonly string[] = ['token.claims.sub'];

function isAlike(plain: Exchange, exchange: Exchange): boolean {
  return difference(plain.description, exchange.description).every(({ field }) =>
    INDIFFERENT.includes(field),
  );
}

/** The plain valid request for the client of a connection. */
export function plainFor(play: Play, { options }: Connection): RequestPlan {
  const { identity } = options;
  const own = identity === null || identity.thumbprint === play.alice.thumbprint;
  return own ? {} : { token: { boundTo: identity } };
}

async function plainOn(play: Play, on: Connection, where: string): Promise<Exchange | undefined> {
  if (on.options.identity === null) return undefined;
  return play.send(
    `the plain valid request with a fresh token ${where}`,
    plainFor(play, on),
    { on },
    'control',
    'served',
  );
}

/**
 * Sends plain valid requests with a fresh token each on a new connection like this one, or of the usual kind.
 *
 * @returns the last exchange, which is the first that was not served; `undefined` where there was no connection
 */
async function severalLike(
  play: Play,
  like: Connection | undefined,
  count: number,
): Promise<Exchange | undefined> {
  const { host: _host, port: _port, ...plan } = like?.options ?? { host: '', port: 0 };
  const connection = await play.tryConnect(plan);
  if ('kind' in connection) return undefined;
  let last: Exchange | undefined;
  for (let sent = 0; sent < Math.min(Math.max(1, count), MOST); sent++) {
    // It may be ended after any response.
    if (!connection.open) break;
    const exchange = await plainOn(play, connection, 'on a new connection');
    if (last !== undefined && exchange?.reading.kind === 'cut') break;
    last = exchange;
    if (last?.served !== true) break;
  }
  return last;
}

interface Suspicion {
  readonly what: string;
  readonly plan: RequestPlan;
  readonly cause: string;
}

/**
 * Finds out what a target serves in place of a valid request that it rejects, though it has served others: a proof
 * for another connection, for another token, or the connection's first token again.
 *
 * @param connections all of the scenario, in the order of opening
 * @returns the mistake and its cure in words; `null` where none of the known ones is served
 */
export async function diagnoseUnserved(
  play: Play,
  on: Connection,
  connections: readonly Connection[],
  before: SentRequests,
): Promise<string | null> {
  for (const { what, plan, cause } of suspicions(on, connections, before)) {
    if (!on.open) return null;
    const exchange = await play.send(what, plan, { on }, 'diagnosis');
    if (exchange.served) return cause;
    if (exchange.reading.kind === 'no-answer' || exchange.reading.kind === 'cut') return null;
  }
  return null;
}

const EXPORT =
  'Export the value from the connection that carries the request, each time or once for each connection object.';

function suspicions(
  on: Connection,
  connections: readonly Connection[],
  before: SentRequests,
): readonly Suspicion[] {
  const newest = connections.at(-1);
  const others = connections.filter((one) => one !== on).toReversed();
  const named = (one: Connection): string =>
    one === newest
      ? 'the newest connection'
      : one === connections[0]
        ? 'the first connection'
        : 'another connection';
  const [first, ...further] = before.on(on) ?? [];
  const last = further.at(-1);
  return [
    ...others.map((one) => ({
      what: `a proof with the exporter value of ${one.id}, ${named(one)}`,
      plan: { proof: { forConnection: one } },
      cause: `On ${on.id} the target expects the exporter value of ${one.id}, ${named(one)}: it is kept in one place for all connections, or looked up by something that they share. ${EXPORT}`,
    })),
    ...[first, last].flatMap((token) =>
      token === undefined
        ? []
        : [
            {
              what: 'a proof for the token that was served before on this connection',
              plan: { proof: { forToken: token } },
              cause: `The target compares ath with the hash of ${token === first ? 'the first' : 'an earlier'} token of the connection, not with that of the token in the request. Compute the hash of the token of each request.`,
            },
          ],
    ),
    ...(first === undefined
      ? []
      : [
          {
            what: 'the first token of this connection again, with a valid proof',
            plan: { token: first },
            cause:
              'The target serves the first token of a connection, and no other one there: the connection has room for one binding or one identity. Keep a binding for each token of a connection, keyed by its ath.',
          },
        ]),
  ];
}
