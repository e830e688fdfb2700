import type { Pki } from '../../certs/pki.ts';
import type { TokenIssuer } from '../../certs/token-issuer.ts';
import type { IntrospectionHandle } from '../counterpart/introspection-registry.ts';
import type { Identity } from '../../certs/identity.ts';
import type { Permutation, ResultRecord } from '../scenario/record.ts';
import type { Registry } from '../scenario/authorization-server/registered-clients.ts';
import type { Manifest } from '../target/manifest.ts';
import type { Vantage } from '../target/vantage.ts';

/** One thing to do: a scenario under a permutation. */
export interface Case {
  readonly scenario: string;
  readonly permutation: Permutation;
}

interface CommonPlan {
  readonly profile: 'core' | 'full';
  readonly strict: boolean;
  readonly pki: Pki;
  readonly issuer: TokenIssuer;
  /** Where the target sees the suite's servers. */
  readonly vantage: Vantage;
  readonly cases: readonly Case[];
  /** Scenario id → reason why it fails today. */
  readonly knownFailures: Readonly<Record<string, string>>;
  /** How long a response may take on a machine that is not busy. */
  readonly patienceMs: number;
}

/** What is needed to play cases on a resource server that runs. */
export interface ServerPlan extends CommonPlan {
  readonly role: 'resource-server';
  readonly target: {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly hostname: string;
    readonly capabilities: readonly string[];
    readonly protectedPath: string;
    readonly identityFields?: readonly string[];
    readonly serverAuthorities: string | null;
  };
  readonly introspection: IntrospectionHandle | null;
  /** Set where the target does not trust the suite's issuer: the one certificate and token that it takes. */
  readonly credentials: { readonly identity: Identity; readonly accessToken: string } | null;
}

/** What is needed to play cases on a client, which is started where they are played: it calls a server there. */
export interface ClientPlan extends CommonPlan {
  readonly role: 'client';
  readonly target: { readonly name: string; readonly capabilities: readonly string[] };
  readonly manifest: Manifest;
}

/** What is needed to play cases on an intermediary, which is started where they are played: it calls servers there. */
export interface IntermediaryPlan extends CommonPlan {
  readonly role: 'intermediary';
  readonly target: { readonly name: string; readonly capabilities: readonly string[] };
  readonly manifest: Manifest;
}

/** What is needed to play cases on an authorization server that runs. */
export interface AuthorizationServerPlan extends CommonPlan {
  readonly role: 'authorization-server';
  readonly target: Omit<ServerPlan['target'], 'protectedPath' | 'identityFields'>;
  readonly issuerIdentifier: string;
  readonly registry: Registry;
}

/** What a vitest project needs to play its cases on one target; plain data, handed to the workers. */
export type Plan = ServerPlan | ClientPlan | IntermediaryPlan | AuthorizationServerPlan;

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
