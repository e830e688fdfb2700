import { matchesTarget } from '../proof/request-target.ts';
import type { ProvenRequest } from '../proof/request-target.ts';
import { createVerifier } from '../proof/verify.ts';
import { fieldValues, type HttpRequest, targetOf } from '../resource-server/http-message.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';

/** The first of these fields that a request has. */
function toldIn(request: HttpRequest, ...names: readonly string[]): string | undefined {
  return names.flatMap((name) => fieldValues(request, name))[0];
}

/** A parameter of the field Forwarded (RFC 7239 §4). */
function forwarded(request: HttpRequest, parameter: string): string | undefined {
  const value = toldIn(request, 'forwarded') ?? '';
  return new RegExp(`(?:^|[;,]\\s*)${parameter}="?([^";,]*)`, 'i').exec(value)?.[1];
}

/** What a request is, as far as fields say something else. */
type Told = { readonly [Member in keyof ProvenRequest | 'scheme']?: string | undefined };

/** Compares a proof with what fields tell of the request, where they do. */
function trusting(tell: (request: HttpRequest, target: ReturnType<typeof targetOf>) => Told): TargetVariant {
  return {
    parts: () => ({
      targetOf(request) {
        const target = targetOf(request);
        const told = Object.entries(tell(request, target)).filter(([, value]) => value !== undefined);
        return { ...target, ...Object.fromEntries(told) };
      },
      verifyProof: createVerifier({
        rules: {
          matchesTarget: (htu, request: ProvenRequest & { readonly scheme?: string }) =>
            request.scheme === 'http'
              ? matchesTarget(htu.replace(/^http:/, 'https:'), request)
              : matchesTarget(htu, request),
        },
      }),
    }),
  };
}

/** Mistakes in which htm and htu are compared with what the client says of its request. */
export const toldTargetsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-620',
    mistake: 'compares htu with the host that X-Forwarded-Host tells',
    breaks: ['RS-PL-11'],
    variant: () =>
      trusting((request) => ({ authority: toldIn(request, 'x-forwarded-host', 'x-original-host') })),
  },
  {
    id: 'M-RS-621',
    mistake: 'compares htu with the scheme that X-Forwarded-Proto tells',
    breaks: ['RS-PL-11'],
    variant: () => trusting((request) => ({ scheme: toldIn(request, 'x-forwarded-proto') })),
  },
  {
    id: 'M-RS-622',
    mistake: 'compares htu with the scheme and host that the field Forwarded tells',
    breaks: ['RS-PL-11'],
    variant: () =>
      trusting((request) => ({ authority: forwarded(request, 'host'), scheme: forwarded(request, 'proto') })),
  },
  {
    id: 'M-RS-623',
    mistake: 'compares htu with the path that X-Original-URL or X-Rewrite-URL tells',
    breaks: ['RS-PL-11'],
    variant: () => trusting((request) => ({ path: toldIn(request, 'x-original-url', 'x-rewrite-url') })),
  },
  {
    id: 'M-RS-624',
    mistake: 'compares htu with the path under the prefix that X-Forwarded-Prefix tells',
    breaks: ['RS-PL-11'],
    variant: () =>
      trusting((request, { path }) => ({ path: `${toldIn(request, 'x-forwarded-prefix') ?? ''}${path}` })),
  },
  {
    id: 'M-RS-625',
    mistake: 'compares htu with the port that X-Forwarded-Port tells',
    breaks: ['RS-PL-11'],
    variant: () =>
      trusting((request, { authority = '' }) => {
        const port = toldIn(request, 'x-forwarded-port');
        return { authority: port === undefined ? undefined : authority.replace(/:\d*$|$/, `:${port}`) };
      }),
  },
  {
    id: 'M-RS-626',
    mistake: 'compares htm with the method that X-HTTP-Method or X-Method-Override names',
    breaks: ['RS-PL-10'],
    variant: () => trusting((request) => ({ method: toldIn(request, 'x-http-method', 'x-method-override') })),
  },
  {
    id: 'M-RS-627',
    mistake: 'compares htm with the method that the parameter _method of the query names',
    breaks: ['RS-PL-10'],
    variant: () => trusting(({ url = '' }) => ({ method: /[?&]_method=(\w+)/.exec(url)?.[1] })),
  },
];
