import { ConnectFailure } from '../wire/connection.ts';
import { diagnose } from './diagnosis.ts';
import { findGrossMistakes } from './gross-mistakes.ts';
import type { GrossMistake } from './gross-mistakes.ts';
import { reasonOf, Unjudgeable } from './finding.ts';
import { permutationText } from './permutation.ts';
import type { Permutation } from './record.ts';
import type { Setting } from './setting.ts';
import { Play } from './play.ts';
import type { Exchange } from './play.ts';
import type { RequestPlan } from './request.ts';

/** What has to be known of a target before right requests can be made under a permutation. */
export interface Preparation {
  /** Which of the two forms of the exporter the target uses on TLS 1.2 (ambiguity AMB-01). Equal on TLS 1.3. */
  readonly exporterForm: 'zero-length' | 'absent';
  /** The JWS algorithm for this key type that the target takes; `undefined`: the natural one. */
  readonly algorithm: string | undefined;
  /** The form of `htu` that the target takes (ambiguity AMB-26). */
  readonly htu: 'absolute' | 'path';
  /** Whether a connection stays open after a response. */
  readonly persistent: boolean;
}

/** What is taken for granted until the target shows otherwise: the draft's literal reading. */
export const LITERAL: Preparation = {
  exporterForm: 'zero-length',
  algorithm: undefined,
  htu: 'absolute',
  persistent: true,
};

/** Wrong in every respect, so that no single mistake is enough to have it served. */
const NOTHING_VALID: RequestPlan = {
  token: null,
  fields: [['Authorization', 'Bearer eyJhbGciOiJFUzI1NiJ9.e30.AAAA']],
  proof: 'not.a.proof',
};

/** The JWS algorithms that belong to each key type (RFC 7518 §3, RFC 8037, RFC 9864), the commonest first. */
const ALGORITHMS: Readonly<Record<Permutation['key'], readonly (string | undefined)[]>> = {
  'P-256': [undefined],
  'P-384': [undefined],
  'P-521': [undefined],
  RSA: ['RS256', 'PS256'],
  Ed25519: ['EdDSA', 'Ed25519'],
};

/** Finds out, once per permutation, how the right request looks for this target. */
export class Preparations {
  readonly #setting: Setting;
  readonly #found = new Map<string, Promise<Preparation | Unjudgeable>>();
  readonly #gross = new Map<string, Promise<readonly GrossMistake[]>>();
  readonly #indiscriminate = new Map<string, Promise<boolean>>();

  /** Whether a valid request was served under some permutation. */
  servedSome = false;
  /** Whether a connection ended before anything was answered on it. */
  unanswered = false;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** The preparation, or why no scenario can be judged under this permutation. */
  for(permutation: Permutation): Promise<Preparation | Unjudgeable> {
    const key = permutationText(permutation);
    let found = this.#found.get(key);
    if (found === undefined) {
      found = prepare(this.#setting, permutation, this)
        .catch(reasonOf)
        .then((preparation) => {
          if (!(preparation instanceof Unjudgeable)) this.servedSome = true;
          return preparation;
        });
      this.#found.set(key, found);
    }
    return found;
  }

  /** The checks that the target lacks altogether; asked for when something was served that must not be. */
  grossMistakes(permutation: Permutation, preparation: Preparation): Promise<readonly GrossMistake[]> {
    const key = permutationText(permutation);
    let found = this.#gross.get(key);
    if (found === undefined) {
      found = withPlay(this.#setting, permutation, preparation, findGrossMistakes).catch(() => []);
      this.#gross.set(key, found);
    }
    return found;
  }

  /**
   * Whether the target serves even a request in which nothing is valid: then that it serves a valid one shows nothing.
   * Asked once per permutation, and only when a verdict depends on it.
   */
  servesAnything(permutation: Permutation): Promise<boolean> {
    const key = permutationText(permutation);
    let found = this.#indiscriminate.get(key);
    if (found === undefined) {
      found = withPlay(this.#setting, permutation, LITERAL, async (play) => {
        const { served } = await play.send('a request in which nothing is valid', NOTHING_VALID);
        return served;
      }).catch(() => false);
      this.#indiscriminate.set(key, found);
    }
    return found;
  }
}

async function prepare(
  setting: Setting,
  permutation: Permutation,
  seen: { unanswered: boolean },
): Promise<Preparation | Unjudgeable> {
  const forms: readonly Preparation['exporterForm'][] =
    permutation.tls === 'TLSv1.2' ? ['zero-length', 'absent'] : ['zero-length'];
  let refusal = '';
  for (const exporterForm of forms) {
    for (const algorithm of ALGORITHMS[permutation.key]) {
      const candidate: Preparation = { ...LITERAL, exporterForm, algorithm };
      const tried = await tryCandidate(setting, permutation, candidate, seen);
      if (typeof tried !== 'string') return tried;
      refusal = tried;
    }
  }
  if (permutation.key !== 'P-256') {
    return new Unjudgeable(
      'not-applicable',
      'target',
      `the target takes no JWS algorithm for ${permutation.key} keys (${refusal}); the draft names none as mandatory, see RS-HDR-4`,
    );
  }
  const cause = await withPlay(setting, permutation, LITERAL, diagnose);
  return new Unjudgeable(
    'inconclusive',
    'target',
    `the right request is not served (${refusal}), so no refusal would prove anything; see RS-EKM-1, RS-EKM-4 and RS-TLS-1`,
    cause,
  );
}

async function tryCandidate(
  setting: Setting,
  permutation: Permutation,
  candidate: Preparation,
  seen: { unanswered: boolean },
): Promise<Preparation | Unjudgeable | string> {
  try {
    return await withPlay(setting, permutation, candidate, async (play) => {
      const first = await play.send('the right request');
      if (play.unanswered) seen.unanswered = true;
      if (first.reading.kind === 'cut' && permutation.key !== 'P-256') {
        return new Unjudgeable(
          'not-applicable',
          'target',
          `the target does not let a client with a ${permutation.key} certificate in (${first.reading.text})`,
        );
      }
      if (!first.served) return unserved(first, permutation);
      const { connection } = first;
      // Answered is enough: whether a second token is served on a connection is for RS-MUX-1 to judge.
      const second = connection.open
        ? (await play.send('the right request once more', {}, { on: connection })).reading.kind
        : 'cut';
      const persistent = second === 'served' || second === 'refused' || (await keepsForOneToken(play));
      const { htu } = play.perRequest();
      const absolute = await play.send('the right request with htu', { proof: { claims: { htu } } });
      if (absolute.served) return { ...candidate, persistent };
      const path = await play.send('the right request with htu as a path', {
        proof: { claims: { htu: setting.target.protectedPath } },
      });
      return { ...candidate, persistent, htu: path.served ? 'path' : 'absolute' };
    });
  } catch (error) {
    if (!(error instanceof ConnectFailure)) throw error;
    const { kind, detail } = error.outcome;
    if (kind === 'closed' || kind === 'reset') seen.unanswered = true;
    if (permutation.key !== 'P-256' && (kind === 'tls-alert' || kind === 'closed' || kind === 'reset')) {
      return new Unjudgeable(
        'not-applicable',
        'target',
        `the target does not let a client with a ${permutation.key} certificate in (${detail})`,
      );
    }
    return new Unjudgeable(
      'inconclusive',
      kind === 'refused' ? 'environment' : 'target',
      `no ${permutation.tls} connection with ${permutation.http} can be made: ${detail}${kind === 'refused' || kind === 'timeout' ? '' : '; see RS-TLS-1'}`,
    );
  }
}

/** Whether a connection goes on for its first token, where it was ended at the second: that is for RS-MUX-1 to judge. */
async function keepsForOneToken(play: Play): Promise<boolean> {
  const connection = await play.connect();
  const token = await play.mint();
  const plan = { token, proof: play.proof(connection, token) };
  const way = { on: connection };
  await play.send('the right request on another connection', plan, way);
  return connection.open && (await play.send('the same token once more', plan, way)).served;
}

/** What came of a right request that was not served, or that it was no right one, as the client could not present its certificate. */
function unserved({ reading, connection }: Exchange, { key }: Permutation): Unjudgeable | string {
  const { certificateWithheld: withheld } = connection.facts;
  if (withheld === undefined) return reading.text;
  const told = `the client did not present its certificate: ${withheld}`;
  // P-256 is for every server to know (RFC 8446 §9.1); what comes of its certificate is never passed over.
  return key === 'P-256'
    ? `${reading.text}; ${told}`
    : new Unjudgeable('not-applicable', 'target', `${told}; the draft names no key type as mandatory`);
}

async function withPlay<T>(
  setting: Setting,
  permutation: Permutation,
  preparation: Preparation,
  use: (play: Play) => Promise<T>,
): Promise<T> {
  await using play = new Play(setting, permutation, preparation);
  return await use(play);
}
