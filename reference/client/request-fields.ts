import type { Dispatcher } from 'undici';
import { PROOF_FIELD, PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';

/** What a caller's header fields come down to. */
export interface RequestFields {
  /** Names and values in turn, without any proof that the caller put there and without Host. */
  readonly fields: readonly string[];
  /** The token among them, under the scheme Bearer or DPoP. */
  readonly token: string | undefined;
}

type Headers = Dispatcher.DispatchOptions['headers'];

function* pairsOf(headers: Headers): Iterable<readonly [string, string]> {
  if (headers === undefined || headers === null) return;
  if (Array.isArray(headers)) {
    for (let index = 0; index + 1 < headers.length; index += 2) {
      yield [String(headers[index]), String(headers[index + 1])];
    }
    return;
  }
  const entries = Symbol.iterator in headers ? headers : Object.entries(headers);
  for (const [name, value] of entries as Iterable<[string, string | readonly string[] | undefined]>) {
    for (const each of [value ?? []].flat()) yield [name, each];
  }
}

/**
 * A field's name as a server may come to see it: in lower case, and with a hyphen for an underscore, since
 * CGI and its like make them one.
 */
export function canonicalName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/**
 * Takes a caller's header fields apart. A Session-Binding-Proof of the caller's is dropped: proofs are
 * made here and nowhere else. Host is dropped too, since the origin says where a request goes. A request
 * with several Authorization fields has no token: which one a server would take is anybody's guess.
 */
export function readFields(headers: Headers): RequestFields {
  const fields: string[] = [];
  const credentials: string[] = [];
  for (const [name, value] of pairsOf(headers)) {
    const canonical = canonicalName(name);
    if (canonical === PROOF_FIELD_LOWER || canonical === 'host') continue;
    if (canonical === 'authorization') credentials.push(value);
    fields.push(name, value);
  }
  const [only = ''] = credentials.length === 1 ? credentials : [];
  return { fields, token: /^(?:bearer|dpop) +(\S+)\s*$/i.exec(only)?.[1] };
}

/** The header fields of a request with its proof, if it has one. */
export function withProof({ fields }: RequestFields, proof: string | undefined): string[] {
  return proof === undefined ? [...fields] : [...fields, PROOF_FIELD, proof];
}
