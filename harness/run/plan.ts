import type { Pki } from '../../certs/pki.ts';
import type { TokenIssuer } from '../../certs/token-issuer.ts';
import type { IntrospectionHandle } from '../counterpart/introspection-registry.ts';
import type { Identity } from '../../certs/identity.ts';
import type { Permutation, ResultRecord, Role } from '../scenario/record.ts';

/** One thing to do: a scenario under a permutation. */
export interface Case {
  readonly scenario: string;
  readonly permutation: Permutation;
}

/** What a vitest project needs to play its cases on one target; plain data, handed to the workers. */
export interface Plan {
  readonly target: {
    readonly name: string;
    readonly role: Role;
    readonly host: string;
    readonly port: number;
    readonly hostname: string;
    readonly capabilities: readonly string[];
    readonly protectedPath: string;
    readonly serverAuthorities: string | null;
  };
  readonly profile: 'core' | 'full';
  readonly strict: boolean;
  readonly pki: Pki;
  readonly issuer: TokenIssuer;
  readonly introspection: IntrospectionHandle | null;
  /** Set where the target does not trust the suite's issuer: the one certificate and token that it takes. */
  readonly credentials: { readonly identity: Identity; readonly accessToken: string } | null;
  readonly cases: readonly Case[];
  /** Scenario id → reason why it fails today. */
  readonly knownFailures: Readonly<Record<string, string>>;
  readonly patienceMs: number;
}

declare module 'vitest' {
  interface ProvidedContext {
    plan: Plan;
  }
  interface TaskMeta {
    /** What a conformance test leaves behind. */
    record?: ResultRecord;
    /** Traffic since the worker's previous record. */
    traffic?: { readonly handshakes: number; readonly requests: number };
  }
}
