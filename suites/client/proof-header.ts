import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { readableProof, shown } from './readable-proof.ts';
import { secretsIn, secretsOfKey } from './secrets.ts';

/** draft -06 §2.3.1: the JOSE header of the client's proofs. */

const INCOMPLETE =
  'The header of a proof has three members: typ, alg and x5t#S256, each a text. Other names for the certificate, such as x5t or kid, do not replace x5t#S256.';
const OTHER_ALGORITHM =
  'The algorithm does not fit the key of the client certificate. Derive it from the key: ES256, ES384 or ES512 by the curve, RS256 or PS256 for RSA, EdDSA or Ed25519 for Ed25519; never HMAC or none.';
const OTHER_THUMBPRINT =
  'x5t#S256 names another certificate than the one presented, or names it in another way. Hash the DER of the end-entity certificate of this connection with SHA-256, and encode it in base64url without padding.';
const TOO_MUCH =
  'The header holds more than it should. x5t#S256 says whose the proof is; leave out the key, and whatever a server would have to fetch.';

/** Where a server would fetch a key from (RFC 7515 §4.1.2, §4.1.5). */
const LOCATORS = ['jku', 'x5u'] as const;
/** Public, and of no use here. */
const NEEDLESS = ['jwk', 'x5c'] as const;

export const proofHeader = clientSuite('client-proof-header', [
  {
    id: 'CL-HDR-1',
    title: 'gives its proof a header with typ tls-binding-proof+jwt, an alg and x5t#S256',
    cause: INCOMPLETE,
    async run(stage) {
      const { header } = await readableProof(stage);
      for (const name of ['alg', 'x5t#S256']) {
        const value = header[name];
        stage.holds(
          typeof value === 'string' && value !== '',
          `${name} is ${shown(value)}, and must be a text`,
        );
      }
      stage.sound(['typ']);
    },
  },
  {
    id: 'CL-HDR-2',
    title: 'signs its proof with an algorithm that fits the key of its certificate',
    across: { key: AXES.key },
    cause: OTHER_ALGORITHM,
    async run(stage) {
      await readableProof(stage);
      stage.sound(['alg']);
    },
  },
  {
    id: 'CL-HDR-3',
    title: 'names the certificate that it presented by the SHA-256 of its DER, in unpadded base64url',
    across: { key: AXES.key },
    cause: OTHER_THUMBPRINT,
    async run(stage) {
      await readableProof(stage);
      stage.sound(['thumbprint']);
    },
  },
  {
    id: 'CL-HDR-3.chain',
    title: 'names the end-entity certificate where it has a chain to send',
    across: { tls: AXES.tls },
    cause:
      'The certificate file holds a chain, and another certificate of it is named than the first. The thumbprint is that of the end-entity certificate, which stands first.',
    identity: (setting, { key: keyType }) =>
      setting.issue(setting.pki.trusted, {
        name: 'alice by way of intermediates',
        keyType,
        intermediates: 2,
      }),
    async run(stage) {
      const { arrival } = await readableProof(stage);
      stage.note(`the client sent ${arrival.request.connection.clientChain.length} certificates of 3`);
      stage.sound(['thumbprint']);
    },
  },
  {
    id: 'CL-HDR-3.rare',
    title: 'names a certificate whose thumbprint begins with - or _ by all of it',
    cause:
      'The thumbprint is trimmed, or encoded in another alphabet: one in 32 begins with - or _. It is written as it is, in base64url without padding (RFC 7515 §2).',
    identity: (setting, { key: keyType }) =>
      setting.issue(setting.pki.trusted, {
        name: 'alice, with a rare thumbprint',
        keyType,
        hash: (octets) => (octets[0] ?? 0) >= 0xf8,
      }),
    async run(stage) {
      await readableProof(stage);
      stage.sound(['thumbprint']);
    },
  },
  {
    id: 'CL-HDR-4',
    title: 'discloses no private key in the header of its proof, and names no place to fetch one from',
    across: { key: AXES.key },
    cause: TOO_MUCH,
    async run(stage) {
      const { header, claims } = await readableProof(stage);
      stage.sound(['disclosure']);
      const text = JSON.stringify([header, claims]);
      for (const secret of secretsIn(text, secretsOfKey(stage.identity)))
        stage.holds(false, `the proof holds ${secret}`);
      for (const name of LOCATORS)
        stage.holds(header[name] === undefined, `the header has ${name}: ${shown(header[name])}`);
      for (const name of NEEDLESS)
        if (header[name] !== undefined) stage.observe(`the header has ${name}, which no server has use for`);
    },
  },
]);
