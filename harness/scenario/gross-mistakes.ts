import { ConnectFailure } from '../wire/connection.ts';
import type { Connection } from '../wire/connection.ts';
import type { Finding } from './finding.ts';
import { Unjudgeable } from './finding.ts';
import type { Play } from './play.ts';
import type { ConnectPlan, RequestPlan } from './request.ts';

/** A check that a target lacks altogether: whatever else is served because of that, this is why. */
export interface GrossMistake {
  /** Fields, as `describe` names them, whose value makes no difference then; one that ends in a dot stands for all that begin so. */
  readonly covers: readonly string[];
  /** Fields that make no difference beside one of those. */
  readonly also?: readonly string[];
  readonly cause: string;
}

interface Attempt {
  readonly plan: RequestPlan;
  readonly connect?: ConnectPlan;
  /** Default: a connection of its own. */
  readonly on?: Connection;
}

interface Probe extends GrossMistake {
  /** Requests that are invalid in this one respect; if all of them are served, the check is missing. */
  readonly requests: (play: Play) => readonly Attempt[] | Promise<readonly Attempt[]>;
}

const DAY = 86_400;
const NONSENSE = Buffer.alloc(32, 0x4d).toString('base64url');
const TLS_EXP = 'token.claims.cnf.tls_exp';

const NOT_DEMANDED: Probe = {
  covers: ['proof', TLS_EXP],
  cause:
    'A session-bound token is served without a proof, whatever the request looks like (see RS-FLD-1): cnf.tls_exp alone makes the proof mandatory. Answer 401 with use_session_binding if there is none.',
  requests: () => [{ plan: { proof: null } }],
};

const NOT_VERIFIED: Probe = {
  covers: ['proof', 'proof.'],
  also: [TLS_EXP],
  cause:
    'Whatever stands in the Session-Binding-Proof field counts as a proof: it is not verified at all (see RS-PL-17). Go through all steps of section 3.3.2 before the request is served.',
  requests: () => [{ plan: { proof: 'tsbt.no.proof' } }],
};

/** Both of these, which is one mistake. */
const IGNORED: GrossMistake = {
  covers: ['proof', 'proof.', TLS_EXP],
  cause:
    'Proofs are ignored altogether: a session-bound token is served without one, and with whatever stands in the Session-Binding-Proof field (see RS-FLD-1). cnf.tls_exp alone makes the proof mandatory: go through all steps of section 3.3.2 before the request is served.',
};

const PROBES: readonly Probe[] = [
  NOT_DEMANDED,
  NOT_VERIFIED,
  {
    covers: ['proof.signature'],
    also: ['proof.header.alg', 'proof.header', 'proof.claims'],
    cause:
      'The signature of the proof is not verified at all (see RS-SIG-1). Verify it with the key of the certificate that was authenticated on this connection.',
    requests: (play) => [
      { plan: { proof: { signWith: play.mallory } } },
      { plan: { proof: { signature: (right) => Buffer.alloc(right.length, 0x5a) } } },
    ],
  },
  {
    covers: ['proof.claims.ekm'],
    also: [TLS_EXP],
    cause:
      'The ekm claim is not compared at all (see RS-EKM-1): any value is accepted. Export 32 octets from the connection that carries the request, and compare all of them.',
    requests: () => [{ plan: { proof: { claims: { ekm: NONSENSE } } } }],
  },
  {
    covers: ['proof.claims.ekm'],
    cause:
      'The ekm claim is compared with the values of other connections too (see RS-EKM-5): a proof made on one is accepted on any. Compare it with the exporter value of the connection that carries the request, and with no other.',
    requests: async (play) => {
      const forConnection = await play.connect();
      return [{ plan: {}, on: forConnection }, { plan: { proof: { forConnection } } }];
    },
  },
  {
    covers: ['proof.claims.ekm'],
    cause:
      'A binding that was verified on one connection is found on any other (see RS-CACHE-2). Key verified bindings by the connection object as well as by the whole ath, and drop them when the connection ends.',
    requests: async (play) => {
      const [on, token] = [await play.connect(), await play.mint()];
      const same = { plan: { token, proof: play.proof(on, token) } };
      return [{ ...same, on }, { ...same, on }, same];
    },
  },
  {
    covers: ['proof.claims.ath'],
    cause:
      'The ath claim is not compared at all (see RS-PL-2): any value is accepted. Compare it with the SHA-256 of the access token as presented.',
    requests: () => [{ plan: { proof: { claims: { ath: NONSENSE } } } }],
  },
  {
    covers: ['proof.claims.iat'],
    cause:
      'The iat claim is not compared with the clock at all (see RS-PL-3 and RS-PL-4). It is in seconds: reject what lies more than a few minutes back or ahead.',
    requests: () => {
      const now = Math.floor(Date.now() / 1000);
      return [now - DAY, now + DAY].map((iat) => ({ plan: { proof: { claims: { iat } } } }));
    },
  },
  {
    covers: ['proof.claims.jti'],
    cause:
      'The jti of a proof is not remembered at all (see RS-PL-7). Keep the jti values of each access token until it expires, whatever connection and proof they came with.',
    requests: async (play) => {
      const [on, token, claims] = [await play.connect(), await play.mint(), play.perRequest()];
      const attempt = { on, plan: { token, proof: { claims } } };
      return [attempt, attempt];
    },
  },
  {
    covers: ['proof.claims.htm'],
    cause:
      'The htm claim is not compared at all (see RS-PL-10). Compare it, case and all, with the method of the request.',
    requests: (play) => [{ plan: { proof: { claims: play.perRequest('DELETE') } } }],
  },
  {
    covers: ['proof.claims.htu'],
    cause:
      'The htu claim is not compared at all (see RS-PL-11). Compare it with the URI of the request, without query and fragment.',
    requests: (play) => [{ plan: { proof: { claims: play.perRequest('GET', '/tsbt-elsewhere') } } }],
  },
  {
    covers: ['proof.header.typ'],
    cause:
      'The type of the proof is not compared at all (see RS-HDR-1). Demand typ tls-binding-proof+jwt before anything else.',
    requests: () => ['dpop+jwt', 'JWT'].map((typ) => ({ plan: { proof: { header: { typ } } } })),
  },
  {
    covers: ['proof.header.x5t#S256'],
    cause:
      'The header parameter x5t#S256 of the proof is not compared at all (see RS-HDR-8). Compare it with the SHA-256 thumbprint of the client certificate of this connection.',
    requests: (play) =>
      [play.mallory.thumbprint, undefined].map((value) => ({
        plan: { proof: { header: { 'x5t#S256': value } } },
      })),
  },
  {
    covers: ['token.claims.cnf.x5t#S256', 'connection.certificate'],
    also: ['token.claims.x5t#S256', 'token.claims.cnf.X5T#S256', 'token.claims.cnf.x5t'],
    cause:
      "The thumbprint in the token's cnf is not compared with the client certificate at all (see RS-MTLS-4): whoever has a certificate of their own makes a valid proof for a stolen token. Compare x5t#S256 with the SHA-256 of the certificate of this connection.",
    requests: (play) => [
      { plan: { token: { boundTo: play.alice } }, connect: { identity: play.mallory } },
      // A certificate that nobody has: one that was seen before may be found where it does not belong.
      { plan: { token: { boundTo: NONSENSE } } },
    ],
  },
  {
    covers: ['token.signature'],
    also: ['token.', 'proof', 'proof.claims.ekm', 'connection.certificate'],
    cause:
      'The signature of the access token is not verified at all (see RS-TOK-1). Validate each token before anything is read from it; a proof shows only who presents it.',
    requests: (play) => [{ plan: { token: { signWith: play.mallory } } }],
  },
  {
    covers: ['token.claims.aud'],
    cause:
      'The audience of the access token is not checked at all (see RS-TOK-1). Accept only tokens for this resource server.',
    requests: () => [{ plan: { token: { claims: { aud: 'https://elsewhere.tsbt.test' } } } }],
  },
  {
    covers: ['token.claims.exp'],
    cause: 'The expiry of the access token is not checked at all (see RS-TOK-1). Reject expired tokens.',
    requests: () => [{ plan: { token: { lifetime: -3600 } } }],
  },
  {
    covers: ['dpop', 'dpop.'],
    cause:
      'A token that is bound to a DPoP key is served without a DPoP proof (see RS-DPOP-1). Demand for each member of cnf that is understood the proof that belongs to it (RFC 9449 §7.2).',
    requests: (play) =>
      play.setting.target.capabilities.has('dpop')
        ? [{ plan: { token: { jkt: play.dpopKey }, dpop: null } }]
        : [],
  },
];

/** Fields of a description that a check is about, whatever the target; what else differs, such as a method or a further field, decides nothing where a check is missing. */
const CHECKED =
  /^(?:proof(?:\.signature|\.claims(?:\.(?:ath|ekm|iat|jti|htm|htu))?|\.header(?:\.(?:typ|x5t#S256|crit|b64))?)?|dpop(?:\..*)?|token\..*|connection\.(?:certificate|tls|extendedMasterSecret))$/;

/**
 * Finds out which checks a target lacks altogether, each with a request that is valid but for that, on a connection and
 * with a token of its own: there neither a cache nor a peculiar path or method can be the reason.
 */
export async function findGrossMistakes(play: Play): Promise<readonly GrossMistake[]> {
  const found: GrossMistake[] = [];
  for (const probe of PROBES) if (await allServed(play, probe)) found.push(probe);
  const others = found.filter((one) => one !== NOT_DEMANDED && one !== NOT_VERIFIED);
  return others.length + 2 === found.length ? [IGNORED, ...others] : found;
}

async function allServed(play: Play, { requests }: Probe): Promise<boolean> {
  try {
    const attempts = await requests(play);
    for (const { plan, connect, on: given } of attempts) {
      const on = given?.open === true ? given : await play.connect(connect);
      const { served } = await play.send('a check that may be missing', plan, { on }, 'diagnosis');
      if (!served) return false;
    }
    return attempts.length > 0;
  } catch (error) {
    // Not to be had from this target, such as a token that the suite mints: then nothing is known of the check.
    if (error instanceof Unjudgeable || error instanceof ConnectFailure) return false;
    throw error;
  }
}

const among = (field: string, fields: readonly string[] = []): boolean =>
  fields.some((one) => field === one || (one.endsWith('.') && field.startsWith(one)));

/**
 * Why a request was served that differs from a valid one in these fields, if missing checks are all that it takes;
 * else `null`: then the scenario's own cause stands.
 */
export function grossCause(differs: readonly string[], known: readonly GrossMistake[]): string | null {
  const involved = known.filter(({ covers }) => differs.some((field) => among(field, covers)));
  const explains = (field: string, { covers, also }: GrossMistake): boolean =>
    among(field, covers) || among(field, also);
  const checked = differs.filter((field) => CHECKED.test(field));
  const alone = involved.find((one) => checked.every((field) => explains(field, one)));
  if (alone !== undefined) return alone.cause;
  // The fewest that explain everything; those that leave most checks out stand first.
  let left = checked;
  const needed: GrossMistake[] = [];
  for (const one of involved) {
    const rest = left.filter((field) => !explains(field, one));
    if (rest.length < left.length) needed.push(one);
    left = rest;
  }
  return needed.length > 0 && left.length === 0 ? needed.map(({ cause }) => cause).join('\n') : null;
}

/** Whether a finding may be due to a check that is missing altogether. */
export function mayBeGross({ deviation, differs }: Finding): boolean {
  return differs !== undefined && (deviation === 'served' || deviation === 'attack');
}

/** The findings with the missing check for their cause, where that alone explains what was served. */
export function explainedGrossly(
  findings: readonly Finding[],
  known: readonly GrossMistake[],
): readonly Finding[] {
  return findings.map((finding) => {
    if (!mayBeGross(finding)) return finding;
    const cause = grossCause(finding.differs ?? [], known);
    return cause === null ? finding : { ...finding, cause };
  });
}
