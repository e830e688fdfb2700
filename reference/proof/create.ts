import type { KeyObject, X509Certificate } from 'node:crypto';
import { algorithmsFor } from './algorithms.ts';
import { accessTokenHash, encodeBase64url, thumbprint } from './encoding.ts';
import { CLAIM, EXPORTER_LENGTH, HEADER, PROOF_TYPE } from './vocabulary.ts';

/** The client certificate of a connection, and its private key. */
export interface ProofSigner {
  /** Private key of {@link ProofSigner.certificate}. */
  readonly key: KeyObject;
  readonly certificate: Pick<X509Certificate, 'raw'>;
}

/** What a proof says. */
export interface ProofContent {
  /** The access token exactly as it will be presented. */
  readonly token: string;
  /** Exporter value of the connection that the proof will be sent on: 32 octets. */
  readonly exporter: Uint8Array;
  /** Seconds since 1970-01-01 UTC. */
  readonly issuedAt: number;
  /** Given, the proof holds for one request only. */
  readonly request?: {
    /** Unique for the token's lifetime. */
    readonly identifier: string;
    readonly method: string;
    /** Target URI without query and fragment. */
    readonly target: string;
  };
}

/**
 * The octets that a proof's signature covers, as text: encoded header, dot, encoded claims.
 *
 * @param algorithm JOSE `alg` value
 * @param certificateThumbprint `x5t#S256` of the client certificate
 * @throws RangeError where the exporter value is not 32 octets long
 *
 * Source: draft -06 §2.3.1, §2.3.2.
 */
export function proofSigningInput(
  algorithm: string,
  certificateThumbprint: string,
  { token, exporter, issuedAt, request }: ProofContent,
): string {
  if (exporter.length !== EXPORTER_LENGTH) {
    throw new RangeError(`an exporter value has ${EXPORTER_LENGTH} octets, not ${exporter.length}`);
  }
  const header = {
    [HEADER.type]: PROOF_TYPE,
    [HEADER.algorithm]: algorithm,
    [HEADER.certificate]: certificateThumbprint,
  };
  const claims = {
    [CLAIM.tokenHash]: accessTokenHash(token),
    [CLAIM.exporter]: encodeBase64url(exporter),
    [CLAIM.issuedAt]: issuedAt,
    ...(request && {
      [CLAIM.identifier]: request.identifier,
      [CLAIM.method]: request.method,
      [CLAIM.target]: request.target,
    }),
  };
  return `${encodeBase64url(JSON.stringify(header))}.${encodeBase64url(JSON.stringify(claims))}`;
}

/**
 * Makes a Session-Binding Proof with the key of the connection's client certificate.
 *
 * @returns the proof in JWS compact serialization
 * @throws TypeError where no algorithm fits the key; RangeError where the exporter value is not 32 octets long
 *
 * Source: draft -06 §2.3.
 *
 * @example
 * const exporter = socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0));
 * const proof = createProof({ key, certificate }, { token, exporter, issuedAt: Date.now() / 1000 });
 */
export function createProof(signer: ProofSigner, content: ProofContent): string {
  const [algorithm] = algorithmsFor(signer.key);
  if (algorithm === undefined) {
    throw new TypeError(`no proof can be signed with a key of type ${signer.key.asymmetricKeyType}`);
  }
  const input = proofSigningInput(algorithm.name, thumbprint(signer.certificate.raw), content);
  return `${input}.${encodeBase64url(algorithm.sign(signer.key, Buffer.from(input)))}`;
}
