import { BoundedMap } from '../memory/bounded-map.ts';

/** Remembers which proof was verified for which token on which connection. */
export interface BindingCache {
  /** @returns the proof that was verified last for this token on this connection */
  get(connection: object, tokenHash: string): string | undefined;
  set(connection: object, tokenHash: string, proof: string): void;
}

/**
 * The verified bindings of all connections. The key is the connection object itself, held weakly: an
 * entry cannot outlive its connection, and no later connection can find it, whatever its
 * address or session. Within a connection the key is the whole token hash.
 *
 * @param limit most bindings kept for one connection; beyond it the oldest is verified anew
 *
 * Source: draft -06 §3.3.2, closing paragraphs.
 */
export function createBindingCache(limit = 1024): BindingCache {
  const connections = new WeakMap<object, BoundedMap<string, string>>();
  return {
    get: (connection, tokenHash) => connections.get(connection)?.get(tokenHash),
    set(connection, tokenHash, proof) {
      let bindings = connections.get(connection);
      if (bindings === undefined) connections.set(connection, (bindings = new BoundedMap(limit)));
      bindings.set(tokenHash, proof);
    },
  };
}
