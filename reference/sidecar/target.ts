import type { Dispatcher } from 'undici';
import { SessionBoundAgent, type SessionBoundAgentOptions } from '../client/agent.ts';
import type { ClientIdentity } from '../client/identity.ts';
import { listenForAgents } from './agent-side.ts';
import { createForwarder } from './forward.ts';
import { defaultSidecarParts, type SidecarParts } from './parts.ts';
import { type Environment, readIdentity, readSettings, type Settings } from './settings.ts';

/** What a variant is given to build its own way to the server with. */
export interface Surroundings {
  readonly settings: Settings;
  readonly identity: () => ClientIdentity;
  /** Aborted when the target is closed. */
  readonly closing: AbortSignal;
}

/** What a variant of the target is put together from instead of the defaults. */
export interface ClientVariant {
  readonly client?: Partial<Omit<SessionBoundAgentOptions, 'identity'>>;
  readonly sidecar?: Partial<SidecarParts>;
  /** Stands between the sidecar and the client. */
  readonly dispatcher?: (client: Dispatcher, surroundings: Surroundings) => Dispatcher;
}

export interface TargetOptions {
  readonly variant?: ClientVariant;
  /** Gets a line for each request, free of tokens and proofs. */
  readonly log?: (line: string) => void;
}

/** A target that runs. */
export interface RunningTarget {
  /** 0 on a Unix socket. */
  readonly port: number;
  /**
   * Reads certificate and key anew. Connections that are open keep what they presented; new ones present the new.
   *
   * @throws SettingsError where they are unusable; the old ones stay in use
   */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** How long the server may take for a response, in milliseconds. */
const RESPONSE_TIMEOUT = 60_000;

/**
 * Starts the reference sidecar as a target of the contract: plain HTTP for agents, and behind it the reference
 * client, which proves each bearer token for the mutually authenticated TLS connection it goes out on.
 *
 * Source: draft -06 Appendix B.
 *
 * @param environment the contract's variables, `TSBT_…`
 * @throws SettingsError for settings that are missing or unusable, and for an address that cannot be listened on
 */
export async function start(environment: Environment, options: TargetOptions = {}): Promise<RunningTarget> {
  const settings = readSettings(environment);
  const { variant, log } = options;
  let identity = readIdentity(environment);
  const client = new SessionBoundAgent({
    ...variant?.client,
    identity: () => identity,
    tls: { ca: settings.authorities, ...variant?.client?.tls },
    proofs: { claims: settings.claims, ...variant?.client?.proofs },
    ...(settings.dpopKey && { dpop: { key: settings.dpopKey } }),
  });
  const closing = new AbortController();
  const surroundings = { settings, identity: () => identity, closing: closing.signal };
  const dispatcher = variant?.dispatcher?.(client, surroundings) ?? client;
  const parts = { ...defaultSidecarParts, ...variant?.sidecar };
  const { listen, upstream } = settings;
  const address = 'host' in listen ? { ...listen, host: parts.hostFor(listen.host) } : listen;
  const agentSide = await listenForAgents(
    address,
    createForwarder({ dispatcher, upstream, parts, timeoutMs: RESPONSE_TIMEOUT, log }),
  );
  return {
    port: agentSide.port,
    async reload() {
      identity = readIdentity(environment);
    },
    async close() {
      closing.abort();
      await Promise.all([agentSide.close(), client.destroy()]);
    },
  };
}
