import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

interface Entry {
  readonly payload: AdapterPayload;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly expiresAt: number;
}

/** How many entries there may be before expired ones are looked for. */
const SWEEP = 1000;

/**
 * Keeps what the provider stores, in memory and for one server: tokens that are looked up, grants, registered clients.
 *
 * @returns a factory of views on one store, a view for each kind of thing
 */
export function createMemoryAdapter(): AdapterFactory {
  const entries = new Map<string, Entry>();

  function live(key: string): AdapterPayload | undefined {
    const entry = entries.get(key);
    if (entry === undefined || entry.expiresAt > Date.now()) return entry?.payload;
    entries.delete(key);
    return undefined;
  }

  function firstOf(kind: string, matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    const [key] =
      [...entries].find(([key, { payload }]) => key.startsWith(`${kind}:`) && matches(payload)) ?? [];
    return key === undefined ? undefined : live(key);
  }

  return (kind): Adapter => {
    const keyOf = (id: string) => `${kind}:${id}`;
    return {
      async upsert(id, payload, expiresIn) {
        if (entries.size >= SWEEP) for (const key of entries.keys()) live(key);
        const expiresAt = expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1000;
        entries.set(keyOf(id), { payload, expiresAt });
      },
      find: async (id) => live(keyOf(id)),
      findByUid: async (uid) => firstOf(kind, (payload) => payload.uid === uid),
      findByUserCode: async (code) => firstOf(kind, (payload) => payload.userCode === code),
      async consume(id) {
        const payload = live(keyOf(id));
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void entries.delete(keyOf(id)),
      async revokeByGrantId(grantId) {
        for (const [key, { payload }] of entries) if (payload.grantId === grantId) entries.delete(key);
      },
    };
  };
}
