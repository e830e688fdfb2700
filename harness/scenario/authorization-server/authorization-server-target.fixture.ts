import type { Identity } from '../../../certs/identity.ts';
import { issue } from '../../../certs/issue.ts';
import { selfSigned } from '../../../certs/self-signed.ts';
import { ConnectFailure } from '../../wire/connection.ts';
import type { ConnectOptions, Field, Outcome, WireFailure, WireRequest } from '../../wire/connection.ts';
import { ALWAYS } from '../cause.fixture.ts';
import { CORE } from '../permutation.ts';
import type { Permutation } from '../record.ts';
import type { Severity } from '../requirement.ts';
import { issuer, PaperConnection, pki, response } from '../target.fixture.ts';
import { authorizationServerSuite } from './authorization-server-scenario.ts';
import type {
  AuthorizationServerScenario,
  AuthorizationServerScenarioDefinition,
} from './authorization-server-scenario.ts';
import type { AuthorizationServerSetting } from './authorization-server-setting.ts';
import { AuthorizationServerStage } from './authorization-server-stage.ts';
import { readAnswer } from './issued.ts';
import type { Answer } from './issued.ts';
import type { Registry } from './registered-clients.ts';

const alice = pki.alice['P-256'];
const [renewed, hop, resource, own, stranger]: readonly Identity[] = await Promise.all([
  issue(pki.trusted, { name: 'alice', keyType: 'P-256', key: alice.privateKey, intermediates: 1 }),
  issue(pki.trusted, { name: 'hop', keyType: 'P-256' }),
  issue(pki.trusted, { name: 'resource', keyType: 'P-256' }),
  selfSigned('own'),
  issue(pki.stranger, { name: 'alice', keyType: 'P-256' }),
]);
if (!renewed || !hop || !resource || !own || !stranger) throw new Error('five certificates were asked for');

/** The suite's clients, made once for each test file. */
export const registry: Registry = {
  audience: issuer.audience,
  opaqueAudience: 'https://opaque.tsbt.test',
  shortLivedAudience: 'https://brief.tsbt.test',
  hop: 'https://hop.tsbt.test',
  secret: 'the-secret-of-a-client',
  identities: { alice, renewed, hop, resource, mallory: pki.mallory, own, stranger },
};

/** The metadata of the server on paper (RFC 8414 §2), where a test does not say otherwise. */
export const METADATA = {
  issuer: 'https://as.tsbt.test',
  token_endpoint: 'https://as.tsbt.test:8443/token',
  introspection_endpoint: 'https://as.tsbt.test:8443/introspect',
  registration_endpoint: 'https://as.tsbt.test:8443/register',
};

/** A request as the server sees it. */
export interface Asked {
  readonly request: WireRequest;
  readonly connection: PaperConnection;
  /** The target of the request. */
  readonly path: string;
  readonly body: string;
  /** The body, read as a form: name and value, in order. */
  readonly form: readonly (readonly [string, string])[];
  /** How long the answer may take, in milliseconds. */
  readonly timeoutMs: number | undefined;
}

/** A response whose body is JSON. */
export function json(status: number, members: unknown, further: readonly Field[] = []): Outcome {
  return response(status, [['Content-Type', 'application/json'], ...further], JSON.stringify(members));
}

/** An OAuth error (RFC 6749 §5.2). */
export function refusal(error: string, status = 400): Outcome {
  return json(status, { error });
}

/** An answer that came of this outcome. */
export function answerOf(outcome: Outcome): Answer {
  return readAnswer(7, outcome);
}

/** A token that says this of itself. Its signature is nobody's. */
export function jwtOf(claims: object): string {
  return [{ typ: 'at+jwt', alg: 'ES256' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat('c2lnbmF0dXJl')
    .join('.');
}

/** Bound to the session of alice's connection. */
export const BOUND_TOKEN: string = jwtOf({ sub: 'tsbt-bound', cnf: { tls_exp: 'label' } });
export const OPAQUE_TOKEN = 'an-opaque-token-of-nobody';

/** What a setting is made of, where it is not the usual one. */
export interface ServerPaper {
  /** Answers what is not asked of the metadata. Default: gives a session-bound token. */
  readonly answer?: (asked: Asked) => Outcome;
  /** The answer of the metadata: members of its JSON, or the whole. */
  readonly metadata?: object | ((asked: Asked) => Outcome);
  /** Does not let a connection happen, where it returns something. */
  readonly bars?: (options: ConnectOptions, id: string) => WireFailure | undefined;
  readonly target?: Partial<AuthorizationServerSetting['target']>;
  readonly setting?: Partial<AuthorizationServerSetting>;
}

/** A setting whose authorization server is a function, and what it was asked, the metadata left out. */
export function serverOnPaper(paper: ServerPaper = {}): {
  readonly setting: AuthorizationServerSetting;
  readonly opened: PaperConnection[];
  readonly asked: Asked[];
  /** How often the metadata was asked for. */
  readonly metadataAsked: () => number;
} {
  const opened: PaperConnection[] = [];
  const asked: Asked[] = [];
  let metadataAsked = 0;
  const { metadata = METADATA, answer = () => json(200, { access_token: BOUND_TOKEN }) } = paper;
  const replies = (one: Asked): Outcome => {
    if (one.path === '/.well-known/oauth-authorization-server') {
      metadataAsked++;
      return typeof metadata === 'function' ? metadata(one) : json(200, metadata);
    }
    asked.push(one);
    return answer(one);
  };
  const setting: AuthorizationServerSetting = {
    target: {
      name: 'paper',
      host: '127.0.0.1',
      port: 8443,
      hostname: 'as.tsbt.test',
      capabilities: new Set(['tls1.3', 'tls1.2', 'http/1.1', 'h2']),
      serverAuthorities: null,
      ...paper.target,
    },
    profile: 'core',
    strict: false,
    pki,
    issuer: METADATA.issuer,
    registry,
    credentials: null,
    open: async (options, id) => {
      const barred = paper.bars?.(options, id);
      if (barred !== undefined) throw new ConnectFailure(barred);
      const connection = new PaperConnection(options, id, (seen, timeoutMs) =>
        replies(readRequest(seen.request, seen.connection, timeoutMs)),
      );
      opened.push(connection);
      return connection;
    },
    issue: () => Promise.reject(new Error('no certificate is issued on paper')),
    patienceMs: 5000,
    effort: 'full',
    ...paper.setting,
  };
  return { setting, opened, asked, metadataAsked: () => metadataAsked };
}

function readRequest(
  request: WireRequest,
  connection: PaperConnection,
  timeoutMs: number | undefined,
): Asked {
  const body = Buffer.from(request.body ?? []).toString('utf8');
  const form = [...new URLSearchParams(body)];
  return { request, connection, path: request.target, body, form, timeoutMs };
}

/** A scenario of the authorization-server role that does nothing, unless told otherwise. */
export function scenarioOf(
  definition: Partial<AuthorizationServerScenarioDefinition> = {},
): AuthorizationServerScenario {
  const [scenario] = authorizationServerSuite('paper', [
    { id: 'AS-X-1.more', title: 'does what it should', cause: ALWAYS, run: async () => {}, ...definition },
  ]);
  if (scenario === undefined) throw new Error('one definition makes one scenario');
  return scenario;
}

/** The stage of a scenario with a server on paper. */
export function authorizationServerStageOn(
  paper: ServerPaper = {},
  severity: Severity = 'fail',
  permutation: Permutation = CORE,
): ReturnType<typeof serverOnPaper> & { readonly stage: AuthorizationServerStage } {
  const server = serverOnPaper(paper);
  return {
    ...server,
    stage: new AuthorizationServerStage(server.setting, scenarioOf(), permutation, severity),
  };
}
