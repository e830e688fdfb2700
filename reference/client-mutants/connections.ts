import { Dispatcher } from 'undici';
import vectors from '../proof/vectors.json' with { type: 'json' };
import { SessionBoundAgent } from '../client/agent.ts';
import { SessionBindingError } from '../client/errors.ts';
import { signerOf } from '../client/identity.ts';
import { defaultClientParts } from '../client/parts.ts';
import type { ClientVariant, Surroundings } from '../sidecar/target.ts';
import { proving, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';
import { fieldsOf, resending } from './resending.ts';

type TlsOptions = ReturnType<typeof defaultClientParts.tlsOptions>;

function connecting(further: TlsOptions): ClientVariant {
  return withParts(() => ({
    tlsOptions: (origin, identity, settings) => ({
      ...defaultClientParts.tlsOptions(origin, identity, settings),
      ...further,
    }),
  }));
}

function takesExpired(): ClientVariant {
  const { client } = connecting({ rejectUnauthorized: false });
  const objectionTo: typeof defaultClientParts.objectionTo = (socket) => {
    const problem = String(socket.authorizationError ?? '');
    return problem === '' || problem.includes('CERT_HAS_EXPIRED')
      ? defaultClientParts.objectionTo(socket)
      : new SessionBindingError('connection-ended', problem);
  };
  return { client: { parts: { ...client?.parts, objectionTo } } };
}

function withoutCertificate(): ClientVariant {
  return withParts(() => ({
    tlsOptions(origin, identity, settings) {
      const {
        cert: _certificate,
        key: _key,
        ...rest
      } = defaultClientParts.tlsOptions(origin, identity, settings);
      return rest;
    },
  }));
}

/** Goes without a proof where the server asks for no certificate, token and all. */
function withoutProofThen(): ClientVariant {
  const { client } = withoutCertificateRequest();
  const { client: proofs } = proving((inner, { socket }) => ({
    proofFor: (request) =>
      socket !== undefined && socket.getSharedSigalgs().length === 0 ? undefined : inner.proofFor(request),
  }));
  return { client: { parts: { ...client?.parts, ...proofs?.parts } } };
}

function withoutCertificateRequest(): ClientVariant {
  return withParts(() => ({
    objectionTo(socket) {
      const objection = defaultClientParts.objectionTo(socket);
      return objection?.code === 'certificate-not-asked' ? undefined : objection;
    },
  }));
}

/** The second of two identities, which no token here is bound to. */
const other = { certificate: vectors.ES256.certificate, key: vectors.ES256.key };

function ofOtherIdentity(): ClientVariant {
  const { client } = connecting({ cert: other.certificate, key: other.key });
  return { client: { parts: { ...client?.parts, signerOf: () => signerOf(other) } } };
}

/** Makes clients like the target's own, which end with it. */
export function clientsLike({ settings, identity, closing }: Surroundings): () => SessionBoundAgent {
  return () => {
    const client = new SessionBoundAgent({
      identity,
      tls: { ca: settings.authorities },
      proofs: { claims: settings.claims },
      ...(settings.dpopKey && { dpop: { key: settings.dpopKey } }),
    });
    closing.addEventListener('abort', () => void client.destroy());
    return client;
  };
}

/** A client for each request, which is closed after it. */
export class OneRequestEach extends Dispatcher {
  readonly #make: () => SessionBoundAgent;

  constructor(surroundings: Surroundings) {
    super();
    this.#make = clientsLike(surroundings);
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const client = this.#make();
    client.dispatch(options, handler);
    void client.close();
    return true;
  }
}

/** The reference client that follows redirections, with all fields, where `follows` says so; at most so many. */
export function following(
  follows: (target: URL, origin: URL) => boolean,
  statuses: readonly number[] = [301, 302, 307, 308],
  most = 5,
): ClientVariant {
  return {
    dispatcher: resending(({ status, headers, options, before }) => {
      const { location } = headers;
      if (!statuses.includes(status) || location === undefined || before >= most) return undefined;
      const origin = new URL(String(options.origin));
      const target = URL.parse(location, new URL(options.path, origin).href);
      if (target === null || !follows(target, origin)) return undefined;
      const path = `${target.pathname}${target.search}`;
      return { ...options, origin: target.origin, path, headers: fieldsOf(options) };
    }),
  };
}

/** Goes on with the alternative that a server names, for as long as that answers; its certificate is not verified. */
function ofAlternative(): ClientVariant {
  let origin: string | undefined;
  const forOrigin = (options: Dispatcher.DispatchOptions, own: string) => {
    origin = undefined;
    return { ...options, origin: own };
  };
  return {
    ...withParts(() => ({
      tlsOptions: (url, identity, settings) => ({
        ...defaultClientParts.tlsOptions(url, identity, settings),
        ...(url.origin === origin && { rejectUnauthorized: false }),
      }),
    })),
    dispatcher(client, surroundings) {
      const own = surroundings.settings.upstream.origin;
      const noting = resending(
        ({ headers }) => {
          const [, authority] = /="([^"]+)"/.exec(headers['alt-svc'] ?? '') ?? [];
          if (authority !== undefined) origin = new URL(`https://${authority}`).origin;
          return undefined;
        },
        ({ options, before }) =>
          before === 0 && options.origin !== own ? forOrigin(options, own) : undefined,
      )(client, surroundings);
      return noting.compose(
        (dispatch) => (options, handler) => dispatch({ ...options, origin: origin ?? own }, handler),
      );
    },
  };
}

/** Mistakes with connections and where they lead (draft -06 §3.1, §3.3.1, §3.3.2 step 1). */
export const connectionsMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-32',
    mistake: 'does not verify the server’s certificate',
    breaks: ['CL-CONN-2'],
    variant: () => connecting({ rejectUnauthorized: false }),
  },
  {
    id: 'M-CL-161',
    mistake: 'takes a certificate of any name',
    breaks: ['CL-CONN-2'],
    variant: () => connecting({ checkServerIdentity: () => undefined }),
  },
  {
    id: 'M-CL-162',
    mistake: 'takes an expired server certificate',
    breaks: ['CL-CONN-2'],
    variant: takesExpired,
  },
  {
    id: 'M-CL-33',
    mistake: 'proves tokens on connections on which no client certificate was asked for',
    breaks: ['CL-CONN-1'],
    variant: withoutCertificateRequest,
  },
  {
    id: 'M-CL-344',
    mistake: 'presents no certificate, and proves tokens all the same',
    breaks: ['CL-CONN-1'],
    variant: withoutCertificate,
  },
  {
    id: 'M-CL-345',
    mistake: 'sends tokens without a proof where no client certificate is asked for',
    breaks: ['CL-CONN-1'],
    variant: withoutProofThen,
  },
  {
    id: 'M-CL-34',
    mistake: 'uses the certificate of another identity than the tokens are bound to',
    breaks: ['CL-CONN-4'],
    variant: ofOtherIdentity,
  },
  {
    id: 'M-CL-35',
    mistake: 'opens a connection for each request',
    breaks: ['CL-CONN-3'],
    variant: () => ({ dispatcher: (_client, surroundings) => new OneRequestEach(surroundings) }),
  },
  {
    id: 'M-CL-31',
    mistake: 'follows redirections to other origins with token and proof',
    breaks: ['CL-FLD-3'],
    variant: () =>
      following((target, origin) => target.protocol === 'https:' && target.origin !== origin.origin),
  },
  {
    id: 'M-CL-163',
    mistake: 'follows redirections to plain HTTP with the token',
    breaks: ['CL-CONN-1', 'CL-FLD-3'],
    variant: () => following((target) => target.protocol === 'http:'),
  },
  {
    id: 'M-CL-193',
    mistake: 'goes to the alternative that Alt-Svc names, and does not verify whose certificate it has',
    breaks: ['CL-FLD-3'],
    variant: ofAlternative,
  },
];
