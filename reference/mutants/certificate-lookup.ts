import { createPublicKey, X509Certificate } from 'node:crypto';
import { thumbprint } from '../proof/encoding.ts';
import { type JsonObject, parseProof } from '../proof/parse.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { HEADER } from '../proof/vocabulary.ts';
import { defaultPresentationChecks, type Presentation } from '../resource-server/admission.ts';
import type { PeerCertificate, TlsConnection } from '../resource-server/connection.ts';
import { proofsOf } from '../resource-server/credentials.ts';
import type { HttpRequest } from '../resource-server/http-message.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { withConnections } from './connections.ts';
import { onHandmadeTls } from './handmade-tls/server.ts';
import type { Mutant } from './mutant.ts';
import { checksUnless, skipping } from './skipped-checks.ts';

interface ProofParts {
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

const NOTHING: ProofParts = { header: {}, claims: {} };

function partsOf(proof: string | undefined): ProofParts {
  const parsed = parseProof(proof ?? '');
  return 'header' in parsed ? parsed : NOTHING;
}

function objectIn(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** The certificates in `x5c`, as far as they are any. */
function certificatesIn({ header: { x5c } }: ProofParts): readonly X509Certificate[] {
  if (!Array.isArray(x5c)) return [];
  return x5c.flatMap((base64) => {
    try {
      return [new X509Certificate(Buffer.from(String(base64), 'base64'))];
    } catch {
      return [];
    }
  });
}

/** The facts of a certificate, as if it were that of the handshake. */
function asPeer(certificate: X509Certificate): PeerCertificate {
  return {
    thumbprint: thumbprint(certificate.raw),
    publicKey: certificate.publicKey,
    verified: true,
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  };
}

/** The reference that takes another certificate for the client's, once the client has authenticated itself. */
function choosing(
  choose: (proof: ProofParts, connection: TlsConnection, request: HttpRequest) => PeerCertificate | undefined,
): TargetVariant {
  return withConnections((connection, request) => {
    if (connection.certificate?.verified !== true) return connection;
    const chosen = choose(partsOf(proofsOf(request)[0]), connection, request);
    return chosen === undefined ? connection : { ...connection, certificate: chosen };
  });
}

/** Knows every client that has authenticated itself, and finds it again by what the proof says. */
function findsByHeader(): TargetVariant {
  const known = new Map<unknown, PeerCertificate>();
  return choosing(({ header }, { certificate }) => {
    if (certificate !== undefined) known.set(certificate.thumbprint, certificate);
    return known.get(header[HEADER.certificate]);
  });
}

/** The certificate in `x5c`, where a trusted authority has issued it. */
function takesX5c(): TargetVariant {
  let authority: X509Certificate | undefined;
  return {
    ...choosing((proof) => {
      const [first] = certificatesIn(proof);
      const issued = authority !== undefined && first?.verify(authority.publicKey) === true;
      return issued ? asPeer(first) : undefined;
    }),
    tls(material) {
      authority = new X509Certificate(material.clientAuthorities);
      return tlsOptionsFor(material);
    },
  };
}

/** The certificate of the client's chain that the proof names. */
function takesFromChain(): TargetVariant {
  return {
    ...onHandmadeTls({}),
    ...choosing(({ header }, _connection, { socket }) => {
      const chain: unknown = 'clientChain' in socket ? socket.clientChain : [];
      const named = (Array.isArray(chain) ? chain : []).find(
        (one): one is X509Certificate =>
          one instanceof X509Certificate && thumbprint(one.raw) === header[HEADER.certificate],
      );
      return named === undefined ? undefined : asPeer(named);
    }),
  };
}

/** The keys of all clients, and which of them a proof is verified with. */
function keyOf(choose: (presentation: Presentation) => unknown, lenient: boolean): TargetVariant {
  const known = new Map<unknown, PeerCertificate>();
  const { run } = defaultPresentationChecks.get('proof');
  const checks = checksUnless(
    lenient ? ['certificate-thumbprint'] : [],
    ({ confirmation }) => 'thumbprint' in confirmation && known.has(confirmation.thumbprint),
  );
  const { run: certificate } = checks.get('certificate');
  return {
    parts: () => ({
      checks: checks
        .with('certificate', (presentation, parts) => {
          const refusal = certificate(presentation, parts);
          const own = presentation.connection.certificate;
          if (refusal === undefined && own !== undefined) known.set(own.thumbprint, own);
          return refusal;
        })
        .with('proof', (presentation, parts) => {
          const key = known.get(choose(presentation))?.publicKey;
          const verificationKey = (): NonNullable<typeof key> =>
            key ?? presentation.connection.certificate?.publicKey ?? createPublicKey('');
          const verifyProof = createVerifier({
            rules: { verificationKey },
            checks: lenient ? defaultChecks : defaultChecks.without('thumbprint'),
          });
          return run(presentation, { ...parts, verifyProof });
        }),
    }),
  };
}

/** A client without a certificate in the handshake is the one whose certificate its proof carries. */
function takesX5cInstead(): TargetVariant {
  return withConnections((connection, request) => {
    const [first] = certificatesIn(partsOf(proofsOf(request)[0]));
    return connection.certificate === undefined && first !== undefined
      ? { ...connection, certificate: asPeer(first) }
      : connection;
  });
}

/** Mistakes about whose certificate counts (draft -06 §3.3.2 steps 5a, 5c, 5e). */
export const certificateLookupMutants: readonly Mutant[] = [
  {
    id: 'M-RS-663',
    mistake: 'looks the client’s certificate up by x5t#S256 of the proof, among those that it has seen',
    breaks: ['RS-MTLS-15'],
    variant: findsByHeader,
  },
  {
    id: 'M-RS-664',
    mistake:
      'takes for the client’s certificate the one in x5c of the proof, if a trusted authority issued it',
    breaks: ['RS-MTLS-15'],
    variant: takesX5c,
  },
  {
    id: 'M-RS-665',
    mistake: 'compares the token’s thumbprint with cnf of the proof, if that has one',
    breaks: ['RS-MTLS-15'],
    variant: () =>
      skipping(['certificate-thumbprint'], ({ confirmation, proofs }) => {
        const { header, claims } = partsOf(proofs[0]);
        const named = objectIn(claims['cnf'] ?? header['cnf'])['x5t#S256'];
        return 'thumbprint' in confirmation && confirmation.thumbprint === named;
      }),
  },
  {
    id: 'M-RS-666',
    mistake:
      'verifies the proof with the key of the client that the token is bound to, and so compares no certificates',
    breaks: ['RS-MTLS-15'],
    variant: () =>
      keyOf(({ confirmation }) => ('thumbprint' in confirmation ? confirmation.thumbprint : undefined), true),
  },
  {
    id: 'M-RS-667',
    mistake: 'looks the key for the proof up by x5t#S256 of the proof, among the clients that it has seen',
    breaks: ['RS-MTLS-15'],
    variant: () => keyOf(({ proofs }) => partsOf(proofs[0]).header[HEADER.certificate], false),
  },
  {
    id: 'M-RS-668',
    mistake: 'takes for the client’s certificate the one of its chain that x5t#S256 of the proof names',
    breaks: ['RS-MTLS-15'],
    lacks: ['tls1.2', 'h2'],
    variant: takesFromChain,
  },
  {
    id: 'M-RS-669',
    mistake: 'looks for the token’s thumbprint among the certificates in x5c of the proof too',
    breaks: ['RS-MTLS-15'],
    variant: () =>
      skipping(['certificate-thumbprint'], ({ confirmation, proofs }) =>
        certificatesIn(partsOf(proofs[0])).some(
          ({ raw }) => 'thumbprint' in confirmation && confirmation.thumbprint === thumbprint(raw),
        ),
      ),
  },
  {
    id: 'M-RS-670',
    mistake: 'verifies the proof with the key in its own cnf, if it has one',
    breaks: ['RS-MTLS-15'],
    variant: () => ({
      parts: () => ({
        verifyProof: createVerifier({
          rules: {
            verificationKey({ claims }, { certificate }) {
              const jwk = objectIn(objectIn(claims['cnf'])['jwk']);
              try {
                return 'kty' in jwk ? createPublicKey({ key: jwk, format: 'jwk' }) : certificate.publicKey;
              } catch {
                return certificate.publicKey;
              }
            },
          },
        }),
      }),
    }),
  },
  {
    id: 'M-RS-671',
    mistake:
      'takes the certificate in x5c of the proof for the client’s where the handshake has brought none',
    breaks: ['RS-MTLS-1'],
    variant: takesX5cInstead,
  },
];
