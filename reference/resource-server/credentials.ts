import { PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';
import { fieldValues, type HttpRequest } from './http-message.ts';
import { invalidRequest, invalidToken, noToken, type Refusal } from './refusal.ts';

const CREDENTIALS = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(.*))?$/;
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * The access token of a request: from one Authorization field with the Bearer scheme, and from nowhere
 * else. A token in the query or in a form is not looked at (RFC 6750 §2.2 and §2.3 are optional).
 *
 * Source: draft -06 §3.3.2 step 4, RFC 6750 §2.1.
 */
export function bearerTokenOf(request: HttpRequest): string | Refusal {
  const fields = fieldValues(request, 'authorization');
  if (fields.length > 1) return invalidRequest('the request has more than one Authorization field');
  const credentials = CREDENTIALS.exec(fields[0] ?? '');
  if (credentials?.[1]?.toLowerCase() !== 'bearer') return noToken();
  const token = credentials[2] ?? '';
  return B64TOKEN.test(token) ? token : invalidToken('the access token is malformed');
}

/** The values of all Session-Binding-Proof fields of a request. */
export function proofsOf(request: HttpRequest): readonly string[] {
  return fieldValues(request, PROOF_FIELD_LOWER);
}
