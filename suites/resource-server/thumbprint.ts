import { createHash, X509Certificate } from 'node:crypto';
import { thumbprint } from '../../harness/forge/read.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import type { Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { another } from './primed.ts';

/** draft -06 §2.4, §3.3.2 step 5c, RFC 8705 §3.1: the token's thumbprint of the client certificate. */

const NOT_COMPARED =
  'x5t#S256 in the cnf claim of the token is not compared with the certificate of the connection: a thief with a certificate of its own makes a perfect proof and is served.';

const DISTURBED =
  'What kind of token a connection carries is remembered for the connection. Judge each request by its own token: the proof is due where that token has tls_exp.';

const ANY_LETTER_CASE =
  'Thumbprints are compared regardless of letter case, so that different certificates count as the same one. Compare the text as it is.';
const IN_PART =
  'Thumbprints are compared in part, so that different certificates count as the same one. Compare the whole text.';
const SHA1 =
  'A SHA-1 thumbprint is accepted in place of the SHA-256 one. Compare x5t#S256, and nothing else, with the SHA-256 of the certificate.';

const NO_SHA256 =
  'A token without x5t#S256 is accepted: the thumbprint is compared only where it is present, or the SHA-1 one passes in its place. Demand x5t#S256.';

const MISMATCH = refused('invalid_token', 'invalid_proof');

/** What changes in a request's description when another client sends it with a proof of its own. */
const ANOTHERS = ['connection.certificate', 'token.claims.cnf.x5t#S256'];

/** A token with this text for the thumbprint. */
function bound(what: string, text: string, cause?: string): Variation {
  return { what, change: { token: { boundTo: text } }, ...(cause !== undefined && { cause }) };
}

export const thumbprints = suite('resource-server', 'thumbprint', [
  {
    id: 'RS-MTLS-4',
    title:
      'refuses a stolen token on a connection with another certificate, even with a proof that fits that connection in all points',
    across: EVERY_TRANSPORT,
    cause: NOT_COMPARED,
    async run(stage) {
      await stage.refuses(MISMATCH, [
        {
          what: "alice's token on mallory's connection, with a proof by mallory",
          connect: { identity: stage.mallory },
          differs: ANOTHERS,
        },
      ]);
    },
  },
  {
    id: 'RS-MTLS-5',
    title:
      'compares the thumbprint of the whole certificate: a new certificate for the same key and name does not match',
    cause:
      'Key, subject or serial number are compared instead of the certificate. x5t#S256 is the SHA-256 of the DER of the whole certificate (RFC 8705 §3.1).',
    async run(stage) {
      await another(stage);
      const { setting, permutation } = stage;
      const renewed = await setting.issue(setting.pki.trusted, {
        name: 'alice, renewed',
        keyType: permutation.key,
        key: setting.pki.alice[permutation.key].privateKey,
        subject: { CN: 'alice' },
      });
      await stage.control();
      await stage.accepts(
        'the renewed certificate with a token bound to it',
        { token: { boundTo: renewed } },
        { connect: { identity: renewed } },
      );
      await stage.refuses(MISMATCH, [
        {
          what: 'the renewed certificate with a token bound to the old one',
          connect: { identity: renewed },
          differs: ANOTHERS,
        },
      ]);
    },
  },
  {
    id: 'RS-MTLS-6',
    title:
      'takes only the end-entity certificate for the client: further certificates in its chain satisfy no binding',
    across: { tls: AXES.tls },
    cause:
      "The thumbprint is looked for among all certificates of the client's Certificate message. Only the first is the client's; the others are public and prove nothing.",
    async run(stage) {
      const { alice, mallory, setting } = stage;
      const withAlice = {
        ...mallory,
        name: "mallory, alice's certificate after its own",
        chain: `${mallory.chain}${alice.certificate}`,
      };
      const path = await setting.issue(setting.pki.trusted, {
        name: "mallory, alice's certificate after an intermediate one",
        keyType: 'P-256',
        intermediates: 1,
        extraChain: alice.certificate,
      });
      await stage.refuses(MISMATCH, [
        {
          what: "alice's certificate stands second in mallory's chain",
          connect: { identity: withAlice },
          differs: ANOTHERS,
        },
        {
          what: "alice's certificate stands third in mallory's chain",
          connect: { identity: path },
          differs: ANOTHERS,
        },
        bound(
          "the token is bound to the authority that issued the client's certificate",
          thumbprint(setting.pki.trusted.certificate),
        ),
        {
          what: "the token is bound to the intermediate authority in the client's chain",
          connect: { identity: path },
          change: { token: { boundTo: thumbprint(second(path.chain)) } },
          differs: ANOTHERS,
        },
      ]);
    },
  },
  {
    id: 'RS-MTLS-7',
    title: 'compares x5t#S256 as text, so that no other spelling of the right thumbprint matches',
    cause:
      'The thumbprint is decoded before it is compared, by a decoder that takes more than unpadded base64url.',
    async run(stage) {
      const right = stage.alice.thumbprint;
      await stage.refuses(MISMATCH, [
        bound('the thumbprint with padding', `${right}=`),
        bound('the thumbprint in hexadecimal', Buffer.from(right, 'base64url').toString('hex')),
        bound('the thumbprint with unused bits set', withUnusedBits(right)),
      ]);
    },
  },
  {
    id: 'RS-MTLS-7.other-value',
    title: 'takes no value for the thumbprint that only resembles it',
    cause:
      'x5t#S256 is not compared as a whole: different certificates then count as the same one. Compare the whole text.',
    async run(stage) {
      const right = stage.alice.thumbprint;
      const sha1 = createHash('sha1')
        .update(new X509Certificate(stage.alice.certificate).raw)
        .digest('base64url');
      await stage.refuses(MISMATCH, [
        bound('the thumbprint with the case of its letters swapped', swapCase(right), ANY_LETTER_CASE),
        bound('the first 22 characters of the thumbprint', right.slice(0, 22), IN_PART),
        bound('the thumbprint and four characters more', `${right}AAAA`, IN_PART),
        bound('the SHA-1 thumbprint as x5t#S256', sha1, SHA1),
        {
          what: 'the SHA-1 thumbprint as x5t instead of x5t#S256',
          change: {
            token: {
              boundTo: null,
              claims: { cnf: { x5t: sha1, tls_exp: 'EXPORTER-oauth-tls-session-bound' } },
            },
          },
          differs: ['token.claims.cnf.x5t#S256', 'token.claims.cnf.x5t'],
          cause: NO_SHA256,
        },
      ]);
    },
  },
  {
    id: 'RS-MTLS-8',
    title:
      'serves a token with x5t#S256 but without tls_exp, where it supports RFC 8705, on the right certificate only, beside session-bound ones',
    across: { http: AXES.http },
    cause:
      'The thumbprint of RFC 8705 tokens is not compared. Refuse a token whose x5t#S256 is not that of the client certificate (RFC 8705 §3).',
    async run(stage) {
      await stage.control();
      const certificateBound = { token: { sessionBound: false }, proof: null } as const;
      const connection = await stage.connect();
      const alone = await stage.send('an RFC 8705 token without a proof', certificateBound, {
        on: connection,
      });
      if (!alone.served)
        return stage.notApplicable(`the target does not serve RFC 8705 tokens (${alone.reading.text})`);
      await stage.refuses(
        MISMATCH,
        [
          {
            what: "alice's RFC 8705 token on mallory's connection",
            connect: { identity: stage.mallory },
            differs: ANOTHERS,
          },
        ],
        certificateBound,
      );
      if (!connection.open) return;
      const bindingDue = {
        what: 'a session-bound token without a proof, after an RFC 8705 token on the same connection',
        change: { token: {}, proof: null },
        differs: ['token.claims.cnf.tls_exp'],
        cause: DISTURBED,
      };
      await stage.refusesOne(refused('use_session_binding'), bindingDue, alone, {}, { on: connection });
      if (!connection.open)
        return stage.note(
          'the target ends a connection after a refusal, so what comes after it was left out',
        );
      await stage.accepts(
        'a session-bound token with its proof, after an RFC 8705 token on the same connection',
        {},
        { on: connection },
        DISTURBED,
      );
      await stage.accepts(
        'an RFC 8705 token without a proof, after a session-bound one on the same connection',
        certificateBound,
        { on: connection },
        DISTURBED,
      );
    },
  },
]);

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The same 32 octets, with the two bits of the last character that stand for nothing set otherwise. */
function withUnusedBits(text: string): string {
  return `${text.slice(0, -1)}${BASE64URL[BASE64URL.indexOf(text.slice(-1)) ^ 1]}`;
}

function swapCase(text: string): string {
  return text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
}

/** The second certificate of a chain, PEM. */
function second(chain: string): string {
  return chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)?.[1] ?? '';
}
