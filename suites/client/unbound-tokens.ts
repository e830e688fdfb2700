import { served } from '../../harness/scenario/client/answers.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import { provenOf } from '../../harness/scenario/client/client-stage.ts';
import { formOfExporterValue } from '../../harness/scenario/client/proof-examination.ts';
import { claimsOf, readableProof } from './readable-proof.ts';

/** draft -06 §2.4, §3.1 step 4: which tokens the client takes for session-bound. */

const OTHER_LABEL = 'EXPORTER-tsbt-other';

export const unboundTokens = clientSuite('client-unbound-tokens', [
  {
    id: 'CL-UNB-1',
    title: 'sends requests with unbound tokens too, with or without a proof',
    cause:
      'Tokens without cnf.tls_exp are none of session binding’s business: pass them on as they are. A proof beside them does no harm.',
    async run(stage) {
      stage.answerWith(() => served());
      const tokens = {
        'an unbound token': { boundTo: null, sessionBound: false },
        'a token that is bound to a certificate alone': { sessionBound: false },
      };
      for (const [what, token] of Object.entries(tokens)) {
        const { arrivals, outcome } = await stage.journey(what, { token }, 'variant', 'sent on');
        stage.holds(arrivals.length > 0, `${what} is not sent on: the agent got ${outcomeText(outcome)}`);
        for (const { proofs } of arrivals)
          stage.note(`${what} was sent ${proofs.length === 0 ? 'without' : 'with'} a proof`);
      }
    },
  },
  {
    id: 'CL-NOTE-1',
    title:
      'proves a token whose tls_exp it can read unasked, and an opaque token at the latest when it is asked to',
    cause:
      'The client cannot see that an opaque token is session-bound. Prove every token, or those that configuration or a 401 with use_session_binding names.',
    async run(stage) {
      const readable = await stage.journey('a token that names its binding', {}, 'variant', 'a proof');
      if ((readable.arrivals[0]?.proofs.length ?? 0) === 0)
        stage.observe('the first request with a token that has cnf.tls_exp comes without a proof');
      const opaque = provenOf(
        await stage.journey('an opaque token', { token: { opaque: true } }, 'variant', 'a proof'),
      );
      if (typeof opaque === 'string') stage.holds(false, `an opaque token: the request ${opaque}`);
    },
  },
  {
    id: 'CL-NOTE-2',
    title:
      'proves a token that names an unknown exporter label with that label or with the registered one, or not at all',
    cause:
      'The value is exported with a label that is neither the one that the token names (cnf.tls_exp) nor the registered one.',
    async run(stage) {
      const usual = await readableProof(stage);
      if (formOfExporterValue(usual.claims['ekm'], usual.arrival.request.connection) === undefined)
        stage.inconclusive('the control’s ekm is not the exporter value; see CL-EKM-1 and CL-EKM-2');
      const { arrivals } = await stage.journey(
        'a token that names another exporter label',
        { token: { sessionBound: OTHER_LABEL } },
        'variant',
        'no proof, or one with either label',
      );
      for (const { request, proofs } of arrivals) {
        const { ekm } = claimsOf(proofs[0] ?? '');
        const { connection } = request;
        const named = connection.exporter({ label: OTHER_LABEL }).toString('base64url');
        const registered = formOfExporterValue(ekm, connection) !== undefined;
        if (proofs.length === 0) stage.note('the request was sent without a proof');
        else if (ekm === named) stage.note('the proof has the value for the label that the token names');
        else if (registered) stage.note('the proof has the value for the registered label');
        else stage.holds(false, 'the proof has a value that is for neither label');
      }
      if (arrivals.length === 0) stage.note('the client did not send the request');
    },
  },
]);
