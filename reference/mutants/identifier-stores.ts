import { createIdentifierStore, type IdentifierStore } from '../resource-server/identifiers.ts';

/** A store that keeps something made from each identifier; `undefined`: nothing of it. */
export function keeping(keyOf: (jti: string) => string | undefined): () => IdentifierStore {
  return () => {
    const store = createIdentifierStore();
    return {
      claim(tokenHash, jti, expiresAt, now) {
        const key = keyOf(jti);
        return key === undefined || store.claim(tokenHash, key, expiresAt, now);
      },
    };
  };
}

/** A store that forgets an identifier at a certain moment, in seconds. */
export function forgetting(
  at: (now: number, expiresAt: number | undefined) => number,
): () => IdentifierStore {
  return () => {
    const until = new Map<string, number>();
    return {
      claim(tokenHash, jti, expiresAt, now) {
        const key = `${tokenHash} ${jti}`;
        if (now < (until.get(key) ?? 0)) return false;
        until.set(key, at(now, expiresAt));
        return true;
      },
    };
  };
}

/** A store whose entries are members of an object that has some already. */
export function inPlainObject(): IdentifierStore {
  const tokens = new Map<string, Record<string, unknown>>();
  return {
    claim(tokenHash, jti) {
      let seen = tokens.get(tokenHash);
      if (seen === undefined) tokens.set(tokenHash, (seen = {}));
      // The prototype is what `__proto__` names, and it does not become true.
      const known = jti === '__proto__' ? false : jti in seen;
      if (known) return false;
      seen[jti] = true;
      return true;
    },
  };
}

/** A store with room for a few identifiers of each token, of which the oldest has to go. */
export function evicting(room: number): () => IdentifierStore {
  return () => {
    const tokens = new Map<string, Set<string>>();
    return {
      claim(tokenHash, jti) {
        const seen = tokens.get(tokenHash) ?? new Set<string>();
        tokens.set(tokenHash, seen);
        if (seen.has(jti)) return false;
        seen.add(jti);
        const [oldest] = seen;
        if (seen.size > room && oldest !== undefined) seen.delete(oldest);
        return true;
      },
    };
  };
}

/** A store that looks an identifier up as a search pattern. */
export function patternMatching(): IdentifierStore {
  const seen = new Map<string, string[]>();
  return {
    claim(tokenHash, jti) {
      const known = seen.get(tokenHash) ?? [];
      seen.set(tokenHash, known);
      const pattern = jti.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`).replaceAll('%', '.*');
      if (known.some((one) => new RegExp(`^${pattern}$`, 's').test(one))) return false;
      known.push(jti);
      return true;
    },
  };
}

/** Java's hash of strings. */
export function shortHash(text: string): string {
  return String(text.split('').reduce((sum, letter) => (31 * sum + letter.charCodeAt(0)) | 0, 0));
}
