/** What reaches the introspection endpoint from another process; plain data. */
export interface IntrospectionHandle {
  /** The endpoint for the target, `https://127.0.0.1:port/introspect`. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where scenarios register tokens; protected by the secret. */
  readonly registrationUrl: string;
  readonly registrationSecret: string;
}

/** A response of RFC 7662 §2.2, right or wrong: it is sent as it is. */
export type IntrospectionResponse = Readonly<Record<string, unknown>>;

export interface IntrospectionRegistry {
  /** From now on the endpoint answers this for the token. Registering again replaces the response. */
  register(token: string, response: IntrospectionResponse): Promise<void>;
  /** How often the endpoint has been asked about the token with the right credentials. */
  requests(token: string): Promise<number>;
}

const TIMEOUT_MS = 5000;

/** The registry of a running introspection endpoint, from this process or another. */
export function introspectionRegistry(handle: IntrospectionHandle): IntrospectionRegistry {
  const call = async (path: string, message: object): Promise<unknown> => {
    const response = await fetch(new URL(path, handle.registrationUrl), {
      method: 'POST',
      headers: { Authorization: `Bearer ${handle.registrationSecret}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body: unknown = await response.json();
    if (!response.ok)
      throw new Error(
        `the suite's introspection registry answered ${response.status}: ${JSON.stringify(body)}`,
      );
    return body;
  };
  return {
    async register(token, response) {
      await call('register', { token, response });
    },
    async requests(token) {
      const body = (await call('requests', { token })) as { readonly requests: number };
      return body.requests;
    },
  };
}
