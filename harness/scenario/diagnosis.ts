import { WRONG_DERIVATIONS } from '../wire/wrong-derivations.ts';
import { WRONG_TOKEN_HASHES } from '../forge/wrong-token-hashes.ts';
import type { ProofPlan } from './request.ts';
import type { Play } from './play.ts';

interface Suspicion {
  readonly what: string;
  readonly cure: string;
  readonly proof: ProofPlan;
}

/**
 * Finds out what a target takes that refuses the right request: tries the known wrong derivations of the
 * exporter value, the token hash, the time and the thumbprint one by one, each on its own with all else right.
 *
 * @returns the mistake and its cure in words, or `null` when none of the known ones is served
 */
export async function diagnose(play: Play): Promise<string | null> {
  const connection = await play.connect();
  const previous = await play.connect();
  const token = await play.mint();
  const circumstances = {
    token: token.compact,
    host: play.setting.target.hostname,
    thumbprint: play.alice.thumbprint,
    previous,
  };
  const suspicions: Suspicion[] = [
    ...WRONG_DERIVATIONS.filter((derivation) => derivation.applies(connection, circumstances)).map(
      (derivation) => ({
        what: `ekm as ${derivation.label}`,
        cure: derivation.cure,
        proof: { claims: { ekm: derivation.value(connection, circumstances) } },
      }),
    ),
    ...WRONG_TOKEN_HASHES.map((hash) => ({
      what: `ath as ${hash.label}`,
      cure: hash.cure,
      proof: { claims: { ath: hash.value(token.compact) } },
    })),
    {
      what: 'iat in milliseconds',
      cure: 'Read iat in seconds since the epoch (NumericDate, RFC 7519 §2).',
      proof: { claims: { iat: Date.now() } },
    },
    {
      what: 'typ "JWT"',
      cure: 'Expect the type tls-binding-proof+jwt (draft -06 §2.3.1).',
      proof: { header: { typ: 'JWT' } },
    },
    {
      what: 'typ "dpop+jwt"',
      cure: 'Expect the type tls-binding-proof+jwt (draft -06 §2.3.1).',
      proof: { header: { typ: 'dpop+jwt' } },
    },
    {
      what: 'no x5t#S256 in the header',
      cure: 'Allow the header member x5t#S256, which the draft requires (draft -06 §2.3.1).',
      proof: { header: { 'x5t#S256': undefined } },
    },
    {
      what: 'jti, htm and htu demanded',
      cure: 'Take proofs without per-request claims: they are optional (draft -06 §2.3.2.2).',
      proof: { claims: play.perRequest() },
    },
  ];
  for (const { what, cure, proof } of suspicions) {
    const on = connection.open ? connection : await play.connect();
    const exchange = await play.send(`a proof with ${what}`, { token, proof }, { on }, 'diagnosis');
    if (exchange.served) return `The target serves a proof with ${what}. ${cure}`;
    if (exchange.reading.kind === 'no-answer') return null;
  }
  return null;
}
