import { WRONG_TOKEN_HASHES } from '../../harness/forge/wrong-token-hashes.ts';
import type { Token } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { ath } from '../../harness/forge/read.ts';

/** draft -06 §2.3.2.1, §3.3.2 step 5g: the hash of the access token in a proof. */

const NOT_COMPARED =
  'The ath claim is not compared with the hash of the access token that came with the request, or not as a whole. Hash the token’s octets as presented with SHA-256 and compare all 32 octets.';
const REWRITTEN =
  'The token is decoded, trimmed or encoded anew before it is hashed. Hash its octets exactly as they stand after "Bearer ".';

/** Another encoding of the same values: what a decoder makes of those is the subject of RS-PL-6. */
const SAME_OCTETS: readonly string[] = ['base64'];
/** Those that can be made of a token that is not a JWT. */
const OF_ANY_TOKEN: readonly string[] = ['with-scheme', 'with-newline', 'left-half', 'sha512'];

function wrongHashes(wanted: (id: string) => boolean): readonly Variation[] {
  return WRONG_TOKEN_HASHES.filter(({ id }) => wanted(id)).map((wrong) => ({
    what: `ath is ${wrong.label}`,
    change: { proof: { ath: (token) => wrong.value(token.compact) } },
    cause: `The target takes ${wrong.label} for the token’s hash. ${wrong.cure}`,
  }));
}

/** The right hash with one bit flipped in one octet. */
function flipped(octet: number): Variation {
  return {
    what: `ath is the right value with a bit of octet ${octet + 1} flipped`,
    change: {
      proof: {
        ath: ({ sha256 }) => {
          const hash = Buffer.from(sha256, 'base64url');
          hash[octet] = (hash[octet] ?? 0) ^ 1;
          return hash.toString('base64url');
        },
      },
    },
  };
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The same token with the unused bits of its signature's last character set: another text that decodes to the same octets. */
function respelt(token: Token): Token {
  const { compact } = token;
  const last = BASE64URL[BASE64URL.indexOf(compact.at(-1) ?? '') ^ 1] ?? '';
  const other = compact.slice(0, -1) + last;
  return { ...token, compact: other, sha256: ath(other) };
}

/** The hash of another token; there is none where the target takes only the one that it was given with. */
function hashOf(other: Token): Variation {
  return {
    what: 'ath is the hash of another token of the same client',
    change: { proof: { forToken: other } },
  };
}

export const tokenHash = suite('resource-server', 'token-hash', [
  {
    id: 'RS-PL-2',
    title: 'requires ath to be the SHA-256 of the very access token that came with the request',
    cause: NOT_COMPARED,
    async run(stage) {
      const [other, spelt] = [await stage.mint(), await stage.mint()];
      await stage.refuses(refused('invalid_proof'), [
        ...(other.compact === spelt.compact ? [] : [hashOf(other)]),
        ...wrongHashes((id) => !SAME_OCTETS.includes(id)),
        flipped(0),
        flipped(15),
        flipped(31),
        { what: 'ath is empty', change: { proof: { claims: { ath: '' } } } },
        {
          what: 'ath is the hash of another spelling of this token',
          change: { token: respelt(spelt), proof: { forToken: spelt } },
          expect: refused('invalid_proof', 'invalid_token'),
          cause: REWRITTEN,
        },
      ]);
    },
  },
  {
    id: 'RS-PL-2.opaque',
    title: 'hashes an opaque token as it stands, whatever characters it has',
    capabilities: ['introspection'],
    cause: NOT_COMPARED,
    async run(stage) {
      const rewritten = (what: string, rewrite: (token: string) => string | Buffer): Variation => ({
        what: `ath is the hash of the token ${what}`,
        change: { proof: { ath: ({ compact }) => ath(rewrite(compact).toString('latin1')) } },
        cause: REWRITTEN,
      });
      const { reading } = await stage.send('an opaque token and its hash', { token: { opaque: true } });
      const notItsHash = reading.kind === 'refused' && reading.error === 'invalid_proof';
      stage.holds(!notItsHash, 'a right proof for an opaque token is refused with invalid_proof', REWRITTEN);
      await stage.refuses(
        refused('invalid_proof'),
        [
          ...wrongHashes((id) => OF_ANY_TOKEN.includes(id)),
          rewritten('without its trailing =', (token) => token.replace(/=+$/, '')),
          rewritten('after base64 decoding', (token) => Buffer.from(token, 'base64')),
          rewritten('in the base64url alphabet', (token) => token.replaceAll('+', '-').replaceAll('/', '_')),
          rewritten('with its + taken for spaces', (token) => token.replaceAll('+', ' ')),
          rewritten('after percent-encoding', encodeURIComponent),
          rewritten('in capitals', (token) => token.toUpperCase()),
        ],
        { token: { opaque: true } },
      );
    },
  },
]);
