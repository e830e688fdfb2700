import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { createDpopKey, forgeDpopProof } from '../forge/dpop-proof.ts';
import type { DpopKey } from '../forge/dpop-proof.ts';
import { isPlainlySigned } from '../forge/jwt.ts';
import { forgeOpaqueToken } from '../forge/opaque-token.ts';
import { forgeProof, perRequest } from '../forge/proof.ts';
import type { ProofChange } from '../forge/proof.ts';
import { ath, readJwt } from '../forge/read.ts';
import { forgeToken } from '../forge/token.ts';
import type { Token } from '../forge/token.ts';
import type { Connection, Field, Outcome, WireRequest } from '../wire/connection.ts';
import type { Known, Sent } from './describe.ts';
import type { EvidenceBook } from './evidence.ts';
import { Unjudgeable } from './finding.ts';
import type { Preparation } from './preparation.ts';
import type { Permutation } from './record.ts';
import { isDpopPlan, isToken } from './request.ts';
import type { DpopPlan, ProofPlan, RequestPlan, TokenPlan } from './request.ts';
import { rightfulClient } from './setting.ts';
import type { Setting } from './setting.ts';

/** A request ready to be sent. */
export interface Made {
  readonly request: WireRequest;
  readonly sent: Sent;
  readonly token: Token | null;
}

const issuerKeys = new Map<string, KeyObject>();

/** Makes requests from plans: what a plan leaves out is right. */
export class Maker {
  readonly #setting: Setting;
  readonly #permutation: Permutation;
  readonly #preparation: Preparation;
  readonly #evidence: EvidenceBook;
  readonly #opaqueClaims = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #proofIdsSeen = new Set<string>();
  readonly #issuedTokens = new Set<string>();
  readonly #signers = new Map<string, Identity>();
  readonly #dpopKeys = new Set<DpopKey>();
  readonly #dpopNonces = new Set<string>();
  #dpopNonce: string | undefined;
  #dpopKey: DpopKey | undefined;
  readonly #exporterValues = new Map<Connection, readonly (readonly [value: string, name: string])[]>();

  constructor(setting: Setting, permutation: Permutation, preparation: Preparation, evidence: EvidenceBook) {
    this.#setting = setting;
    this.#permutation = permutation;
    this.#preparation = preparation;
    this.#evidence = evidence;
  }

  get #alice(): Identity {
    return rightfulClient(this.#setting, this.#permutation);
  }

  /** The rightful client's DPoP key. */
  get dpopKey(): DpopKey {
    return (this.#dpopKey ??= this.newDpopKey("alice's DPoP key"));
  }

  /** A fresh DPoP key that descriptions know. */
  newDpopKey(name: string): DpopKey {
    const key = createDpopKey(name);
    this.#dpopKeys.add(key);
    return key;
  }

  async mint(plan: TokenPlan): Promise<Token> {
    const { opaque = false, ...request } = plan;
    const complete = { boundTo: this.#alice, ...request };
    const { issuer, introspection, credentials } = this.#setting;
    if (credentials !== null) {
      if (Object.keys(plan).length > 0)
        throw new Unjudgeable(
          'not-applicable',
          'environment',
          'it needs a token that the suite mints itself, and the target takes only the one that it was given with',
        );
      this.#evidence.conceal(credentials.accessToken);
      return { compact: credentials.accessToken, sha256: ath(credentials.accessToken), subject: '' };
    }
    let token: Token;
    if (opaque !== false) {
      if (introspection === null)
        throw new Unjudgeable(
          'not-applicable',
          'environment',
          'there is no introspection endpoint that this target could ask',
        );
      const made = forgeOpaqueToken(
        issuer,
        typeof opaque === 'string' ? { ...complete, text: opaque } : complete,
      );
      await introspection.register(made.compact, made.introspection);
      this.#opaqueClaims.set(made.compact, made.introspection);
      token = made;
    } else {
      token = forgeToken(issuer, complete);
      if (isPlainlySigned(request)) this.#issuedTokens.add(token.compact);
    }
    this.#evidence.conceal(token.compact);
    return token;
  }

  proof(connection: Connection, token: Token, plan: ProofPlan): string {
    const { forToken, forConnection, ekm: ekmClaim, ath: athClaim, by, ...given } = plan;
    const claims = {
      ...given.claims,
      ...(ekmClaim === undefined ? {} : { ekm: ekmClaim(connection, token) }),
      ...(athClaim === undefined ? {} : { ath: athClaim(token) }),
    };
    const change: ProofChange = { ...given, claims };
    const exported = forConnection ?? connection;
    const ekm = this.#exporterValue(exported);
    const identity = by ?? connection.options.identity ?? this.#alice;
    const natural = identity.keyType === this.#permutation.key ? this.#preparation.algorithm : undefined;
    const proof = forgeProof(
      { token: (forToken ?? token).compact, ekm, identity },
      natural === undefined || change.algorithm !== undefined ? change : { ...change, algorithm: natural },
    );
    if (isPlainlySigned(given)) this.#signers.set(proof, identity);
    return proof;
  }

  /** A right DPoP proof for a request with the token, unless told otherwise. */
  dpopProof(token: Token, plan: DpopPlan = {}, method = 'GET', path?: string): string {
    const { by: key = this.dpopKey, forToken = token, carriage: _carriage, ...change } = plan;
    this.#dpopKeys.add(key);
    const { htm, htu } = this.#absolute(method, path ?? this.#setting.target.protectedPath);
    return forgeDpopProof({ key, token: forToken.compact, htm, htu, nonce: this.#dpopNonce }, change);
  }

  /** Takes note of the nonce that a response gives for further DPoP proofs (RFC 9449 §8.2). */
  noteNonce(outcome: Outcome): void {
    if (outcome.type !== 'response') return;
    const nonce = outcome.fields.find(([name]) => name.toLowerCase() === 'dpop-nonce')?.[1];
    if (nonce === undefined) return;
    this.#dpopNonce = nonce;
    this.#dpopNonces.add(nonce);
  }

  #exporterValue(connection: Connection): Buffer {
    const absent = connection.facts.tls === 'TLSv1.2' && this.#preparation.exporterForm === 'absent';
    return connection.exporter(absent ? { context: null } : {});
  }

  perRequest(
    method: string,
    path: string,
  ): { readonly jti: string; readonly htm: string; readonly htu: string } {
    const { htm, htu, plain } = this.#absolute(method, path);
    return perRequest({ htm, htu: this.#preparation.htu === 'path' ? plain : htu });
  }

  #absolute(method: string, path: string): { htm: string; htu: string; plain: string } {
    const { hostname, port } = this.#setting.target;
    const plain = path.split(/[?#]/)[0] ?? path;
    const authority = port === 443 ? hostname : `${hostname}:${port}`;
    return { htm: method, htu: `https://${authority}${plain}`, plain };
  }

  async make(plan: RequestPlan, connection: Connection): Promise<Made> {
    const { target } = this.#setting;
    const token = isToken(plan.token)
      ? plan.token
      : plan.token === null
        ? null
        : await this.mint(plan.token ?? {});
    if (token !== null) this.#evidence.conceal(token.compact);
    const proofs = this.#proofs(plan, connection, token);
    const fields: Field[] = [];
    if (token !== null)
      fields.push(
        ...(plan.authorization?.(token.compact) ?? [['Authorization', `Bearer ${token.compact}`] as const]),
      );
    for (const proof of proofs)
      fields.push(...(plan.carriage?.(proof) ?? [['Session-Binding-Proof', proof] as const]));
    const dpop = this.#dpopProofs(plan, token);
    for (const proof of dpop)
      fields.push(
        ...((isDpopPlan(plan.dpop) ? plan.dpop.carriage?.(proof) : undefined) ?? [['DPoP', proof] as const]),
      );
    fields.push(...(plan.fields ?? []));
    const port = target.port === 443 ? '' : `:${target.port}`;
    const defaultAuthority = `${target.hostname}${port}`;
    const request: WireRequest = {
      method: plan.method ?? 'GET',
      target: plan.path ?? target.protectedPath,
      authority: plan.authority ?? defaultAuthority,
      fields,
      ...(plan.body === undefined ? {} : { body: Buffer.from(plan.body, 'latin1') }),
      ...(plan.trailers === undefined ? {} : { trailers: plan.trailers }),
      ...(plan.version === undefined ? {} : { version: plan.version }),
      ...(plan.protocol === undefined ? {} : { protocol: plan.protocol }),
    };
    const opaqueClaims = token === null ? undefined : this.#opaqueClaims.get(token.compact);
    const sent: Sent = {
      connection,
      request,
      defaultAuthority,
      token: token?.compact ?? null,
      ...(opaqueClaims === undefined ? {} : { opaqueClaims }),
      proofs,
      ...(dpop.length === 0 ? {} : { dpop }),
      now: Math.floor(Date.now() / 1000),
    };
    return { request, sent, token };
  }

  #proofs(plan: RequestPlan, connection: Connection, token: Token | null): readonly string[] {
    const { proof } = plan;
    if (proof === null) return [];
    if (typeof proof === 'string') return [proof];
    if (isList(proof)) return proof;
    if (token !== null) return [this.proof(connection, token, proof ?? {})];
    return proof?.forToken === undefined ? [] : [this.proof(connection, proof.forToken, proof)];
  }

  #dpopProofs(plan: RequestPlan, token: Token | null): readonly string[] {
    const { dpop, method, path } = plan;
    if (typeof dpop === 'string') return [dpop];
    if (!isDpopPlan(dpop)) return dpop ?? [];
    const about = token ?? dpop.forToken;
    return about === undefined ? [] : [this.dpopProof(about, dpop, method, path)];
  }

  /**
   * What can be named in descriptions, given the connections of the scenario.
   *
   * @param proofIdsSeen what {@link remember} returned for the request that is described
   */
  known(connections: readonly Connection[], proofIdsSeen: ReadonlySet<string>): Known {
    const { pki, issuer } = this.#setting;
    const exporterValues = new Map(connections.flatMap((connection) => this.#exporterNames(connection)));
    const others = connections.flatMap((connection) =>
      connection.options.identity === null ? [] : [connection.options.identity],
    );
    return {
      identities: [...new Set([...Object.values(pki.alice), pki.mallory, pki.server, ...others])],
      keyType: this.#permutation.key,
      issuerKey: publicKeyOfIssuer(issuer.privateKey),
      exporterValues,
      proofIdsSeen,
      issuedTokens: this.#issuedTokens,
      signers: this.#signers,
      dpopKeys: [...this.#dpopKeys],
      dpopNonces: this.#dpopNonces,
    };
  }

  /** The names of a connection's exporter values, kept from when they were first asked for: the connection may end. */
  #exporterNames(connection: Connection): readonly (readonly [value: string, name: string])[] {
    let names = this.#exporterValues.get(connection);
    if (names === undefined) {
      const value = (context: Uint8Array | null): string =>
        connection.exporter({ context }).toString('base64url');
      names = [[value(new Uint8Array()), `the exporter value of ${connection.id}`]];
      if (connection.facts.tls === 'TLSv1.2')
        names = [...names, [value(null), `the exporter value of ${connection.id} (form without context)`]];
      this.#exporterValues.set(connection, names);
    }
    return names;
  }

  /** Takes note of the identifiers that a request used up; returns those of them that were used before. */
  remember(made: Made): ReadonlySet<string> {
    const before = new Set<string>();
    for (const proof of [...made.sent.proofs, ...(made.sent.dpop ?? [])]) {
      const claims = readJwt(proof).claims;
      if (
        typeof claims !== 'object' ||
        claims === null ||
        !('jti' in claims) ||
        typeof claims.jti !== 'string'
      )
        continue;
      if (this.#proofIdsSeen.has(claims.jti)) before.add(claims.jti);
      this.#proofIdsSeen.add(claims.jti);
    }
    return before;
  }
}

function isList(proof: RequestPlan['proof']): proof is readonly string[] {
  return Array.isArray(proof);
}

function publicKeyOfIssuer(privateKey: string): KeyObject {
  let key = issuerKeys.get(privateKey);
  if (key === undefined) {
    key = createPublicKey(privateKey);
    issuerKeys.set(privateKey, key);
  }
  return key;
}
