import { randomBytes } from 'node:crypto';
import type { Token } from '../../harness/forge/token.ts';
import { tokenOf } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { subjectIn } from './concurrency.ts';

/** draft -06 §3.4, RFC 7662 §4: what was learned of one opaque token is learned of no other. */

const ROUGH_KEY =
  'What introspection said is stored under a part of the token, or under the token in another form, so that it is found for others. Key it by the whole token or its SHA-256.';

/** Tokens that differ in one place; the first of them is said to be active, the other is unknown to the issuer. */
interface AlikeTokens {
  readonly what: string;
  readonly pair: (id: string) => readonly [active: string, inactive: string];
  readonly fullOnly?: boolean;
}

const ALIKE: readonly AlikeTokens[] = [
  { what: 'in its last character', pair: (id) => [`${id}A`, `${id}B`] },
  { what: 'in its first character', pair: (id) => [`A${id}`, `B${id}`] },
  { what: 'in the case of its last letter', pair: (id) => [`${id}a`, `${id}A`] },
  { what: 'in the base64 alphabet', pair: (id) => [`${id}-_`, `${id}+/`] },
  { what: 'in padding', pair: (id) => [id, `${id}=`], fullOnly: true },
  { what: 'in the middle', pair: (id) => [`${id}A${id}`, `${id}B${id}`], fullOnly: true },
];

/** Long enough for a key that is cut off to be cut off before the end. */
function randomId(): string {
  return randomBytes(96).toString('hex');
}

export const alikeTokens = suite('resource-server', 'alike-tokens', [
  {
    id: 'RS-INT-3.alike',
    title: 'rejects an unknown opaque token that differs in one character from a valid one',
    capabilities: ['introspection'],
    cause: ROUGH_KEY,
    async run(stage) {
      for (const { what, pair, fullOnly = false } of ALIKE) {
        if (fullOnly && !stage.full) continue;
        const [active, inactive] = pair(randomId());
        const token = await stage.mint({ opaque: active });
        const control = await stage.control('an opaque token', { token });
        await stage.control('the same token again', { token });
        await stage.refusesOne(
          refused('invalid_token'),
          {
            what: `a token that is not active and differs ${what} from one that is`,
            change: { token: tokenOf(inactive, {}) },
            differs: ['token'],
          },
          control,
        );
        await stage.accepts('the valid token once more', { token }, {}, ROUGH_KEY);
      }
    },
  },
  {
    id: 'RS-INT-3.alike-valid',
    title:
      'serves a valid opaque token that differs in one character from a rejected one, and as its own subject',
    capabilities: ['introspection'],
    cause: { rejected: ROUGH_KEY, statement: ROUGH_KEY },
    async run(stage) {
      await stage.control('an opaque token', { token: { opaque: true } });
      for (const { what, pair, fullOnly = false } of ALIKE) {
        if (fullOnly && !stage.full) continue;
        const [second, first] = pair(randomId());
        await stage.send(
          'a token that is not active',
          { token: tokenOf(first, {}) },
          {},
          'request',
          'refused',
        );
        await servedAs(stage, `a token that differs ${what} from a rejected one`, second, 'alice');
      }
      if (!stage.setting.target.capabilities.has('echo')) return;
      for (const { what, pair, fullOnly = false } of ALIKE) {
        if (fullOnly && !stage.full) continue;
        const [one, other] = pair(randomId());
        await servedAs(stage, 'an opaque token of the first subject', one, 'alice');
        await servedAs(stage, `one of another subject that differs ${what}`, other, 'bob');
      }
    },
  },
]);

/** Judged: an active token is served, and as its own subject where that can be seen. */
async function servedAs(stage: Stage, what: string, opaque: string, subject: string): Promise<void> {
  const token: Token = await stage.mint({ opaque, subject });
  const exchange = await stage.accepts(what, { token });
  if (!exchange.served || !stage.setting.target.capabilities.has('echo')) return;
  const found = subjectIn(exchange);
  stage.holds(
    found === subject,
    `${what}: served as ${JSON.stringify(found)}, must be ${JSON.stringify(subject)}`,
  );
}
