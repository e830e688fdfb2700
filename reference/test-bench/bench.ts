import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importPKCS8, type JWTPayload, SignJWT } from 'jose';
import type { Identity } from '../../certs/identity.ts';
import { createPki, type Pki } from '../../certs/pki.ts';
import { createTokenIssuer, jwks, type TokenIssuer } from '../../certs/token-issuer.ts';
import { createProof, type ProofContent, type ProofSigner } from '../proof/create.ts';
import { CONFIRMATION, EXPORTER_LABEL, PROOF_FIELD } from '../proof/vocabulary.ts';
import { start, type TargetOptions } from '../resource-server/target.ts';
import { type Line, openLine, type LineOptions } from './line.ts';

/** A reference resource server with its own PKI and token issuer, and what a test needs to talk to it. */
export interface Bench extends AsyncDisposable {
  readonly pki: Pki;
  readonly port: number;
  /** The variables that the server was started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Opens a connection, as alice unless told otherwise. */
  connect(
    http: LineOptions['http'],
    options?: { readonly identity?: Identity | undefined; readonly tls?: LineOptions['tls'] },
  ): Promise<Line>;
  /** An access token bound to alice's session unless `claims` say otherwise. */
  mint(claims?: JWTPayload): Promise<string>;
}

export function now(): number {
  return Math.floor(Date.now() / 1000);
}

export function signerOf(identity: Identity): ProofSigner {
  return {
    key: createPrivateKey(identity.privateKey),
    certificate: new X509Certificate(identity.certificate),
  };
}

/** `cnf` of a token that is bound to an identity's TLS sessions. */
export function sessionBound(identity: Identity): Readonly<Record<string, unknown>> {
  return {
    [CONFIRMATION.certificate]: identity.thumbprint,
    [CONFIRMATION.exporterLabel]: EXPORTER_LABEL,
  };
}

/** Authorization and proof fields for a token on a connection. */
export function credentials(
  token: string,
  line: Pick<Line, 'exporter'>,
  identity: Identity,
  content: Partial<ProofContent> = {},
): [string, string][] {
  const { exporter } = line;
  const proof = createProof(signerOf(identity), { token, exporter, issuedAt: now(), ...content });
  return [
    ['Authorization', `Bearer ${token}`],
    [PROOF_FIELD, proof],
  ];
}

async function signToken(issuer: TokenIssuer, claims: JWTPayload): Promise<string> {
  return new SignJWT({
    iss: issuer.issuer,
    aud: issuer.audience,
    sub: 'alice',
    client_id: 'agent',
    iat: now(),
    exp: now() + 300,
    jti: crypto.randomUUID(),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: issuer.kid, typ: 'at+jwt' })
    .sign(await importPKCS8(issuer.privateKey, 'ES256'));
}

/** Starts the reference resource server on a free port. */
export async function startBench(
  options: TargetOptions = {},
  further: Readonly<Record<string, string>> = {},
): Promise<Bench> {
  const [pki, issuer, folder] = await Promise.all([
    createPki(),
    createTokenIssuer(),
    mkdtemp(join(tmpdir(), 'reference-')),
  ]);
  const file = async (name: string, contents: string) => {
    const path = join(folder, name);
    await writeFile(path, contents);
    return path;
  };
  const environment = {
    TSBT_ROLE: 'resource-server',
    TSBT_LISTEN: '127.0.0.1:0',
    TSBT_TLS_CERT_FILE: await file('server.crt', pki.server.chain),
    TSBT_TLS_KEY_FILE: await file('server.key', pki.server.privateKey),
    TSBT_CLIENT_CA_FILE: await file('clients.crt', pki.trusted.certificate),
    TSBT_SERVER_CA_FILE: await file('servers.crt', pki.trusted.certificate),
    TSBT_JWKS_FILE: await file('jwks.json', JSON.stringify(jwks(issuer))),
    TSBT_ISSUER: issuer.issuer,
    TSBT_AUDIENCE: issuer.audience,
    ...further,
  };
  const target = await start(environment, options);
  const [authority, alice] = [pki.trusted.certificate, pki.alice['P-256']];
  return {
    pki,
    port: target.port,
    environment,
    connect: (http, each = {}) =>
      openLine({
        port: target.port,
        authority,
        http,
        identity: 'identity' in each ? each.identity : alice,
        ...(each.tls && { tls: each.tls }),
      }),
    mint: (claims = {}) => signToken(issuer, { cnf: sessionBound(alice), ...claims }),
    async [Symbol.asyncDispose]() {
      await target.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
