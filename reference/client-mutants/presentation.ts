import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { defaultClientParts } from '../client/parts.ts';
import type { RequestFields } from '../client/request-fields.ts';
import { PROOF_FIELD, PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';
import { defaultSidecarParts } from '../sidecar/parts.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { proving, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';
import { fieldsOf, heedingUnproven, UNPROVEN_FIELDS } from './resending.ts';

/** The reference client that writes the proof into the header section in another way. */
function writing(write: (proof: string, request: RequestFields) => string[]): ClientVariant {
  return withParts(() => ({
    withProof: (request, proof) => (proof === undefined ? [...request.fields] : write(proof, request)),
  }));
}

function* fieldsIn({ rawHeaders }: IncomingMessage): Iterable<readonly [string, string]> {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    yield [rawHeaders[index] ?? '', rawHeaders[index + 1] ?? ''];
  }
}

/**
 * The reference sidecar that passes some fields of the agent's on that it has to remove.
 *
 * @param passes told the name, and how many that it passes came before
 */
function passing(passes: (name: string, before: number) => boolean): ClientVariant {
  const kept = 'x-kept-';
  return {
    sidecar: {
      requestFields(request) {
        const fields = defaultSidecarParts.requestFields(request);
        let before = 0;
        for (const [name, value] of fieldsIn(request)) {
          if (passes(name, before)) fields.push(`${kept}${name}`, value);
          if (name.toLowerCase().replaceAll('_', '-') === PROOF_FIELD_LOWER) before += 1;
        }
        return fields;
      },
    },
    client: {
      parts: {
        readFields(headers) {
          const { fields, token } = defaultClientParts.readFields(headers);
          return {
            token,
            fields: fields.map((text) => (text.startsWith(kept) ? text.slice(kept.length) : text)),
          };
        },
      },
    },
  };
}

const isProof = (name: string) => name.toLowerCase() === PROOF_FIELD_LOWER;

/** The agent's proof, where it has one, instead of the sidecar's. */
function preferring(): ClientVariant {
  const variant = passing((name, before) => isProof(name) && before === 0);
  const withProof = (request: RequestFields, proof: string | undefined) =>
    defaultClientParts.withProof(request, request.fields.some(isProof) ? undefined : proof);
  return { ...variant, client: { parts: { ...variant.client?.parts, withProof } } };
}

/** Removes what the agent's Connection field names when everything is there, its own proof too. */
function removingLast(): ClientVariant {
  const mark = 'x-named';
  return {
    sidecar: {
      requestFields: (request) => [
        ...defaultSidecarParts.requestFields(request),
        mark,
        request.headers.connection ?? '',
      ],
    },
    ...withParts(() => ({
      withProof(request, proof) {
        const all = defaultClientParts.withProof(request, proof);
        const value = all[all.indexOf(mark) + 1] ?? '';
        const named = value.split(',').map((name) => name.trim().toLowerCase());
        return all.filter((_text, index) => {
          const name = all[index - (index % 2)]?.toLowerCase() ?? '';
          return name !== mark && !named.includes(name);
        });
      },
    })),
  };
}

function firstOfAgentConnection(): ClientVariant {
  const known = new WeakSet<Socket>();
  return {
    client: { parts: heedingUnproven },
    sidecar: {
      requestFields(request) {
        const fields = defaultSidecarParts.requestFields(request);
        if (known.has(request.socket)) fields.push(...UNPROVEN_FIELDS);
        known.add(request.socket);
        return fields;
      },
    },
  };
}

/** Mistakes with the fields of a request (draft -06 §3.3.2 step 4, Appendix B.2, B.4). */
export const presentationMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-29',
    mistake: 'sends a token’s proof only with its first request on a connection',
    breaks: ['CL-FLD-2'],
    variant: () =>
      proving((inner) => ({
        proofFor: (request) => (inner.knows(request.token) ? undefined : inner.proofFor(request)),
      })),
  },
  {
    id: 'M-CL-140',
    mistake: 'sends no proof with methods other than GET and HEAD',
    breaks: ['CL-FLD-2'],
    variant: () =>
      proving((inner) => ({
        proofFor: (request) => (/^(?:GET|HEAD)$/.test(request.method) ? inner.proofFor(request) : undefined),
      })),
  },
  {
    id: 'M-CL-55',
    mistake: 'proves only the first request of each agent connection',
    breaks: ['CL-FLD-2', 'CL-SC-1'],
    variant: firstOfAgentConnection,
  },
  {
    id: 'M-CL-141',
    mistake: 'sends no proof on HTTP/2',
    breaks: ['CL-FLD-2'],
    also: ['TLSv1.3 h2 P-256'],
    variant: () =>
      proving((_inner, { socket }) => (socket?.alpnProtocol === 'h2' ? { proofFor: () => undefined } : {})),
  },
  {
    id: 'M-CL-200',
    mistake: 'takes a request without Content-Length for one without a body',
    breaks: ['CL-SC-1'],
    variant: () => ({
      dispatcher: (client) =>
        client.compose((dispatch) => (options, handler) => {
          const isSized = fieldsOf(options).some((text) => text.toLowerCase() === 'content-length');
          return dispatch(isSized ? options : { ...options, body: null }, handler);
        }),
    }),
  },
  {
    id: 'M-CL-201',
    mistake: 'knows schemes only when they are written like Bearer and DPoP',
    breaks: ['CL-SC-1'],
    variant: () =>
      withParts(() => ({
        readFields(headers) {
          const { fields, token } = defaultClientParts.readFields(headers);
          const isKnown = fields.some((text) => /^(?:Bearer|DPoP) /.test(text));
          return { fields, token: isKnown ? token : undefined };
        },
      })),
  },
  {
    id: 'M-CL-142',
    mistake: 'calls the field TLS-Session-Binding-Proof',
    breaks: ['CL-FLD-1', 'CL-FLD-2'],
    variant: () => writing((proof, { fields }) => [...fields, `TLS-${PROOF_FIELD}`, proof]),
  },
  {
    id: 'M-CL-143',
    mistake: 'sends the proof in the field DPoP',
    breaks: ['CL-FLD-1', 'CL-FLD-2'],
    variant: () => writing((proof, { fields }) => [...fields, 'DPoP', proof]),
  },
  {
    id: 'M-CL-144',
    mistake: 'sends the proof field twice',
    breaks: ['CL-FLD-1'],
    variant: () => writing((proof, { fields }) => [...fields, PROOF_FIELD, proof, PROOF_FIELD, proof]),
  },
  {
    id: 'M-CL-145',
    mistake: 'sends two proofs in one field, with a comma between them',
    breaks: ['CL-FLD-1', 'CL-SIG-2'],
    variant: () => writing((proof, { fields }) => [...fields, PROOF_FIELD, `${proof}, ${proof}`]),
  },
  {
    id: 'M-CL-146',
    mistake: 'sends Authorization twice',
    breaks: ['CL-FLD-1'],
    variant: () =>
      writing((proof, { fields, token }) => [
        ...fields,
        'Authorization',
        `Bearer ${token}`,
        PROOF_FIELD,
        proof,
      ]),
  },
  {
    id: 'M-CL-348',
    mistake: 'sends the token in the query too',
    breaks: ['CL-FLD-1'],
    variant: () => ({
      dispatcher: (client) =>
        client.compose((dispatch) => (options, handler) => {
          const { token } = defaultClientParts.readFields(options.headers);
          const mark = options.path.includes('?') ? '&' : '?';
          const path = token === undefined ? options.path : `${options.path}${mark}access_token=${token}`;
          return dispatch({ ...options, path }, handler);
        }),
    }),
  },
  {
    id: 'M-CL-349',
    mistake: 'makes up a scheme for bound tokens',
    breaks: ['CL-FLD-1'],
    variant: () =>
      withParts(() => ({
        withProof: (request, proof) =>
          defaultClientParts
            .withProof(request, proof)
            .map((text) => (proof === undefined ? text : text.replace(/^bearer /i, 'Session-Bound '))),
      })),
  },
  {
    id: 'M-CL-147',
    mistake: 'puts the proof into a field for tracing too',
    breaks: ['CL-FLD-4'],
    variant: () =>
      writing((proof, { fields }) => [...fields, PROOF_FIELD, proof, 'tracestate', `proof=${proof}`]),
  },
  {
    id: 'M-CL-148',
    mistake: 'puts the proof into Referer too',
    breaks: ['CL-FLD-4'],
    variant: () =>
      writing((proof, { fields }) => [
        ...fields,
        PROOF_FIELD,
        proof,
        'Referer',
        `https://localhost/?proof=${proof}`,
      ]),
  },
  {
    id: 'M-CL-30',
    mistake: 'adds its proof to the one that the agent sent',
    breaks: ['CL-SC-2'],
    variant: () => passing(isProof),
  },
  {
    id: 'M-CL-149',
    mistake: 'takes the agent’s proof where there is one',
    breaks: ['CL-SC-2'],
    variant: preferring,
  },
  {
    id: 'M-CL-150',
    mistake: 'removes only the first of several proofs of the agent',
    breaks: ['CL-SC-2'],
    variant: () => passing((name, before) => isProof(name) && before > 0),
  },
  {
    id: 'M-CL-151',
    mistake: 'removes the agent’s proof only where the field is written as in the draft',
    breaks: ['CL-SC-2'],
    variant: () => passing((name) => isProof(name) && name !== PROOF_FIELD),
  },
  {
    id: 'M-CL-152',
    mistake: 'passes session_binding_proof on, which some servers take for the field itself',
    breaks: ['CL-SC-2'],
    variant: () => passing((name) => name.includes('_') && isProof(name.replaceAll('_', '-'))),
  },
  {
    id: 'M-CL-153',
    mistake: 'passes TLS-Exporter of the agent on',
    breaks: ['CL-SC-2'],
    variant: () => passing((name) => name.toLowerCase() === 'tls-exporter'),
  },
  {
    id: 'M-CL-154',
    mistake: 'passes Client-Cert and Client-Cert-Chain of the agent on',
    breaks: ['CL-SC-2'],
    variant: () => passing((name) => /^client-cert(?:-chain)?$/i.test(name)),
  },
  {
    id: 'M-CL-188',
    mistake: 'removes the fields that the agent’s Connection names after it has added the proof',
    breaks: ['CL-SC-2'],
    variant: removingLast,
  },
];
