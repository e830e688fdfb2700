import { proofsOf } from '../../harness/scenario/client/arrival.ts';
import { challenged, serveProven } from '../../harness/scenario/client/answers.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { Script, UpstreamRequest } from '../../harness/counterpart/resource-server/contract.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Outcome } from '../../harness/wire/connection.ts';
import { readableProof } from './readable-proof.ts';
import { secretsIn, secretsOfConnection, secretsOfKey, secretsOfProof } from './secrets.ts';

/** draft -06 §3.3.2, Appendix B.4: where the proof and what it is made from must not be seen. */

const LEAKED =
  'The proof, or what it is made from, is seen outside of the Session-Binding-Proof field. Keep it out of URLs, bodies and other fields, and answer the agent with texts of your own rather than with error messages that quote the request.';

/** What a server may do to a request that makes a client say more than it should. */
const ANSWERS: Readonly<Record<string, Script>> = {
  'a request that is served': serveProven,
  'a request whose proof is refused': () => challenged('invalid_proof'),
  'a request whose response breaks off': () => ({ kind: 'cut', status: 200, how: 'reset' }),
  'a request whose connection is reset': () => ({ kind: 'reset' }),
  'a request that is refused at the last moment': () => ({ kind: 'go-away' }),
};

/** Where the parts of a request are seen by others than the server that it is for: everything but the proof’s own field. */
function partsOf(request: UpstreamRequest): readonly (readonly [where: string, text: string])[] {
  const proofs = new Set(proofsOf(request));
  return [
    ['the request target', decoded(request.target)],
    ...request.fields
      .filter(([, value]) => !proofs.has(value))
      .map(([name, value]) => [`the field ${name}`, decoded(value)] as const),
    ['the body', request.body.toString('latin1')],
  ];
}

function partsOfOutcome(outcome: Outcome): readonly (readonly [where: string, text: string])[] {
  if (outcome.type === 'failure') return [];
  return [
    ...outcome.fields.map(([name, value]) => [`the field ${name}`, decoded(value)] as const),
    ['the body', outcome.body.toString('latin1')],
  ];
}

/** The text, and where it is percent-encoded what it stands for. */
function decoded(text: string): string {
  try {
    return `${text}\n${decodeURIComponent(text)}`;
  } catch {
    return text;
  }
}

export const leaks = clientSuite('client-leaks', [
  {
    id: 'CL-FLD-4',
    title: 'shows proof, exporter value and key in no URL, body, other field or answer to its agent',
    across: { http: AXES.http },
    cause: LEAKED,
    async run(stage) {
      const { outcome } = await readableProof(stage);
      const outcomes: (readonly [what: string, outcome: Outcome])[] = [['the first request', outcome]];
      for (const [what, answer] of Object.entries(ANSWERS)) {
        stage.answerWith(answer);
        const plan = { method: 'POST', path: '/resource?x=1', body: Buffer.from('order') };
        outcomes.push([what, (await stage.journey(what, plan)).outcome]);
      }
      await stage.counterpart.refuseConnections(true);
      await stage.connections.at(-1)?.end();
      outcomes.push(['an unreachable server', (await stage.journey('a request for no server')).outcome]);
      await stage.counterpart.refuseConnections(false);
      const secrets = [
        ...secretsOfKey(stage.identity),
        ...stage.connections.flatMap(secretsOfConnection),
        ...stage.arrivals().flatMap(({ proofs }) => proofs.flatMap(secretsOfProof)),
      ];
      const seen = [
        ...stage
          .arrivals()
          .flatMap(({ request }) => partsOf(request))
          .map(([where, text]) => [`${where} of a request`, text] as const),
        ...outcomes.flatMap(([what, outcome]) =>
          partsOfOutcome(outcome).map(
            ([where, text]) => [`${where} of the answer to ${what}`, text] as const,
          ),
        ),
      ];
      for (const [where, text] of seen) {
        const [secret] = secretsIn(text, secrets);
        stage.holds(secret === undefined, `${where} holds ${secret}`);
      }
    },
  },
]);
