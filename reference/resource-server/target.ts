import type { SecureServerOptions } from 'node:http2';
import type { Server as NetServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createApplication, isUnder, pathOf, SCOPED_PATH_SCOPE } from './application.ts';
import { createIntrospection, type Introspection } from './introspection.ts';
import { createJwtValidator, isJwt, type JwtTokenOptions } from './jwt-tokens.ts';
import { explained } from './unusable-settings.ts';
import type { ResourceServerParts } from './parts.ts';
import { answer, protect, type RequestListener } from './protect.ts';
import type { Refusal } from './refusal.ts';
import { discardBody } from './request-body.ts';
import { createServer, listen, tlsOptionsFor, type TlsMaterial } from './server.ts';
import { type Environment, readSettings, type Settings } from './settings.ts';
import type { TokenValidator } from './token.ts';

/** Every path under this one is protected. */
export const PROTECTED_PATH = '/resource';

/** What a variant of the target is put together from instead of the defaults. */
export interface TargetVariant {
  readonly parts?: (
    defaults: Pick<ResourceServerParts, 'validateToken'> & {
      /** Asks the issuer about any token at all, where it offers introspection. */
      readonly introspect?: TokenValidator;
      /** Whose JWT access tokens are valid here, and for whom. */
      readonly tokens: JwtTokenOptions;
    },
  ) => Partial<ResourceServerParts>;
  readonly tls?: (material: TlsMaterial) => SecureServerOptions;
  readonly acceptsConnection?: (socket: TLSSocket) => boolean;
  /** Stands in for the whole server beneath the protected resource. */
  readonly server?: (material: TlsMaterial, listener: RequestListener) => NetServer;
  /** Stands in for the router, which decides what reaches the protected resource. */
  readonly route?: (protectedResource: RequestListener) => RequestListener;
  /** Wraps the whole protected resource, challenge and all. */
  readonly listener?: (inner: RequestListener) => RequestListener;
}

export interface TargetOptions {
  readonly variant?: TargetVariant;
  /** Gets a line for each refusal, free of tokens and proofs. */
  readonly log?: (line: string) => void;
}

/** A target that runs. */
export interface RunningTarget {
  readonly port: number;
  close(): Promise<void>;
}

function described({ status, error, description, defect }: Refusal): string {
  const cause = defect === undefined ? '' : ` (${defect.code}, step ${defect.step})`;
  return `refused: ${status} ${error ?? 'no token'}: ${description}${cause}`;
}

/** JWTs are judged here; anything else is the issuer's to judge, where it offers introspection. */
function tokenValidator(settings: Settings, introspection: Introspection | undefined): TokenValidator {
  const validateJwt = createJwtValidator(settings);
  return (token, now) => (isJwt(token) ? validateJwt(token, now) : introspection?.validate(token, now));
}

function requiredScope(request: Parameters<ResourceServerParts['requiredScope']>[0]): string | undefined {
  return isUnder(pathOf(request), `${PROTECTED_PATH}/scoped`) ? SCOPED_PATH_SCOPE : undefined;
}

/** Every path under the protected one leads to the protected resource, and others to nothing. */
function route(protectedResource: RequestListener): RequestListener {
  return (request, response) => {
    if (isUnder(pathOf(request), PROTECTED_PATH)) {
      protectedResource(request, response);
      return;
    }
    answer(response, 404, 'there is nothing here');
    discardBody(request);
  };
}

/**
 * Starts the reference resource server as a target of the contract.
 *
 * @param environment the contract's variables, `TSBT_…`
 * @throws SettingsError for settings that are missing or unusable, and for an address that cannot be listened on
 */
export async function start(environment: Environment, options: TargetOptions = {}): Promise<RunningTarget> {
  const settings = readSettings(environment);
  const { variant } = options;
  const introspection =
    settings.introspection &&
    createIntrospection({
      ...settings.introspection,
      audience: settings.audience,
      issuer: settings.issuer,
    });
  const validateToken = tokenValidator(settings, introspection);
  const resource = protect(createApplication(PROTECTED_PATH), {
    validateToken,
    answersExpect: true,
    onRefusal: (refusal) => options.log?.(described(refusal)),
    parts: {
      requiredScope,
      ...variant?.parts?.({
        validateToken,
        tokens: settings,
        ...(introspection && { introspect: introspection.validate }),
      }),
    },
  });
  try {
    const listener = (variant?.route ?? route)(variant?.listener?.(resource) ?? resource);
    const server =
      variant?.server?.(settings.tls, listener) ??
      createServer({
        listener,
        tls: (variant?.tls ?? tlsOptionsFor)(settings.tls),
        ...(variant?.acceptsConnection && { acceptsConnection: variant.acceptsConnection }),
      });
    const running = await listen(server, settings.host, settings.port);
    return {
      port: running.port,
      async close() {
        await running.close();
        await introspection?.[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await introspection?.[Symbol.asyncDispose]();
    throw explained(error, settings);
  }
}
