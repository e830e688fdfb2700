import { readConfirmation } from '../proof/confirmation.ts';
import { PROOF_FIELD, PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { accessTokenOf, bearerTokenOf, proofsOf } from '../resource-server/credentials.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { invalidProof, missingProof, noToken } from '../resource-server/refusal.ts';
import { createServer, tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { onHandmadeTls } from './handmade-tls/server.ts';
import type { Mutant } from './mutant.ts';
import { checksUnless, PROOF_CHECKS, skipping } from './skipped-checks.ts';

function readingProofs(read: (request: HttpRequest) => readonly string[]): TargetVariant {
  return { parts: () => ({ proofsOf: read }) };
}

function takesFromForms(): TargetVariant {
  const inForm = new WeakMap<HttpRequest, string>();
  return {
    parts: () => ({
      tokenOf: (request) => inForm.get(request) ?? accessTokenOf(request),
      checks: checksUnless(PROOF_CHECKS, ({ request }) => inForm.has(request)),
    }),
    listener: (inner) => (request, response) => {
      const { authorization, 'content-type': type } = request.headers;
      if (authorization !== undefined || type !== 'application/x-www-form-urlencoded')
        return inner(request, response);
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      request.once('end', () => {
        const token = new URLSearchParams(body).get('access_token');
        if (token !== null) inForm.set(request, token);
        inner(request, response);
      });
    },
  };
}

/** The reference whose HTTP/1.1 parser takes header sections that RFC 9112 forbids, folded lines among them. */
function readingLeniently(): TargetVariant {
  return {
    ...readingProofs((request) => proofsOf(request).map((value) => value.replace(/\s/g, ''))),
    server: (material, listener) =>
      Object.assign(createServer({ listener, tls: tlsOptionsFor(material) }), { insecureHTTPParser: true }),
  };
}

/** Mistakes with finding the proof, and with demanding it (draft -06 §2.4, §3.3.2 steps 4 and 5d). */
export const proofFieldMutants: readonly Mutant[] = [
  {
    id: 'M-RS-01',
    mistake: 'ignores the cnf claim and the proof altogether: every token is a plain bearer token',
    breaks: ['RS-FLD-1', 'RS-FLD-3', 'RS-FLD-4', 'RS-FLD-5', 'RS-CNF-1', 'RS-T1', 'RS-T3'],
    variant: () => ({ parts: () => ({ readConfirmation: () => ({ kind: 'none' }) }) }),
  },
  {
    id: 'M-RS-02',
    mistake: 'implements RFC 8705 only: compares the certificate and never looks at the proof',
    breaks: ['RS-FLD-1', 'RS-FLD-3', 'RS-FLD-4', 'RS-FLD-5', 'RS-T1', 'RS-T4'],
    variant: () => ({
      parts: () => ({
        readConfirmation(cnf) {
          const read = readConfirmation(cnf);
          return read.kind === 'session' ? { kind: 'certificate', thumbprint: read.thumbprint } : read;
        },
      }),
    }),
  },
  {
    id: 'M-RS-03',
    mistake: 'verifies the proof only where a request has one',
    breaks: ['RS-CNF-1', 'RS-FLD-1', 'RS-FLD-6', 'RS-FLD-7', 'RS-FLD-8', 'RS-FLD-9', 'RS-CACHE-9', 'RS-T1'],
    variant: () => skipping(PROOF_CHECKS, ({ proofs }) => proofs.length === 0),
  },
  {
    id: 'M-RS-94',
    mistake:
      'takes the last word of the Authorization field for the token, whatever stands before it, and asks for the proof only where that is "Bearer "',
    breaks: ['RS-FLD-7', 'RS-DPOP-3'],
    variant: () => ({
      parts: () => ({
        tokenOf: (request) =>
          /^(?:\S+\s+)?(\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? noToken(),
        isUnderDpop: () => false,
        checks: checksUnless(
          PROOF_CHECKS,
          ({ request: { headers } }) => headers.authorization?.startsWith('Bearer ') !== true,
        ),
      }),
    }),
  },
  {
    id: 'M-RS-435',
    mistake:
      'asks for the proof in a filter that passes over requests with more than one Authorization field, of which the first one counts later',
    breaks: ['RS-FLD-7'],
    variant: () => ({
      parts: () => ({
        tokenOf: (request) => /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? noToken(),
        checks: checksUnless(PROOF_CHECKS, ({ request }) => fieldValues(request, 'authorization').length > 1),
      }),
    }),
  },
  {
    id: 'M-RS-95',
    mistake: 'asks for no proof on HEAD requests',
    breaks: ['RS-FLD-8'],
    variant: () => ({
      parts: () => ({ checks: checksUnless(PROOF_CHECKS, ({ request: { method } }) => method === 'HEAD') }),
    }),
  },
  {
    id: 'M-RS-364',
    mistake: 'has nothing that answers HEAD requests, and ends their connection',
    breaks: ['RS-FLD-8'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        if (request.method !== 'HEAD') return inner(request, response);
        if ('stream' in request) request.stream.destroy();
        else request.socket.destroy();
      },
    }),
  },
  {
    id: 'M-RS-186',
    mistake: 'asks for no proof where a slash ends the path, since the rule stands for the path without one',
    breaks: ['RS-FLD-8'],
    variant: () => ({
      parts: () => ({ checks: checksUnless(PROOF_CHECKS, ({ request: { url = '' } }) => url.endsWith('/')) }),
    }),
  },
  {
    id: 'M-RS-187',
    mistake: 'takes tokens from the query too, and asks for no proof there',
    breaks: ['RS-FLD-6'],
    variant: () => {
      const fromQuery = ({ url = '' }: HttpRequest) => /[?&]access_token=([^&]+)/.exec(url)?.[1];
      return {
        parts: () => ({
          tokenOf: (request) =>
            fromQuery(request) ??
            /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ??
            noToken(),
          checks: checksUnless(PROOF_CHECKS, ({ request }) => fromQuery(request) !== undefined),
        }),
      };
    },
  },
  {
    id: 'M-RS-434',
    mistake: 'takes tokens from forms too, and asks for no proof there',
    breaks: ['RS-FLD-6'],
    variant: takesFromForms,
  },
  {
    id: 'M-RS-188',
    mistake: 'takes the proof from X-Session-Binding-Proof as well',
    breaks: ['RS-FLD-1'],
    variant: () =>
      readingProofs((request) => [...proofsOf(request), ...fieldValues(request, `x-${PROOF_FIELD_LOWER}`)]),
  },
  {
    id: 'M-RS-98',
    mistake: 'compares the name of the field with regard to letter case',
    breaks: ['RS-FLD-2'],
    variant: () =>
      readingProofs((request) => {
        const name = request.httpVersionMajor === 2 ? PROOF_FIELD_LOWER : PROOF_FIELD;
        const { rawHeaders } = request;
        return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1] === name);
      }),
  },
  {
    id: 'M-RS-189',
    mistake: 'takes the last one of several proofs and does not look at the others',
    breaks: ['RS-FLD-3'],
    variant: () => readingProofs((request) => proofsOf(request).slice(-1)),
  },
  {
    id: 'M-RS-124',
    mistake: 'takes the part before the first comma for the proof, and nothing for one that was verified',
    breaks: ['RS-FLD-3', 'RS-FLD-5'],
    variant: () => ({
      parts: () => ({
        proofsOf: (request) => proofsOf(request).map((value) => value.split(',', 1)[0] ?? ''),
        checks: checksUnless(PROOF_CHECKS, ({ proofs }) => proofs[0] === ''),
      }),
    }),
  },
  {
    id: 'M-RS-171',
    mistake: 'removes white space inside the proof',
    breaks: ['RS-FLD-4'],
    variant: () => readingProofs((request) => proofsOf(request).map((value) => value.replace(/\s/g, ''))),
  },
  {
    id: 'M-RS-440',
    mistake: 'joins folded lines, and removes the white space at which the proof was folded',
    breaks: ['RS-FLD-4'],
    variant: readingLeniently,
  },
  {
    id: 'M-RS-444',
    mistake:
      'removes white space between the name of a field and its colon, where it has to refuse the request',
    breaks: ['RS-FLD-9'],
    lacks: ['tls1.2', 'h2'],
    variant: () =>
      onHandmadeTls({
        tidies: (received) =>
          Buffer.from(received.toString('latin1').replace(/^([\w-]+)[ \t]+:/gm, '$1:'), 'latin1'),
      }),
  },
  {
    id: 'M-RS-97',
    mistake: 'takes a trailer for the field',
    breaks: ['RS-FLD-9'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        request.resume();
        request.once('end', () => {
          request.rawHeaders.push(...request.rawTrailers);
          inner(request, response);
        });
      },
    }),
  },
  {
    id: 'M-RS-101',
    mistake: 'says invalid_proof where the proof is missing',
    breaks: ['RS-FLD-1', 'RS-ERR-3'],
    variant: () => ({
      parts: () => ({
        checks: defaultPresentationChecks.with('proof-present', ({ confirmation, proofs }) =>
          confirmation.kind === 'session' && proofs.length === 0
            ? invalidProof({ code: 'not-compact', step: 'd', description: 'the proof is missing' })
            : undefined,
        ),
      }),
    }),
  },
  {
    id: 'M-RS-331',
    mistake: 'says invalid_proof where a proof comes without a token',
    breaks: ['RS-FLD-10'],
    variant: () => ({
      parts: () => ({
        tokenOf: (request) =>
          request.headers.authorization === undefined && proofsOf(request).length > 0
            ? invalidProof({ code: 'wrong-token-hash', step: 'g', description: 'there is no token to hash' })
            : bearerTokenOf(request),
      }),
    }),
  },
  {
    id: 'M-RS-332',
    mistake: 'switches the protocol for a WebSocket handshake before it looks at the proof',
    breaks: ['RS-FLD-8'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        if (request.headers.upgrade !== 'websocket') return inner(request, response);
        response.statusCode = 101;
        response.setHeader('Connection', 'Upgrade');
        response.setHeader('Upgrade', 'websocket');
        response.end();
      },
    }),
  },
  {
    id: 'M-RS-116',
    mistake: 'looks for the proof before the token, so that a request without token gets a proof error',
    breaks: ['RS-FLD-10'],
    variant: () => ({
      parts: () => ({
        tokenOf: (request) => (proofsOf(request).length === 0 ? missingProof() : bearerTokenOf(request)),
      }),
    }),
  },
];
