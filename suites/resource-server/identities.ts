import { X509Certificate } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { publicKeyOf } from '../../harness/forge/keys.ts';
import type { ProofPlan, Variation } from '../../harness/scenario/request.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/** Requests in which connection, token, signer and proof name one client or several (draft -06 §3.3.2 steps 5a, 5c, 5e). */

/** What a proof may say of a certificate or a key beyond `x5t#S256`. */
export interface Naming {
  readonly what: string;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A request by who stands where. */
export interface Combination {
  readonly on: Connection;
  /** The client whose certificate authenticates the connection. */
  readonly peer: Identity;
  readonly token: Identity;
  readonly signer: Identity;
  /** Whose thumbprint stands in the header. */
  readonly header: Identity;
  readonly naming?: Naming;
}

/** The member `x5c`: the certificates of these clients (RFC 7515 §4.1.6). */
export function x5cOf(...identities: readonly Identity[]): Naming {
  return {
    what: `x5c of ${identities.map(({ name }) => name).join(', then ')}`,
    header: {
      x5c: identities.map(({ certificate }) => new X509Certificate(certificate).raw.toString('base64')),
    },
  };
}

/** A confirmation (RFC 7800) in the proof itself: the thumbprint of a client's certificate. */
export function confirming(part: 'header' | 'claims', { name, thumbprint }: Identity): Naming {
  const cnf = { 'x5t#S256': thumbprint };
  return { what: `cnf.x5t#S256 of ${name} in the ${part}`, [part]: { cnf } };
}

/** … or the client's public key. */
export function confirmingKey(part: 'header' | 'claims', identity: Identity): Naming {
  const cnf = { jwk: publicKeyOf(identity).export({ format: 'jwk' }) };
  return { what: `cnf.jwk of ${identity.name} in the ${part}`, [part]: { cnf } };
}

/** Whether the request is one that has to be served, or, with something more in the proof, may be. */
export function isRightful({ peer, token, signer, header }: Combination): boolean {
  return [token, signer, header].every(({ thumbprint }) => thumbprint === peer.thumbprint);
}

/** Whether it is right but for `x5t#S256` in the header, which is a requirement of its own (RS-HDR-8). */
export function isMisnamed(combination: Combination): boolean {
  return isRightful({ ...combination, header: combination.peer });
}

function nameOf({ name }: Identity): string {
  return name.split(',')[0] ?? name;
}

/** The request as it differs from the right one of the client that tokens are bound to. */
export function variationOf(combination: Combination, rightful: Identity, cause: string): Variation {
  const { on, peer, token, signer, header, naming } = combination;
  const proof: ProofPlan = {
    by: signer,
    header: { 'x5t#S256': header.thumbprint, ...naming?.header },
    ...(naming?.claims && { claims: naming.claims }),
  };
  const isPeers = ({ thumbprint }: Identity): boolean => thumbprint === peer.thumbprint;
  return {
    what: [
      `${nameOf(token)}'s token on the connection of ${peer.name}`,
      `with a proof for that connection signed by ${nameOf(signer)}`,
      `x5t#S256 of ${nameOf(header)}`,
      ...(naming === undefined ? [] : [naming.what]),
    ].join(', '),
    on,
    change: { token: { boundTo: token }, proof },
    differs: [
      ...(peer === rightful ? [] : ['connection.certificate']),
      ...(isPeers(token) ? [] : ['token.claims.cnf.x5t#S256']),
      ...(isPeers(signer) ? [] : ['proof.signature']),
      ...(isPeers(header) ? [] : ['proof.header.x5t#S256']),
      ...Object.keys(naming?.header ?? {}).map((name) => `proof.header.${name}`),
      ...Object.keys(naming?.claims ?? {}).map((name) => `proof.claims.${name}`),
    ],
    cause,
  };
}
