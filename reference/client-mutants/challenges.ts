import { randomUUID } from 'node:crypto';
import { type Challenge, parseChallenges } from '../client/challenge.ts';
import { type ClientParts, defaultClientParts } from '../client/parts.ts';
import type { ProofBasis } from '../client/proof-source.ts';
import { provingAfterChallenge } from '../client-variants/after-challenge.ts';
import { createProof, type ProofContent } from '../proof/create.ts';
import { ERROR } from '../proof/vocabulary.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { confirmationOf } from '../client/token-binding.ts';
import { defaultSidecarParts } from '../sidecar/parts.ts';
import { following } from './connections.ts';
import { proving } from './making.ts';
import type { ClientMutant } from './mutant.ts';
import { fieldsOf, heedingUnproven, resending, unproven, withoutFields } from './resending.ts';

const { asksForProof, readFields } = defaultClientParts;

/** RFC 9266 §2 */
const TLS_EXPORTER_BINDING = 'EXPORTER-Channel-Binding';

function errorsIn(headers: Parameters<typeof asksForProof>[1]): readonly (string | undefined)[] {
  return parseChallenges(headers['www-authenticate']).map(({ parameters }) => parameters.get('error'));
}

function challengedWith(headers: Parameters<typeof asksForProof>[1], scheme: string): boolean {
  return parseChallenges(headers['www-authenticate']).some((challenge) => challenge.scheme === scheme);
}

function refusedWith(error: string) {
  return (status: number, headers: Parameters<typeof asksForProof>[1]): boolean =>
    status === 401 && errorsIn(headers).includes(error);
}

const waiting = () => provingAfterChallenge(() => false);

/**
 * Takes a token for invalid where a response says so, or something like it.
 *
 * @param group tokens of one group are thrown away together
 */
function throwsTokenAway(
  says: (status: number, headers: Parameters<typeof asksForProof>[1]) => boolean,
  parts: Partial<ClientParts> = {},
  group: (token: string) => string = (token) => token,
): ClientVariant {
  const dead = new Set<string>();
  return {
    client: {
      proofRetries: 0,
      parts: {
        ...parts,
        readFields(headers) {
          const request = readFields(headers);
          if (!dead.has(group(request.token ?? ''))) return request;
          const index = request.fields.findIndex((text) => /^authorization$/i.test(text));
          return { fields: request.fields.toSpliced(index, 2), token: undefined };
        },
      },
    },
    dispatcher: resending(({ status, headers, options }) => {
      const { token } = readFields(options.headers);
      if (says(status, headers)) dead.add(group(token ?? ''));
      return undefined;
    }),
  };
}

/** Makes the proof that follows a refused one, and all later ones for that token on the connection, otherwise. */
function amending(
  change: (content: ProofContent, basis: ProofBasis) => Pick<ProofContent, 'token' | 'exporter'>,
): ClientVariant {
  return proving((inner, basis) => {
    const refused = new Set<string>();
    return {
      proofFor(request) {
        if (!refused.has(request.token)) return inner.proofFor(request);
        const { policy, signer, exporter } = basis;
        const content: ProofContent = {
          token: request.token,
          exporter,
          issuedAt: Math.floor(policy.clock() / 1000),
          ...(policy.claims === 'request' && { request: { ...request, identifier: randomUUID() } }),
        };
        return createProof(signer, { ...content, ...change(content, basis) });
      },
      refused(token, proof) {
        if (proof !== undefined) refused.add(token);
        inner.refused(token, proof);
      },
    };
  });
}

/** Waits for a challenge, and recognises it in its own way. */
function recognising(isChallenge: (fields: readonly string[]) => boolean): ClientVariant {
  return {
    client: {
      parts: {
        ...waiting(),
        asksForProof: (status, { 'www-authenticate': fields }) =>
          status === 401 && isChallenge([fields ?? []].flat()),
      },
    },
  };
}

function asked(challenges: readonly Challenge[]): boolean {
  const errors: readonly unknown[] = [ERROR.invalidProof, ERROR.useSessionBinding];
  return challenges.some(
    ({ scheme, parameters }) => scheme === 'bearer' && errors.includes(parameters.get('error')),
  );
}

/** The reference client that sends each request once more without a proof where this is so. */
function fallingBack(
  when: (status: number, headers: Parameters<typeof asksForProof>[1]) => boolean,
): ClientVariant {
  return {
    client: { parts: heedingUnproven },
    dispatcher: resending(({ status, headers, options, before }) =>
      before === 0 && when(status, headers) ? unproven(options) : undefined,
    ),
  };
}

/** The reference client that sends each refused request once more with other credentials. */
function withOtherScheme(scheme: string, credentials: (token: string) => string): ClientVariant {
  return {
    dispatcher: resending(({ status, headers, options, before }) => {
      if (before > 0 || status !== 401 || !challengedWith(headers, scheme)) return undefined;
      const { token = '' } = readFields(options.headers);
      const fields = fieldsOf(options).map((text, index, all) =>
        index % 2 === 1 && /^authorization$/i.test(all[index - 1] ?? '') ? credentials(token) : text,
      );
      return { ...options, headers: fields };
    }),
  };
}

/** Mistakes with what a refusal is taken for (draft -06 §3.5; RFC 9110 §9.2.2, §11.6.1). */
export const challengesMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-37',
    mistake: 'waits for a challenge, does not know use_session_binding, and throws the token away',
    breaks: ['CL-RETRY-1'],
    variant: () =>
      throwsTokenAway(refusedWith(ERROR.useSessionBinding), { ...waiting(), asksForProof: () => false }),
  },
  {
    id: 'M-CL-351',
    mistake: 'throws a token away that was sent with a proof and is answered use_session_binding',
    breaks: ['CL-RETRY-1'],
    variant: () => throwsTokenAway(refusedWith(ERROR.useSessionBinding)),
  },
  {
    id: 'M-CL-352',
    mistake: 'throws a token away when its proof is refused',
    breaks: ['CL-RETRY-2'],
    variant: () => throwsTokenAway(refusedWith(ERROR.invalidProof)),
  },
  {
    id: 'M-CL-356',
    mistake: 'takes a refused proof for a sign of another derivation, and goes on with the label of RFC 9266',
    breaks: ['CL-RETRY-2'],
    variant: () =>
      amending(({ token, exporter }, { socket }) => ({
        token,
        exporter:
          socket?.exportKeyingMaterial(exporter.length, TLS_EXPORTER_BINDING, Buffer.of()) ?? exporter,
      })),
  },
  {
    id: 'M-CL-357',
    mistake: 'hashes the whole Authorization field where it makes a proof because a response asks for one',
    breaks: ['CL-RETRY-1'],
    variant: () => amending(({ token, exporter }) => ({ token: `Bearer ${token}`, exporter })),
  },
  {
    id: 'M-CL-358',
    mistake: 'throws all tokens away once one of them is called invalid',
    breaks: ['CL-RETRY-3'],
    variant: () => throwsTokenAway(refusedWith(ERROR.invalidToken), {}, () => 'all'),
  },
  {
    id: 'M-CL-353',
    mistake: 'throws a token away after 403, and sends the agent’s next requests without it',
    breaks: ['CL-RETRY-4'],
    variant: () => throwsTokenAway((status) => status === 403),
  },
  {
    id: 'M-CL-164',
    mistake: 'waits for a challenge, and knows it only as the first one and written as in the draft',
    breaks: ['CL-RETRY-5'],
    variant: () =>
      recognising(
        ([first = '']) => /^Bearer (?:realm="[^"]*", )?error="/.test(first) && asked(parseChallenges(first)),
      ),
  },
  {
    id: 'M-CL-185',
    mistake: 'waits for a challenge, and reads only the first of several WWW-Authenticate fields',
    breaks: ['CL-RETRY-5'],
    variant: () => recognising(([first]) => asked(parseChallenges(first))),
  },
  {
    id: 'M-CL-186',
    mistake: 'waits for a challenge, and reads only the first of several challenges',
    breaks: ['CL-RETRY-5'],
    variant: () => recognising((fields) => asked(parseChallenges(fields).slice(0, 1))),
  },
  {
    id: 'M-CL-187',
    mistake: 'waits for a challenge, and searches its text for the error code',
    breaks: ['CL-RETRY-5'],
    variant: () => recognising((fields) => /use_session_binding|invalid_proof/.test(fields.join(', '))),
  },
  {
    id: 'M-CL-202',
    mistake: 'proves tokens only that it can read to be bound, and opaque ones not even when it is asked to',
    breaks: ['CL-RETRY-1', 'CL-NOTE-1'],
    variant: () =>
      proving((inner) => ({
        proofFor: (request) =>
          confirmationOf(request.token)?.kind === 'session' ? inner.proofFor(request) : undefined,
      })),
  },
  {
    id: 'M-CL-38',
    mistake: 'repeats the proof that was refused',
    breaks: ['CL-RETRY-2'],
    variant: () => proving(() => ({ refused: () => {} })),
  },
  {
    id: 'M-CL-39',
    mistake: 'makes another proof as often as one is refused',
    breaks: ['CL-RETRY-3'],
    variant: () => ({
      dispatcher: resending(({ status, headers, options }) =>
        options.method === 'GET' && asksForProof(status, headers) ? options : undefined,
      ),
    }),
  },
  {
    id: 'M-CL-46',
    mistake: 'sends a token again as often as it is called invalid',
    breaks: ['CL-RETRY-3'],
    variant: () => ({
      dispatcher: resending(({ status, headers, options }) =>
        status === 401 && errorsIn(headers).includes(ERROR.invalidToken) ? options : undefined,
      ),
    }),
  },
  {
    id: 'M-CL-203',
    mistake: 'sends a GET again as often as it is answered 401, whatever the reason',
    breaks: ['CL-RETRY-3'],
    variant: () => ({
      dispatcher: resending(({ status, options }) =>
        options.method === 'GET' && status === 401 ? options : undefined,
      ),
    }),
  },
  {
    id: 'M-CL-331',
    mistake: 'sends a request again as often as it is answered 425',
    breaks: ['CL-RETRY-3'],
    variant: () => ({
      dispatcher: resending(({ status, options }) => (status === 425 ? options : undefined)),
    }),
  },
  {
    id: 'M-CL-332',
    mistake: 'tries the token without a proof after 425',
    breaks: ['CL-RETRY-4'],
    variant: () => fallingBack((status) => status === 425),
  },
  {
    id: 'M-CL-40',
    mistake: 'tries the token without a proof where one was refused',
    breaks: ['CL-RETRY-4'],
    variant: () => fallingBack(asksForProof),
  },
  {
    id: 'M-CL-165',
    mistake: 'tries the token without a proof after any other 401',
    breaks: ['CL-RETRY-4'],
    variant: () => fallingBack((status, headers) => status === 401 && !asksForProof(status, headers)),
  },
  {
    id: 'M-CL-199',
    mistake: 'tries the token without a proof after 403',
    breaks: ['CL-RETRY-4'],
    variant: () => fallingBack((status) => status === 403),
  },
  {
    id: 'M-CL-166',
    mistake: 'sends the token as a DPoP token without any proof where DPoP is asked for',
    breaks: ['CL-RETRY-4'],
    variant: () => withOtherScheme('dpop', (token) => `DPoP ${token}`),
  },
  {
    id: 'M-CL-167',
    mistake: 'sends the token as a password where Basic is asked for',
    breaks: ['CL-RETRY-4'],
    variant: () =>
      withOtherScheme('basic', (token) => `Basic ${Buffer.from(`token:${token}`).toString('base64')}`),
  },
  {
    id: 'M-CL-168',
    mistake: 'sends the token in the query after 400',
    breaks: ['CL-RETRY-4'],
    variant: () => ({
      dispatcher: resending(({ status, options, before }) => {
        if (status !== 400 || before > 0) return undefined;
        const { token } = readFields(options.headers);
        const mark = options.path.includes('?') ? '&' : '?';
        return { ...options, path: `${options.path}${mark}access_token=${token}` };
      }),
    }),
  },
  {
    id: 'M-CL-191',
    mistake: 'sends the token in a form after 400',
    breaks: ['CL-RETRY-4'],
    variant: () => ({
      dispatcher: resending(({ status, options, before }) => {
        if (status !== 400 || before > 0) return undefined;
        const { token } = readFields(options.headers);
        const form = ['Content-Type', 'application/x-www-form-urlencoded'];
        const rest = withoutFields(options, 'authorization', 'content-type', 'content-length');
        return {
          ...rest,
          method: 'POST',
          headers: [...fieldsOf(rest), ...form],
          body: `access_token=${token}`,
        };
      }),
    }),
  },
  {
    id: 'M-CL-190',
    mistake: 'takes a 401 with Location for a redirection, and follows it with the token',
    breaks: ['CL-RETRY-4'],
    variant: () => following((target) => target.protocol === 'https:', [401]),
  },
  {
    id: 'M-CL-51',
    mistake: 'sends a POST again after 401',
    breaks: ['CL-SC-11'],
    variant: () => ({
      dispatcher: resending(({ status, headers, options, before }) =>
        before === 0 && options.method === 'POST' && asksForProof(status, headers) ? options : undefined,
      ),
    }),
  },
  {
    id: 'M-CL-169',
    mistake: 'sends a POST again when the server or a gateway failed',
    breaks: ['CL-SC-11'],
    variant: () => ({
      dispatcher: resending(({ status, options, before }) =>
        before === 0 && options.method === 'POST' && status >= 500 ? options : undefined,
      ),
    }),
  },
  {
    id: 'M-CL-182',
    mistake: 'sends a POST again after 401, when its body has been read and is gone',
    breaks: ['CL-SC-11'],
    variant: () => ({
      dispatcher: resending(({ status, headers, options, before }) =>
        before === 0 && options.method === 'POST' && asksForProof(status, headers)
          ? { ...withoutFields(options, 'content-length'), body: null }
          : undefined,
      ),
    }),
  },
  {
    id: 'M-CL-183',
    mistake: 'takes WWW-Authenticate for its own, and leaves it out of a 401 that it hands on',
    breaks: ['CL-SC-11'],
    variant: () => ({
      sidecar: {
        responseFields: (headers) =>
          defaultSidecarParts.responseFields(headers).filter(([name]) => name !== 'www-authenticate'),
      },
    }),
  },
  {
    id: 'M-CL-184',
    mistake: 'sends a POST again when its connection ends without a response',
    breaks: ['CL-SC-11'],
    variant: () => ({
      dispatcher: resending(
        () => undefined,
        ({ options, before }) => (before === 0 && options.method === 'POST' ? options : undefined),
      ),
    }),
  },
];
