import type { IncomingMessage } from 'node:http';
import { createProof, type ProofSigner } from '../proof/create.ts';
import { CLAIM, PROOF_FIELD } from '../proof/vocabulary.ts';
import { defaultClientParts } from '../client/parts.ts';
import { defaultSidecarParts } from '../sidecar/parts.ts';
import { confirmationOf } from '../client/token-binding.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { proofWith, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';

/** The reference sidecar whose proofs take something from the agent's request that is being sent. */
function heedingAgent(
  change: (claims: Record<string, unknown>, told: string) => void,
  fieldOf: (request: IncomingMessage) => string | string[] | undefined,
): ClientVariant {
  let told: string | undefined;
  return {
    sidecar: {
      requestFields(request) {
        told = [fieldOf(request)].flat()[0];
        return defaultSidecarParts.requestFields(request);
      },
    },
    client: {
      proofs: { lifetime: 0 },
      parts: {
        createProof: (signer, content) =>
          proofWith(signer, content, ({ claims }) => {
            if (told !== undefined) change(claims, told);
          }),
      },
    },
  };
}

/** The reference sidecar that knows which proof it made last. */
function knowingProof(sidecar: (last: () => string) => ClientVariant['sidecar']): ClientVariant {
  let last = '';
  const parts = sidecar(() => last);
  return {
    ...(parts && { sidecar: parts }),
    client: {
      parts: {
        createProof: (signer, content) => (last = createProof(signer, content)),
      },
    },
  };
}

/** Claims of a JWT that an agent sent; none where it is not one. */
function claimsOf(proof: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString());
    return typeof claims === 'object' && claims !== null ? { ...claims } : {};
  } catch {
    return {};
  }
}

/** Sends what a forward proxy would get wherever it is to go. */
function forwardProxy(): ClientVariant {
  const elsewhere = '/.elsewhere/';
  return {
    sidecar: {
      destinationOf(request, upstream) {
        const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(request.url ?? '') ?? [];
        if (authority === undefined || authority === upstream.host) {
          return defaultSidecarParts.destinationOf(request, upstream);
        }
        return `${elsewhere}${authority}${rest === '' ? '/' : rest}`;
      },
    },
    dispatcher: (client) =>
      client.compose((dispatch) => (options, handler) => {
        if (!options.path.startsWith(elsewhere)) return dispatch(options, handler);
        const [, authority, path = '/'] = /^([^/]*)(.*)$/s.exec(options.path.slice(elsewhere.length)) ?? [];
        return dispatch({ ...options, origin: `https://${authority}`, path }, handler);
      }),
  };
}

/** Answers questions about itself, with all that it knows. */
function adminPages(): ClientVariant {
  let key = '';
  return {
    client: {
      parts: {
        signerOf(identity) {
          ({ key } = identity);
          return defaultClientParts.signerOf(identity);
        },
      },
    },
    sidecar: {
      destinationOf: (request, upstream) =>
        /^\/(?:admin|debug|config_dump|certs|keys?|status)\b/.test(request.url ?? '')
          ? { status: 200, text: JSON.stringify({ upstream: upstream.origin, key }) }
          : defaultSidecarParts.destinationOf(request, upstream),
    },
  };
}

/** Signs what a query asks it to, which was of help while the client was written. */
function signingService(): ClientVariant {
  let signer: ProofSigner | undefined;
  return {
    ...withParts(() => ({ signerOf: (identity) => (signer = defaultClientParts.signerOf(identity)) })),
    sidecar: {
      destinationOf(request, upstream) {
        const exporter = URL.parse(request.url ?? '', upstream.href)?.searchParams.get('ekm') ?? '';
        if (signer === undefined || exporter === '')
          return defaultSidecarParts.destinationOf(request, upstream);
        const { token = '' } = defaultClientParts.readFields(request.headers);
        const issuedAt = Math.floor(Date.now() / 1000);
        const proof = createProof(signer, { token, exporter: Buffer.from(exporter, 'base64url'), issuedAt });
        return { status: 200, text: proof };
      },
    },
  };
}

/** Answers TRACE with the request as it went out. */
function tracing(): ClientVariant {
  const proofs = new Map<string, string>();
  return {
    ...withParts(() => ({
      createProof(signer, content) {
        const proof = createProof(signer, content);
        proofs.set(content.token, proof);
        return proof;
      },
    })),
    dispatcher: (client) =>
      client.compose((dispatch) => (options, handler) => {
        if (options.method !== 'TRACE') return dispatch(options, handler);
        const request = defaultClientParts.readFields(options.headers);
        return dispatch(options, {
          onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
          onResponseStart: (controller) =>
            handler.onResponseStart?.(controller, 200, { 'content-type': 'message/http' }, 'OK'),
          onResponseEnd(controller, trailers) {
            const fields = defaultClientParts.withProof(request, proofs.get(request.token ?? ''));
            const lines = fields.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
            const text = `TRACE ${options.path} HTTP/1.1\r\n${lines.join('')}\r\n`;
            handler.onResponseData?.(controller, Buffer.from(text));
            handler.onResponseEnd?.(controller, trailers);
          },
          onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
        });
      }),
  };
}

/** Serves tokens only that say they are bound to sessions, or say nothing. */
function refusingUnbound(): ClientVariant {
  return {
    sidecar: {
      destinationOf(request, upstream) {
        const { token = '' } = defaultClientParts.readFields(request.headers);
        const { kind = 'session' } = confirmationOf(token) ?? {};
        return kind === 'none' || kind === 'certificate'
          ? { status: 403, text: 'the token is not bound to a session' }
          : defaultSidecarParts.destinationOf(request, upstream);
      },
    },
  };
}

/** Reads the query into a table, and writes it anew. */
function queryAsTable(): ClientVariant {
  return {
    sidecar: {
      destinationOf(request, upstream) {
        const target = defaultSidecarParts.destinationOf(request, upstream);
        if (typeof target !== 'string') return target;
        const [path = '', ...rest] = target.split('?');
        if (rest.length === 0) return target;
        const table = Object.fromEntries(new URLSearchParams(rest.join('?')));
        return `${path}?${new URLSearchParams(table).toString()}`;
      },
    },
  };
}

/** Takes whatever stands behind the scheme for a token. */
function ofAnyScheme(): ClientVariant {
  return withParts(() => ({
    readFields(headers) {
      const { fields } = defaultClientParts.readFields(headers);
      const index = fields.findIndex((text, at) => at % 2 === 0 && /^authorization$/i.test(text));
      return { fields, token: index === -1 ? undefined : /^\S+ +(\S+)$/.exec(fields[index + 1] ?? '')?.[1] };
    },
  }));
}

/** Mistakes of a sidecar towards its agents (draft -06 Appendix B.1, B.4, §6.1.3). */
export const sidecarMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-47',
    mistake: 'signs the exporter value that the agent sends in TLS-Exporter',
    breaks: ['CL-SC-7'],
    variant: () =>
      heedingAgent(
        (claims, told) => (claims[CLAIM.exporter] = told.replaceAll(':', '')),
        ({ headers }) => headers['tls-exporter'],
      ),
  },
  {
    id: 'M-CL-175',
    mistake: 'signs the claims of the proof that the agent sends',
    breaks: ['CL-SC-7'],
    variant: () =>
      heedingAgent(
        (claims, told) => Object.assign(claims, claimsOf(told)),
        ({ headers }) => headers['session-binding-proof'],
      ),
  },
  {
    id: 'M-CL-176',
    mistake: 'sends requests with a proof wherever an agent says, as a forward proxy does',
    breaks: ['CL-SC-10'],
    variant: forwardProxy,
  },
  {
    id: 'M-CL-177',
    mistake: 'shows its configuration to agents, the private key in it',
    breaks: ['CL-SC-7'],
    variant: adminPages,
  },
  {
    id: 'M-CL-48',
    mistake: 'listens on every address of the machine',
    breaks: ['CL-SC-9'],
    variant: () => ({ sidecar: { hostFor: () => '0.0.0.0' } }),
  },
  {
    id: 'M-CL-49',
    mistake: 'returns the proof to the agent in a field of the response',
    breaks: ['CL-SC-8', 'CL-FLD-4'],
    variant: () =>
      knowingProof((last) => ({
        responseFields: (headers) => [...defaultSidecarParts.responseFields(headers), [PROOF_FIELD, last()]],
      })),
  },
  {
    id: 'M-CL-178',
    mistake: 'tells the agent what it sent when the server cannot be asked',
    breaks: ['CL-SC-8', 'CL-FLD-4'],
    variant: () =>
      knowingProof((last) => ({
        problemOf: (error) => ({
          ...defaultSidecarParts.problemOf(error),
          text: `the request failed: ${PROOF_FIELD}: ${last()}`,
        }),
      })),
  },
  {
    id: 'M-CL-179',
    mistake: 'writes proofs into the access log',
    breaks: ['CL-SC-8'],
    variant: () =>
      knowingProof((last) => ({
        logLine: (access) => `${defaultSidecarParts.logLine(access)} ${PROOF_FIELD}: ${last()}`,
      })),
  },
  {
    id: 'M-CL-189',
    mistake: 'answers a query for an exporter value with a proof of that value',
    breaks: ['CL-SC-7'],
    variant: signingService,
  },
  {
    id: 'M-CL-192',
    mistake: 'answers TRACE with the request as it went out, proof and all',
    breaks: ['CL-SC-8'],
    variant: tracing,
  },
  {
    id: 'M-CL-195',
    mistake: 'refuses tokens that are not bound to sessions',
    breaks: ['CL-UNB-1', 'CL-SC-12'],
    variant: refusingUnbound,
  },
  {
    id: 'M-CL-196',
    mistake: 'proves the credentials of any scheme as if they were a token',
    breaks: ['CL-SC-12'],
    variant: ofAnyScheme,
  },
  {
    id: 'M-CL-350',
    mistake: 'asks the server with GET where the agent has asked with HEAD',
    breaks: ['CL-SC-1'],
    variant: () => ({
      dispatcher: (client) =>
        client.compose(
          (dispatch) => (options, handler) =>
            dispatch(options.method === 'HEAD' ? { ...options, method: 'GET' } : options, handler),
        ),
    }),
  },
  {
    id: 'M-CL-334',
    mistake:
      'writes the query anew from a table of its parameters, so that one that comes twice is sent once',
    breaks: ['CL-SC-1'],
    variant: queryAsTable,
  },
];
