import { expect, test } from 'vitest';
import { WRONG_TOKEN_HASHES } from '../forge/wrong-token-hashes.ts';
import { WRONG_DERIVATIONS } from '../wire/wrong-derivations.ts';
import { diagnose } from './diagnosis.ts';
import { CORE } from './permutation.ts';
import { Play } from './play.ts';
import { LITERAL } from './preparation.ts';
import { challenged, correct, failure, onPaper, PaperConnection, pki, response } from './target.fixture.ts';
import type { Answer, Seen } from './target.fixture.ts';

async function diagnosed(answer: Answer) {
  const { setting, opened } = onPaper({ answer });
  const play = new Play(setting, CORE, LITERAL);
  return { cause: await diagnose(play), evidence: play.evidence.close(), opened };
}

/** A target that serves this and nothing else. */
function serving(condition: (seen: Seen) => boolean): Answer {
  return (seen) => (condition(seen) ? response(200) : challenged('invalid_proof'));
}

test.each(['hex', 'context-token', 'context-host', 'context-thumbprint', 'other-connection'])(
  'a target that takes the wrong derivation %s for ekm is found out',
  async (id) => {
    const derivation = WRONG_DERIVATIONS.find((each) => each.id === id);
    const { cause } = await diagnosed(
      serving(({ claims, connection, token = '' }) => {
        const previous = new PaperConnection(connection.options, 'c2', correct);
        const host = 'rs.tsbt.test';
        const { thumbprint } = pki.alice['P-256'];
        return claims['ekm'] === derivation?.value(connection, { token, host, thumbprint, previous });
      }),
    );
    expect(cause).toBe(`The target serves a proof with ekm as ${derivation?.label}. ${derivation?.cure}`);
  },
);

test('each known token hash that the target takes is found out', async () => {
  for (const { label, cure, ...hash } of WRONG_TOKEN_HASHES) {
    const { cause } = await diagnosed(
      serving(({ claims, token = '' }) => claims['ath'] === hash.value(token)),
    );
    expect(cause).toBe(`The target serves a proof with ath as ${label}. ${cure}`);
  }
});

test.each<[string, (seen: Seen) => boolean]>([
  [
    'iat in milliseconds. Read iat in seconds since the epoch (NumericDate, RFC 7519 §2).',
    ({ claims }) => Number(claims['iat']) > 1e12,
  ],
  [
    'typ "JWT". Expect the type tls-binding-proof+jwt (draft -06 §2.3.1).',
    ({ header }) => header['typ'] === 'JWT',
  ],
  [
    'typ "dpop+jwt". Expect the type tls-binding-proof+jwt (draft -06 §2.3.1).',
    ({ header }) => header['typ'] === 'dpop+jwt',
  ],
  [
    'no x5t#S256 in the header. Allow the header member x5t#S256, which the draft requires (draft -06 §2.3.1).',
    ({ header }) => header['alg'] === 'ES256' && !('x5t#S256' in header),
  ],
  [
    'jti, htm and htu demanded. Take proofs without per-request claims: they are optional (draft -06 §2.3.2.2).',
    ({ claims }) => ['jti', 'htm', 'htu'].every((name) => typeof claims[name] === 'string'),
  ],
])('a target that serves %s', async (text, condition) => {
  const { cause, evidence } = await diagnosed(serving(condition));
  expect(cause).toBe(`The target serves a proof with ${text}`);
  expect(evidence.exchanges.at(-1)).toMatchObject({
    part: 'diagnosis',
    what: `a proof with ${text.split('. ')[0]}`,
    observed: '200',
  });
});

test('a target that serves nothing known is left without a diagnosis', async () => {
  const { cause, opened } = await diagnosed(() => challenged('invalid_proof'));
  expect(cause).toBeNull();
  // Those three cannot be made here: this is TLS 1.3, and without session ID.
  const impossible = ['context-absent', 'tls-unique', 'session-id'];
  const derivations = WRONG_DERIVATIONS.filter(({ id }) => !impossible.includes(id));
  expect(opened[0]?.requests).toHaveLength(derivations.length + WRONG_TOKEN_HASHES.length + 5);
  expect(opened).toHaveLength(2);
});

test('one token is tried with every suspicion', async () => {
  const tokens = new Set<string | undefined>();
  await diagnosed(({ token }) => {
    tokens.add(token);
    return challenged('invalid_proof');
  });
  expect(tokens.size).toBe(1);
});

test('a target that goes silent is not tried any further', async () => {
  const { cause, opened } = await diagnosed(() => failure('timeout'));
  expect(cause).toBeNull();
  expect(opened[0]?.requests).toHaveLength(1);
});

test('where the target ends its connections, each suspicion has one of its own', async () => {
  const { cause, opened } = await diagnosed((seen) => {
    seen.connection.open = false;
    return seen.header['typ'] === 'JWT' ? response(200) : challenged('invalid_proof');
  });
  expect(cause).toMatch(/typ "JWT"/);
  expect(opened.length).toBeGreaterThan(10);
  expect(Math.max(...opened.map(({ requests }) => requests.length))).toBe(1);
});
