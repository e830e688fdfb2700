import { readJwt } from '../forge/read.ts';
import type { Exchange, Play } from './play.ts';
import type { RequestPlan } from './request.ts';
import { isToken } from './request.ts';
import { isRecord } from './wording.ts';

/** A younger proof, in seconds, is not suspected of having left the window of iat. */
const YOUNG = 1;

/**
 * Whether a proof that is sent once more is rejected for its age alone: another token with a proof of the same `iat` is
 * rejected too, and one with a proof made now is served. A server may verify a proof each time, and its window may be
 * as short as it likes (AMB-13, AMB-14): on a slow machine a scenario outlasts it.
 */
export async function hasLeftWindow(play: Play, plan: RequestPlan, refused: Exchange): Promise<boolean> {
  const iat = issuedAt(plan);
  if (iat === undefined || refused.reading.kind !== 'refused') return false;
  if (Date.now() / 1000 - iat < YOUNG) return false;
  const way = refused.connection.open ? { on: refused.connection } : {};
  const asOld = await play.send(
    'another token with a proof of the same age',
    { proof: { claims: { iat } } },
    way,
  );
  if (asOld.served || asOld.reading.kind !== 'refused') return false;
  return (await play.send('another token with a proof made now', {}, asOld.connection.open ? way : {}))
    .served;
}

/** The `iat` of a proof that the plan gives as it is, for a token that it gives as it is. */
function issuedAt({ token, proof }: RequestPlan): number | undefined {
  const [only, ...more] = typeof proof === 'string' ? [proof] : Array.isArray(proof) ? proof : [];
  if (only === undefined || more.length > 0 || !isToken(token)) return undefined;
  const { claims } = readJwt(only);
  return isRecord(claims) && typeof claims['iat'] === 'number' && claims['jti'] === undefined
    ? claims['iat']
    : undefined;
}
