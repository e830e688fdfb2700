import type { Dispatcher } from 'undici';
import { PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';

/** What a caller's header fields come down to. */
export interface RequestFields {
  /** Names and values in turn, without any proof that the caller put there and without Host. */
  readonly fields: readonly string[];
  /** The bearer token among them. */
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
 * Takes a caller's header fields apart. A Session-Binding-Proof of the caller's is dropped: proofs are
 * made here and nowhere else. Host is dropped too, since the origin says where a request goes.
 */
export function readFields(headers: Headers): RequestFields {
  const fields: string[] = [];
  let token: string | undefined;
  for (const [name, value] of pairsOf(headers)) {
    const lower = name.toLowerCase();
    if (lower === PROOF_FIELD_LOWER || lower === 'host') continue;
    if (lower === 'authorization') token = /^bearer +(\S+)\s*$/i.exec(value)?.[1] ?? token;
    fields.push(name, value);
  }
  return { fields, token };
}
