import { isOddHash } from '../../certs/odd-hash.ts';
import { ath } from '../../harness/forge/read.ts';
import type { Token } from '../../harness/forge/token.ts';
import { challenged, serveProven } from '../../harness/scenario/client/answers.ts';
import { bearerOf } from '../../harness/scenario/client/arrival.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { Journey } from '../../harness/scenario/client/client-play.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import type { Script } from '../../harness/counterpart/resource-server/contract.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { allSound, anotherServer, isProven, noteSingle, returns, together } from './upstream.ts';

/** draft -06 §2.1 item 3, §3.3.1, §3.3.2, Appendix B.1, B.3: one connection, many requests, many tokens. */

const ONE_FOR_ALL =
  'A proof is kept for the connection, the user, or something that two tokens have in common. Keep it under the whole token (or its hash) and the connection.';

const MIXED_UP =
  'The proof is made for one connection of the pool, and the request goes out on another. Choose the connection first, then make the proof with its exporter value.';

/** So many connections a client has for one server at least, if it has several. */
const POOL = 3;

/** Every second one with a body. */
const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'OPTIONS', 'PATCH'] as const;

/** The same text with the case of the last letter turned, or with another last character. */
function turned(text: string): string {
  const at = text.search(/[A-Za-z][^A-Za-z]*$/);
  const letter = text.charAt(at);
  const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
  return text.slice(0, at) + other + text.slice(at + 1);
}

/** Tokens of one user that are as alike as tokens can be; a client sees no more of them than their text. */
function lookalikes(stage: ClientStage): readonly (readonly [what: string, token: Token])[] {
  const now = Math.floor(Date.now() / 1000);
  const same = { now, claims: { jti: 'the-same' } };
  const token = stage.mint(same);
  const [header = '', payload = '', signature = ''] = token.compact.split('.');
  const alike = [
    ['a token that differs in the case of a letter', `${header}.${payload}.${turned(signature)}`],
    ['a token that is the beginning of another', token.compact.slice(0, -1)],
    ['a token whose end is the same', `${turned(header)}.${payload}.${signature}`],
  ] as const;
  // Hashes of rare shapes are the subject of CL-PL-2.rare.
  if (alike.some(([, text]) => isOddHash(ath(text)))) return lookalikes(stage);
  return [
    ['a token', token],
    ['a token with the same header and claims', stage.mint(same)],
    ...alike.map(([what, text]) => [what, stage.adopt(text)] as const),
  ];
}

/** Judged: what arrived of these requests came each with its own token, and nothing is wrong with the token hashes. */
function ownTokens(stage: ClientStage, journeys: readonly Journey[]): void {
  const astray = journeys.filter(({ token, arrivals }) =>
    arrivals.some(({ request }) => bearerOf(request) !== token?.compact),
  );
  stage.holds(
    astray.length === 0,
    `${astray.length} of ${journeys.length} requests arrived with another token than the agent’s`,
    'Requests share what belongs to one of them. Keep token and proof with their own request.',
  );
  allSound(
    stage,
    ['ath', 'ekm'],
    journeys.flatMap(({ arrivals }) => arrivals),
    (_arrival, defects) => defects.some(({ aspect, astray }) => aspect === 'ath' && astray === true),
  );
}

/** How many different proofs came, which costs and is no mistake. */
function noteProofs(stage: ClientStage, tokens: number): void {
  const proven = stage.arrivals().filter(isProven);
  const proofs = new Set(proven.flatMap((arrival) => arrival.proofs));
  const connections = new Set(proven.map(({ request }) => request.connection));
  stage.note(
    `${proven.length} requests with ${tokens} token(s) on ${connections.size} connection(s): ${proofs.size} different proof(s)`,
  );
}

export const tokenReuse = clientSuite('client-token-reuse', [
  {
    id: 'CL-CONN-3',
    title: 'sends several requests on one connection',
    across: { http: AXES.http },
    cause:
      'A connection is opened for each request, and with it a handshake and a signature are paid each time. Keep connections open between requests (draft -06 §3.3.1).',
    async run(stage) {
      // One token: a client may keep the connections of its users apart.
      const { token } = await stage.control();
      for (let i = 0; i < (stage.full ? 20 : 6); i++)
        await stage.journey('a request after another', { token });
      const { requests } = stage.counterpart;
      const used = new Set(requests.map(({ connection }) => connection)).size;
      stage.holds(used < requests.length, `${requests.length} requests came on ${used} connections`);
    },
  },
  {
    id: 'CL-REUSE-1',
    title: 'serves requests of all kinds with a proof that is right for each of them',
    across: { http: AXES.http },
    cause:
      'A proof is used again that is right for one request only, or was changed after it was signed. Leave the claims of a request out of a proof that is to serve others too, and sign anew after every change.',
    async run(stage) {
      const aspects = ['form', 'signature', 'ath', 'ekm', 'htm', 'htu'] as const;
      const token = stage.mint();
      await stage.control(aspects, 'the first request', { token });
      for (let i = 0; i < (stage.full ? 20 : 6); i++) {
        const method = METHODS[i % METHODS.length] ?? 'GET';
        const body = Buffer.from(`request ${i}`);
        const plan = { token, method, path: `/resource/${i}?n=${i}` };
        const isEmpty = i % 2 === 0;
        await stage.journey(`${method} with the same token`, isEmpty ? plan : { ...plan, body });
      }
      allSound(stage, aspects, undefined, (_arrival, defects) =>
        defects.some(({ aspect }) => ['signature', 'htm', 'htu'].includes(aspect)),
      );
      noteProofs(stage, 1);
    },
  },
  {
    id: 'CL-REUSE-2',
    title: 'makes for each token on a connection a proof of its own',
    across: { http: AXES.http },
    cause: ONE_FOR_ALL,
    async run(stage) {
      await stage.control(['form', 'ath', 'ekm']);
      const tokens = Array.from({ length: stage.full ? 100 : 10 }, () => stage.mint());
      const alike = lookalikes(stage);
      const journeys: Journey[] = [];
      for (const token of [...tokens, ...tokens.slice(0, 10)])
        journeys.push(await stage.journey('one token after another', { token }));
      for (const [what, token] of [...alike, ...alike.toReversed()])
        journeys.push(await stage.journey(what, { token }));
      ownTokens(stage, journeys);
      noteProofs(stage, tokens.length + alike.length + 1);
    },
  },
  {
    id: 'CL-REUSE-4',
    title: 'makes a new proof when a token was renewed, on the connection that stands',
    across: { http: AXES.http },
    cause: ONE_FOR_ALL,
    async run(stage) {
      const old = stage.mint();
      const aspects = ['form', 'ath', 'ekm'] as const;
      const { arrival: control } = await stage.control(aspects, 'the token', { token: old });
      const before = await stage.journey('the token again', { token: old });
      const token = stage.mint();
      const renewed = await returns(stage, ['ath'], control, 'the renewed token', { token });
      stage.answerWith(refusing(old));
      await stage.journey('the old token, which has expired', { token: old });
      const later = await returns(stage, ['ath'], control, 'a token renewed after that');
      ownTokens(stage, [before, renewed, later]);
      const { connection } = control.request;
      const reused = before.arrivals.every(({ request }) => request.connection === connection);
      if (reused && connection.open && stage.connections.length > 1)
        stage.observe(
          'with a renewed token the client opens another connection, though the one that it used still stands',
        );
    },
  },
  {
    id: 'CL-SC-5',
    title: 'never sends a user’s token with another user’s proof on an HTTP/2 connection that they share',
    across: { tls: AXES.tls, http: ['h2'] },
    cause: ONE_FOR_ALL,
    async run(stage) {
      await stage.control(['form', 'ath', 'ekm']);
      const users = stage.full ? 100 : 12;
      const tokens = Array.from({ length: users }, (_, i) => stage.mint({ subject: `user-${100 + i}` }));
      const journeys: Journey[] = [];
      for (let round = 0; round < 2; round++) {
        stage.answerWith(together(stage, users));
        const others = `with ${users - 1} others`;
        journeys.push(
          ...(await Promise.all(
            tokens.map((token) => stage.journey(`${token.subject}, ${others}`, { token })),
          )),
        );
      }
      const [first, second] = [stage.mint({ subject: 'alice' }), stage.mint({ subject: 'bob' })];
      await stage.journey('the first user', { token: first });
      stage.answerWith(refusing(first));
      await stage.journey('the first user, whose token has expired', { token: first });
      journeys.push(await stage.journey('the second user, right after it', { token: second }));
      ownTokens(stage, journeys);
      noteProofs(stage, users + 3);
    },
  },
  {
    id: 'CL-SC-6',
    title: 'proves each request for the connection of its pool that the request goes out on',
    across: { tls: AXES.tls, http: AXES.http },
    cause: MIXED_UP,
    async run(stage) {
      const token = stage.mint();
      await stage.control(['form', 'ekm'], 'the first request', { token });
      const replica = await anotherServer(stage, 'replica of the server');
      const crowd = 6;
      for (let wave = 0; wave < (stage.full ? 8 : 3); wave++) {
        // Half of them stay where they are, the others and whoever comes later meet the other replica.
        stage.meet({ maxConcurrentStreams: 1, ...(wave % 2 === 0 ? { identity: replica } : {}) });
        let count = 0;
        stage.answerWith(
          together(stage, POOL, async (request) => {
            const usual = await serveProven(request);
            count += 1;
            if (count % 5 === 0) return { kind: 'end' };
            return count % 2 === 0 && usual.kind === 'response' ? { ...usual, closes: true } : usual;
          }),
        );
        await Promise.all(
          Array.from({ length: crowd }, () => stage.journey(`one of ${crowd} at once`, { token })),
        );
      }
      allSound(stage, ['ekm']);
      noteSingle(stage);
    },
  },
]);

/** Serves what came with a proof, but for this token, which is not valid any more. */
function refusing({ compact }: Token): Script {
  return (request) => (bearerOf(request) === compact ? challenged('invalid_token') : serveProven(request));
}
