import { DPOP_FIELD_LOWER, DPOP_SCHEME } from '../dpop/vocabulary.ts';
import { PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';
import { fieldValues, type HttpRequest } from './http-message.ts';
import { invalidRequest, invalidToken, noToken, type Refusal } from './refusal.ts';

const CREDENTIALS = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(.*))?$/;
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

function tokenUnder(schemes: readonly string[], request: HttpRequest): string | Refusal {
  const fields = fieldValues(request, 'authorization');
  if (fields.length > 1) return invalidRequest('the request has more than one Authorization field');
  const credentials = CREDENTIALS.exec(fields[0] ?? '');
  if (!schemes.includes(credentials?.[1]?.toLowerCase() ?? '')) return noToken();
  const token = credentials?.[2] ?? '';
  return B64TOKEN.test(token) ? token : invalidToken('the access token is malformed');
}

/**
 * The access token of a request: from one Authorization field with the scheme Bearer or DPoP, and from nowhere
 * else. A token in the query or in a form is not looked at (RFC 6750 §2.2 and §2.3 are optional).
 *
 * Source: draft -06 §3.3.2 step 4, RFC 6750 §2.1, RFC 9449 §7.1.
 */
export function accessTokenOf(request: HttpRequest): string | Refusal {
  return tokenUnder(['bearer', 'dpop'], request);
}

/** The same for the scheme Bearer alone (RFC 6750 §2.1). */
export function bearerTokenOf(request: HttpRequest): string | Refusal {
  return tokenUnder(['bearer'], request);
}

/** Whether the token of a request stands under the scheme DPoP (RFC 9449 §7.1). */
export function isUnderDpop(request: HttpRequest): boolean {
  const scheme = CREDENTIALS.exec(fieldValues(request, 'authorization')[0] ?? '')?.[1];
  return scheme?.toLowerCase() === DPOP_SCHEME.toLowerCase();
}

/** The values of all Session-Binding-Proof fields of a request. */
export function proofsOf(request: HttpRequest): readonly string[] {
  return fieldValues(request, PROOF_FIELD_LOWER);
}

/** The values of all DPoP fields of a request. */
export function dpopProofsOf(request: HttpRequest): readonly string[] {
  return fieldValues(request, DPOP_FIELD_LOWER);
}
