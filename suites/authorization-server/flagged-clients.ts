import { clientAssertion } from '../../harness/forge/other-jwts.ts';
import type {
  AuthorizationServerStage,
  Form,
  RequestOptions,
} from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import type { Answer } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import type { Registry } from '../../harness/scenario/authorization-server/registered-clients.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A client that is registered for session-bound tokens, and how it authenticates. */
export interface FlaggedClient {
  /** In words: reads on after "a client that is known by …". */
  readonly knownBy: string;
  readonly clientId: string;
  readonly identity: keyof Registry['identities'];
  /** Whether the certificate is what authenticates it (RFC 8705 §2), and not something else. */
  readonly byCertificate: boolean;
  /** What authenticates it besides the certificate. */
  readonly credentials: (stage: AuthorizationServerStage) => Pick<RequestOptions, 'fields'> & {
    readonly form?: Form;
  };
}

/** A client for each way of authentication that the registry has. */
export const FLAGGED_CLIENTS = [
  {
    knownBy: 'the subject of its certificate',
    clientId: CLIENTS.bound,
    identity: 'alice',
    byCertificate: true,
    credentials: () => ({}),
  },
  {
    knownBy: 'a certificate that it has signed itself',
    clientId: CLIENTS.own,
    identity: 'own',
    byCertificate: true,
    credentials: () => ({}),
  },
  {
    knownBy: 'a secret',
    clientId: CLIENTS.secret,
    identity: 'alice',
    byCertificate: false,
    credentials({ evidence, registry }) {
      const basic = Buffer.from(`${CLIENTS.secret}:${registry.secret}`).toString('base64');
      evidence.conceal(basic);
      // A client that says who it is in one place does not say it in another (RFC 6749 §2.3).
      return { form: { client_id: undefined }, fields: [['Authorization', `Basic ${basic}`]] };
    },
  },
  {
    knownBy: 'an assertion that its key has signed',
    clientId: CLIENTS.key,
    identity: 'alice',
    byCertificate: false,
    credentials({ evidence, identities, setting }) {
      const basis = { identity: identities.alice, clientId: CLIENTS.key, audience: setting.issuer };
      const client_assertion = clientAssertion(basis);
      evidence.conceal(client_assertion);
      return { form: { client_id: undefined, client_assertion_type: ASSERTION_TYPE, client_assertion } };
    },
  },
] as const satisfies readonly FlaggedClient[];

/**
 * Asks for a token as such a client, with its own certificate unless told otherwise.
 *
 * @param options `by` is another certificate; `null`: none
 * @param endpoint of the metadata, or a path
 */
export function requestAs(
  stage: AuthorizationServerStage,
  what: string,
  { clientId, identity, credentials }: FlaggedClient,
  options: Pick<RequestOptions, 'by'> = {},
  endpoint = 'token_endpoint',
): Promise<Answer> {
  const { form, ...rest } = credentials(stage);
  return stage.post(
    what,
    endpoint,
    { grant_type: 'client_credentials', client_id: clientId, ...form },
    { by: stage.identities[identity], ...options, ...rest },
  );
}
