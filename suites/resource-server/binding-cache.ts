import { collidingTokens } from '../../harness/forge/colliding-tokens.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { another, NO_PROOF, prime, refusesOnPrimed, serves } from './primed.ts';

/** draft -06 §3.3.2, closing paragraphs: a verified binding is good for its connection and its token only. */

const NOT_EVERY_REQUEST =
  'Once a connection has had a proof, later requests on it are waved through. Run steps a to i for each request; only the verification of a proof that was verified before for this very token on this very connection may be left out.';
const NOT_BY_CONNECTION =
  'Verified bindings are found by the token alone. Key them by the connection object as well, so that no other connection finds them.';
const NOT_BY_TOKEN =
  'Verified bindings are found by the connection alone. Key them by the whole ath as well.';
const PROOF_FOUND_AGAIN =
  'A proof that was verified before is accepted for another token of the connection: bindings are found by the proof or by the connection alone. Key them by the whole ath as well, and compare ath with the token of this request.';
const FIELD_OPTIONAL =
  'A cache hit is taken in place of the proof. Refuse a request for a session-bound token that has no Session-Binding-Proof field before the cache is asked (AMB-16).';
const ONE_TIME =
  'A proof without jti is taken for a one-time one, or bindings wear out. One proof serves all requests of its token on its connection (draft -06 §3.3.1).';
const TRUNCATED_KEY =
  'The cache key has only a part of the token’s hash. Use all 32 octets of ath, or the whole token.';

export const bindingCache = suite('resource-server', 'binding-cache', [
  {
    id: 'RS-CACHE-1',
    title: 'holds every request to all steps, however many were served on the connection before',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: NOT_EVERY_REQUEST,
    async run(stage) {
      const connection = await stage.connect();
      const token = await stage.mint();
      const proof = stage.proof(connection, token);
      await stage.control('a token with its proof', { token, proof }, { on: connection });
      for (let sent = 1; sent < (stage.full ? 90 : 30) && connection.open; sent++) {
        const what = `request ${sent + 1} with the same proof`;
        if (!(await serves(stage, what, { token, proof }, connection, ONE_TIME))) return;
      }
      await refusesOnPrimed(
        stage,
        refused('invalid_proof'),
        [
          async () => ({
            what: 'another token without a proof',
            change: { token: await another(stage), proof: null },
            expect: refused('use_session_binding'),
          }),
          async (primed) => ({
            what: 'another token with the proof of the first',
            change: { token: await another(stage), proof: primed.proof },
            differs: ['proof.claims.ath'],
          }),
          () => ({
            what: 'another token with the ekm of no connection',
            change: { token: {}, proof: { claims: { ekm: Buffer.alloc(32).toString('base64url') } } },
          }),
          () => ({
            what: 'a token for another audience',
            change: { token: { claims: { aud: 'https://elsewhere.tsbt.test' } }, proof: {} },
            expect: refused('invalid_token'),
          }),
          () => ({
            what: 'an expired token',
            change: { token: { lifetime: -10 * 60 }, proof: {} },
            expect: refused('invalid_token'),
          }),
          () => ({
            what: 'a token for another certificate',
            change: { token: { boundTo: stage.mallory }, proof: {} },
            expect: refused('invalid_token', 'invalid_proof'),
          }),
        ],
        connection.open ? { connection } : {},
      );
    },
  },
  {
    id: 'RS-CACHE-2',
    title: 'verifies a token anew on each connection, whatever was verified for it on another one',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: NOT_BY_CONNECTION,
    async run(stage) {
      const { connection, token, proof, control } = await prime(stage);
      const busy = (await prime(stage, { token: await another(stage) })).connection;
      const refuse = stage.refusesOne.bind(stage, refused('invalid_proof'));
      const base = { token, proof };
      const elsewhere = {
        what: 'the proof of the first connection, on a second one of the same client',
        differs: ['proof.claims.ekm'],
      };
      await refuse({ ...elsewhere, on: await stage.connect() }, control, base);
      await refuse(
        { ...elsewhere, what: 'the same on one that has verified another token', on: busy },
        control,
        base,
      );
      await refuse(
        {
          what: 'no proof on a further connection',
          on: await stage.connect(),
          change: { proof: null },
          expect: refused('use_session_binding'),
        },
        control,
        base,
      );
      await refuse(
        {
          what: 'the proof of the first connection, on one with another client certificate',
          connect: { identity: stage.mallory },
          differs: [
            'connection.certificate',
            'token.claims.cnf.x5t#S256',
            'proof.header.x5t#S256',
            'proof.signature',
            'proof.claims.ekm',
          ],
          expect: refused('invalid_token', 'invalid_proof'),
        },
        control,
        base,
      );
      await stage.control(
        'the token on another connection with a proof of that',
        { token },
        { on: await stage.connect() },
      );
      await stage.control('the token on its first connection', base, { on: connection });
    },
  },
  {
    id: 'RS-CACHE-3',
    title: 'verifies each token of a connection anew, whatever was verified for another one',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: NOT_BY_TOKEN,
    async run(stage) {
      await refusesOnPrimed(stage, refused('invalid_proof'), [
        async () => ({
          what: 'another token without a proof',
          change: { token: await another(stage), proof: null },
          expect: refused('use_session_binding'),
        }),
        async ({ proof }) => ({
          what: 'another token with the proof of the first',
          change: { token: await another(stage), proof },
          differs: ['proof.claims.ath'],
          cause: PROOF_FOUND_AGAIN,
        }),
        async () => ({
          what: 'another token with something that is no proof',
          change: { token: await another(stage), proof: NO_PROOF },
        }),
        async () => ({
          what: 'another token with a proof by another key',
          change: { token: await another(stage), proof: { signWith: stage.mallory } },
        }),
      ]);
    },
  },
  {
    id: 'RS-CACHE-9',
    title: 'demands the proof field on every request, also where the binding is verified already',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: FIELD_OPTIONAL,
    async run(stage) {
      await refusesOnPrimed(stage, refused('use_session_binding'), [
        () => ({ what: 'the verified token without a proof', change: { proof: null } }),
        () => ({
          what: 'the verified token without a proof, with another method',
          change: { method: 'POST', proof: null },
        }),
        () => ({
          what: 'the verified token with an empty proof field',
          change: { proof: '' },
          expect: refused('use_session_binding', 'invalid_proof'),
        }),
      ]);
    },
  },
  {
    id: 'RS-CACHE-13',
    title: 'tells tokens apart whose hashes begin alike',
    needs: ['persistent-connection'],
    cause: TRUNCATED_KEY,
    async run(stage) {
      await another(stage);
      const [token, alike] = collidingTokens(stage.setting.issuer, { boundTo: stage.alice });
      const what = 'a token whose SHA-256 shares its first two octets with that of the verified one';
      await refusesOnPrimed(
        stage,
        refused('invalid_proof'),
        [
          ({ proof }) => ({
            what: `${what}, with the proof of that one`,
            change: { token: alike, proof },
            differs: ['proof.claims.ath'],
          }),
          () => ({
            what: `${what}, with something that is no proof`,
            change: { token: alike, proof: NO_PROOF },
          }),
          () => ({
            what: `${what}, without a proof`,
            change: { token: alike, proof: null },
            expect: refused('use_session_binding'),
          }),
        ],
        { token },
      );
      await stage.control('that token with its own proof', { token: alike });
    },
  },
]);
