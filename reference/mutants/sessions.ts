import { randomBytes } from 'node:crypto';
import type { PresentationCheckName } from '../resource-server/admission.ts';
import { fieldValues, type HttpRequest, type HttpResponse } from '../resource-server/http-message.ts';
import { answer } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { PROOF_CHECKS, skipping } from './skipped-checks.ts';

/** Lets the content of a response with 200 be looked at and changed before it goes out, and fields be added. */
export function onServed(response: HttpResponse, act: (content: string) => string): void {
  const end = response.end.bind(response) as (content?: string | Uint8Array) => void;
  Object.assign(response, {
    end(content?: string | Uint8Array) {
      if (response.statusCode !== 200 || content === undefined) return end(content);
      const changed = act(Buffer.from(content).toString());
      response.setHeader('Content-Length', Buffer.byteLength(changed));
      return end(changed);
    },
  });
}

/** How the key of a session goes out and comes back. */
interface Carriage {
  /** @returns the content to send instead */
  readonly handOut: (response: HttpResponse, key: string, content: string) => string;
  readonly broughtBack: (request: HttpRequest) => string | undefined;
}

const COOKIE: Carriage = {
  handOut(response, key, content) {
    response.setHeader('Set-Cookie', `sid=${key}; Secure; HttpOnly`);
    return content;
  },
  broughtBack: (request) => /\bsid=([\w-]+)/.exec(fieldValues(request, 'cookie').join('; '))?.[1],
};

const FIELD: Carriage = {
  handOut(response, key, content) {
    response.setHeader('X-Session-Token', key);
    return content;
  },
  broughtBack: (request) => fieldValues(request, 'x-session-token')[0],
};

const MEMBER: Carriage = {
  handOut: (_, key, content) => JSON.stringify({ ...JSON.parse(content), session: key }),
  broughtBack: (request) => /^Bearer ([\w-]+)$/.exec(fieldValues(request, 'authorization')[0] ?? '')?.[1],
};

/** Begins a session with each request that was served, and serves its content to whoever brings the key back. */
function session({ handOut, broughtBack }: Carriage): TargetVariant {
  const sessions = new Map<string, string>();
  return {
    listener: (inner) => (request, response) => {
      const content = sessions.get(broughtBack(request) ?? '');
      if (content !== undefined) {
        answer(response, 200, content);
        return discardBody(request);
      }
      onServed(response, (served) => {
        const key = randomBytes(16).toString('base64url');
        sessions.set(key, served);
        return handOut(response, key, served);
      });
      inner(request, response);
    },
  };
}

/** Begins a session with each request that was served; some checks are left out for whoever brings the key back. */
function relieving(
  checks: readonly PresentationCheckName[],
  { handOut, broughtBack }: Carriage,
): TargetVariant {
  const keys = new Set<string>();
  return {
    ...skipping(checks, ({ request }) => keys.has(broughtBack(request) ?? '')),
    listener: (inner) => (request, response) => {
      onServed(response, (served) => {
        const key = randomBytes(16).toString('base64url');
        keys.add(key);
        return handOut(response, key, served);
      });
      inner(request, response);
    },
  };
}

/** Mistakes in which a session of another kind takes over. */
export const sessionsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-600',
    mistake: 'sets a cookie with the first verified request, and serves whoever brings it',
    breaks: ['RS-CACHE-14'],
    variant: () => session(COOKIE),
  },
  {
    id: 'M-RS-601',
    mistake:
      'sets a cookie that relieves the holder of the certificate of further proofs, on other connections too',
    breaks: ['RS-CACHE-14'],
    variant: () => relieving(PROOF_CHECKS, COOKIE),
  },
  {
    id: 'M-RS-602',
    mistake: 'hands out a session token in X-Session-Token, and serves whoever brings it',
    breaks: ['RS-CACHE-14'],
    variant: () => session(FIELD),
  },
  {
    id: 'M-RS-603',
    mistake:
      'hands out a token of its own in its content that is bound to nothing, and takes it for an access token',
    breaks: ['RS-CACHE-14'],
    variant: () => session(MEMBER),
  },
  {
    id: 'M-RS-604',
    mistake:
      'sets a cookie with the first verified request, and asks for no more than a token and that cookie then',
    breaks: ['RS-CACHE-14'],
    variant: () => relieving(['certificate', 'certificate-thumbprint', ...PROOF_CHECKS], COOKIE),
  },
];
