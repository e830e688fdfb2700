import { createPublicKey } from 'node:crypto';
import { readJwt } from '../../harness/forge/read.ts';
import { refused, refusedExactly } from '../../harness/scenario/expectation.ts';
import type { TokenPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** draft -06 §3.3.2 step 5b: the token is validated as it would be without a proof. */

const NOT_VALIDATED =
  'A proof stands in for the validation of the access token. Validate signature, issuer, audience and times of each token first; a proof says only who presents it.';
const NOT_SIGNED = 'The signature of the token is not verified (RFC 9068 §4).';
const FOREIGN_KEY =
  'The token is verified with another key than the issuer’s, or not at all. Use the keys of the issuer’s JWK Set only.';
const UNSIGNED =
  'A token without a signature is accepted: alg none is among the accepted algorithms (RFC 8725 §2.1).';
const UNVALIDATED_CONTENT =
  'Something is decided from a token whose signature does not verify. Validate the token as presented, the whole text of it, before any of its claims is looked at.';

/** Whole seconds that no clock leeway covers. */
const LONG = 3600;

function bad(what: string, token: TokenPlan, cause: string, differs?: readonly string[]): Variation {
  return { what, change: { token }, cause, ...(differs === undefined ? {} : { differs }) };
}

/** Tokens that are not valid, each in one respect; proofs are made for them as they are. */
function invalidTokens(stage: Stage): readonly Variation[] {
  const { issuer } = stage.setting;
  const now = Math.floor(Date.now() / 1000);
  const publicKey = createPublicKey(issuer.privateKey).export({ type: 'spki', format: 'pem' });
  return [
    bad(
      'the token expired an hour ago',
      { lifetime: -LONG },
      'The expiry of the token is not checked (RFC 9068 §4).',
    ),
    bad(
      'the token is valid only in an hour',
      { claims: { nbf: now + LONG } },
      'The nbf of the token is not checked (RFC 7519 §4.1.5).',
    ),
    bad(
      'the token is by another issuer',
      { claims: { iss: 'https://elsewhere.tsbt.test' } },
      'The issuer of the token is not checked (RFC 9068 §4).',
    ),
    bad(
      'the token is for another audience',
      { claims: { aud: 'https://other.tsbt.test' } },
      'The audience of the token is not checked, so that a token for another resource server is accepted (RFC 9068 §4).',
    ),
    bad('the token’s signature has one bit flipped', { signature: flipped }, NOT_SIGNED, ['token.signature']),
    bad('the token is signed by the client’s TLS key', { signWith: stage.alice }, FOREIGN_KEY),
    bad('the token is signed by a stranger’s key', { signWith: stage.mallory }, FOREIGN_KEY),
    bad('the token is not signed: alg is none', { algorithm: 'none' }, UNSIGNED, [
      'token.header.alg',
      'token.signature',
    ]),
    bad(
      'the token is “signed” with the issuer’s public key as an HMAC key',
      { algorithm: 'HS256', signWith: Buffer.from(publicKey) },
      'The issuer’s public key is handed to whatever algorithm the token names, so that anybody can make an HMAC with it. Accept only the algorithms that fit the key (RFC 8725 §2.1).',
      ['token.header.alg', 'token.signature'],
    ),
  ];
}

export const tokenValidity = suite('resource-server', 'token-validity', [
  {
    id: 'RS-TOK-1',
    title: 'refuses a token that is not valid, however right the proof is that comes with it',
    cause: NOT_VALIDATED,
    async run(stage) {
      await stage.refuses(refused('invalid_token'), invalidTokens(stage));
    },
  },
  {
    id: 'RS-TOK-1.code',
    title: 'says invalid_token where the token is not valid',
    cause: {
      'other-manner':
        'A token that is not valid is refused under another name than invalid_token (RFC 6750 §3.1), so that the client makes a new proof where it needs a new token.',
    },
    async run(stage) {
      await stage.refuses(refusedExactly('invalid_token'), invalidTokens(stage));
    },
  },
  {
    id: 'RS-TOK-1.type',
    title: 'refuses a token whose typ is not at+jwt',
    cause:
      'The token’s typ is not checked (RFC 9068 §4), so that another JWT of the same issuer may pass for an access token.',
    async run(stage) {
      await stage.refuses(refused('invalid_token'), [
        { what: 'typ of the token is JWT', change: { token: { header: { typ: 'JWT' } } } },
        { what: 'the token has no typ', change: { token: { header: { typ: undefined } } } },
        {
          what: 'typ of the token is that of a proof',
          change: { token: { header: { typ: 'tls-binding-proof+jwt' } } },
        },
      ]);
    },
  },
  {
    id: 'RS-TOK-2',
    title: 'answers 403 insufficient_scope to a token without the scope, though its proof is right',
    capabilities: ['scoped'],
    cause: {
      'other-manner':
        'A missing scope is not told from a missing proof. Check the scope after the proof and answer 403 insufficient_scope (RFC 6750 §3.1).',
      served: 'The scope of the token is not checked on this path (RFC 6750 §3.1).',
    },
    async run(stage) {
      const path = `${stage.setting.target.protectedPath}/scoped`;
      await stage.refuses(
        refusedExactly('insufficient_scope'),
        [{ what: 'the token lacks the scope', change: { token: { scope: 'tsbt.basic' } } }],
        { path, token: { scope: 'tsbt.basic tsbt.scoped' } },
      );
    },
  },
  {
    id: 'RS-TOK-4',
    title: 'decides nothing from the content of a token whose signature does not verify',
    cause: UNVALIDATED_CONTENT,
    async run(stage) {
      const genuine = await stage.mint();
      await stage.control('the right request with the genuine token', { token: genuine });
      const altered = (change: (cnf: Cnf) => Cnf | undefined): TokenPlan => ({
        compact: () => withConfirmation(genuine.compact, change),
      });
      const label = 'EXPORTER-tsbt-other';
      const mallory: Variation = {
        what: 'cnf altered to mallory’s certificate, on mallory’s connection with mallory’s proof',
        connect: { identity: stage.mallory },
        change: { token: altered((cnf) => ({ ...cnf, 'x5t#S256': stage.mallory.thumbprint })) },
        differs: ['token.signature', 'connection.certificate'],
      };
      await stage.refuses(refused('invalid_token'), [
        {
          what: 'cnf cut out of a genuine token, no proof',
          change: { token: altered(() => undefined), proof: null },
          differs: ['token.claims.cnf.x5t#S256', 'token.claims.cnf.tls_exp', 'token.signature', 'proof'],
        },
        {
          what: 'tls_exp cut out of a genuine token, no proof',
          change: { token: altered((cnf) => ({ ...cnf, tls_exp: undefined })), proof: null },
          differs: ['token.claims.cnf.tls_exp', 'token.signature', 'proof'],
        },
        {
          what: 'tls_exp of a genuine token altered, proof over that label',
          change: {
            token: altered((cnf) => ({ ...cnf, tls_exp: label })),
            proof: { ekm: (connection) => connection.exporter({ label }).toString('base64url') },
          },
          differs: ['token.claims.cnf.tls_exp', 'token.signature', 'proof.claims.ekm'],
        },
        mallory,
        {
          what: 'a copy without cnf and without signature (alg none), no proof',
          change: { token: { algorithm: 'none', boundTo: null, sessionBound: false }, proof: null },
          differs: [
            'token.header.alg',
            'token.claims.cnf.x5t#S256',
            'token.claims.cnf.tls_exp',
            'token.signature',
            'proof',
          ],
        },
      ]);
    },
  },
]);

type Cnf = Readonly<Record<string, unknown>>;

/** The same token with another `cnf` and its old signature. */
function withConfirmation(compact: string, change: (cnf: Cnf) => Cnf | undefined): string {
  const { claims, parts } = readJwt(compact);
  const { cnf, ...rest } = claims as { readonly cnf: Cnf };
  const payload = JSON.stringify({ ...rest, cnf: change(cnf) });
  return [parts[0], Buffer.from(payload).toString('base64url'), parts[2]].join('.');
}

function flipped(signature: Buffer): Buffer {
  const copy = Buffer.from(signature);
  copy[8] = (copy[8] ?? 0) ^ 1;
  return copy;
}
