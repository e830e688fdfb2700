import { randomUUID } from 'node:crypto';
import { refused } from '../../harness/scenario/expectation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { inDpopProofs } from './dpop-identifiers.ts';
import { long, LENGTHS, PAIRS, SINGLE } from './identifier-table.ts';
import type { IdentifierPair, SingleIdentifier } from './identifier-table.ts';
import { inSessionProofs, ownTokens, Presenter } from './presented-identifiers.ts';
import type { Carrier } from './presented-identifiers.ts';

/** draft -06 §2.3.2.2, RFC 7519 §4.1.7, §7.3: identifiers are strings, compared whole and code point for code point. */

const ESCAPED =
  'Identifiers are taken from the text of the payload, so that another JSON spelling of the same string passes. Compare the parsed string (RFC 7519 §7.3).';

/** Judged: an identifier is good for one request, whatever string it is. */
async function onceOnly(
  stage: Stage,
  presenter: Presenter,
  { what, jti, ordinary, cause, second = false }: SingleIdentifier,
): Promise<void> {
  const first = (await presenter.once(what, [...(second ? [randomUUID()] : []), jti()])).at(-1);
  if (first === undefined) return;
  if (first.exchange.served) return presenter.refusesAgain(first, `${what}, for the second time`, cause);
  const { text } = first.exchange.reading;
  if (!ordinary)
    return stage.note(`${what} is rejected (${text}); a server may limit what it remembers (AMB-29)`);
  if (await presenter.forAllTokens())
    return stage.note(
      `${what} is rejected (${text}), and may have been used before: a jti is good for one token only`,
    );
  await presenter.stillServes();
  stage.unserved(
    `${what}, for the first time: must be served, was answered ${text}`,
    first.exchange.reading,
    cause,
  );
}

/** Judged: two different identifiers are both served. */
async function bothServed(
  stage: Stage,
  presenter: Presenter,
  { what, pair, cause }: IdentifierPair,
): Promise<void> {
  const [jti, other] = pair();
  const told = `a jti that differs from a used one ${what}`;
  const [first, second] = await presenter.once(told, [jti, other]);
  if (first?.exchange.served !== true)
    return stage.note(`not tried: ${told} (the first is rejected, ${first?.exchange.reading.text})`);
  if (second === undefined || second.exchange.served) return;
  // Rejected for what it is, or taken for the first? With a token that knows neither, only the former is left.
  const [alone] = await presenter.once(`the same jti alone, with another token`, [other]);
  if (alone?.exchange.served !== true)
    return stage.note(`not judged: ${told} is rejected on its own too (${alone?.exchange.reading.text})`);
  await presenter.stillServes();
  stage.unserved(
    `${told}: must be served, was answered ${second.exchange.reading.text}, though served alone`,
    second.exchange.reading,
    cause,
  );
}

/** Judged: the longest identifier that is served is not served again; in the full profile every length. */
async function longOnes(stage: Stage, presenter: Presenter): Promise<void> {
  for (const length of LENGTHS) {
    const { jti, cause } = long(length);
    const what = `a jti of ${length} characters`;
    const [first] = await presenter.once(what, [jti]);
    if (first?.exchange.served !== true) {
      stage.note(
        `${what} is rejected (${first?.exchange.reading.text}); a server may limit its length (AMB-29)`,
      );
      continue;
    }
    await presenter.refusesAgain(first, `${what}, for the second time`, cause);
    // Who stores nothing above some length does not store the longest.
    if (!stage.full) return;
  }
}

async function single(
  stage: Stage,
  carrier: Carrier,
  core: (row: SingleIdentifier) => boolean,
): Promise<void> {
  await ownTokens(stage);
  const presenter = new Presenter(stage, carrier);
  await presenter.remembersAny();
  for (const row of SINGLE) if (stage.full || core(row)) await onceOnly(stage, presenter, row);
  await longOnes(stage, presenter);
}

async function pairs(stage: Stage, carrier: Carrier, core: (row: IdentifierPair) => boolean): Promise<void> {
  await ownTokens(stage);
  const presenter = new Presenter(stage, carrier);
  await presenter.remembersAny();
  for (const row of PAIRS) if (stage.full || core(row)) await bothServed(stage, presenter, row);
}

const inCore = ({ fullOnly }: { readonly fullOnly?: boolean }): boolean => fullOnly !== true;

/** Where Session-Binding Proofs and DPoP proofs have the same kind of store, a part of the table tells as much. */
const TELLING = new Set(['the jti "constructor"', 'the jti "__proto__"', 'an empty jti']);
const TELLING_PAIRS = new Set(['in the case of its letters', 'in the last of 1024 characters']);

export const identifierComparison = suite('resource-server', 'identifier-comparison', [
  {
    id: 'RS-PL-7.single-use',
    title: 'accepts each jti once, whatever string it is and however long',
    async run(stage) {
      await single(stage, inSessionProofs(stage), inCore);
    },
  },
  {
    id: 'RS-PL-7.distinct',
    title: 'serves both of two proofs whose jti values differ in a single character',
    async run(stage) {
      await pairs(stage, inSessionProofs(stage), inCore);
    },
  },
  {
    id: 'RS-PL-7.escaped',
    title: 'recognizes a used jti in another JSON spelling',
    cause: ESCAPED,
    async run(stage) {
      await ownTokens(stage);
      const presenter = new Presenter(stage, inSessionProofs(stage));
      await presenter.remembersAny();
      const jti = `x${randomUUID()}`;
      const [first] = await presenter.once('a jti', [jti]);
      if (first?.exchange.served !== true)
        return stage.inconclusive('a proof with a fresh jti was not served', 'target');
      const escaped = (text: string): string => text.replace(`"${jti}"`, `"\\u0078${jti.slice(1)}"`);
      await stage.refusesOne(
        refused('invalid_proof'),
        {
          what: 'the same jti, its first letter written as \\u0078',
          on: first.exchange.connection.open ? first.exchange.connection : await stage.connect(),
          change: {
            token: first.token,
            proof: { claims: { ...stage.perRequest(), jti }, payloadText: escaped },
          },
          differs: ['proof.claims.jti', 'proof.claims'],
        },
        first.exchange,
      );
    },
  },
  {
    id: 'RS-DPOP-1.single-use',
    title: 'accepts the jti of a DPoP proof once, whatever string it is and however long',
    capabilities: ['dpop'],
    async run(stage) {
      await single(stage, await inDpopProofs(stage), ({ what }) => TELLING.has(what));
    },
  },
  {
    id: 'RS-DPOP-1.distinct',
    title: 'serves both of two DPoP proofs whose jti values differ in a single character',
    capabilities: ['dpop'],
    async run(stage) {
      await pairs(stage, await inDpopProofs(stage), ({ what }) => TELLING_PAIRS.has(what));
    },
  },
]);
