import { brokenResponsesMutants } from './broken-responses.ts';
import { challengesMutants } from './challenges.ts';
import { claimsMutants } from './claims.ts';
import { connectionsMutants } from './connections.ts';
import { dpopMutants } from './dpop.ts';
import { earlyDataMutants } from './early-data.ts';
import { endlessMutants } from './endless.ts';
import { exporterMutants } from './exporter.ts';
import { joseMutants } from './jose.ts';
import type { ClientMutant } from './mutant.ts';
import { perRequestClaimsMutants } from './per-request-claims.ts';
import { presentationMutants } from './presentation.ts';
import { reusedConnectionsMutants } from './reused-connections.ts';
import { reuseMutants } from './reuse.ts';
import { retryLayerMutants } from './retry-layer.ts';
import { rotationMutants } from './rotation.ts';
import { sharedSessionsMutants } from './shared-sessions.ts';
import { trailersMutants } from './trailers.ts';
import { sidecarMutants } from './sidecar.ts';

/** Every mutant of the client. */
export const MUTANTS: readonly ClientMutant[] = [
  ...exporterMutants,
  ...sharedSessionsMutants,
  ...earlyDataMutants,
  ...joseMutants,
  ...claimsMutants,
  ...perRequestClaimsMutants,
  ...presentationMutants,
  ...reuseMutants,
  ...connectionsMutants,
  ...endlessMutants,
  ...reusedConnectionsMutants,
  ...retryLayerMutants,
  ...brokenResponsesMutants,
  ...challengesMutants,
  ...rotationMutants,
  ...sidecarMutants,
  ...trailersMutants,
  ...dpopMutants,
];
