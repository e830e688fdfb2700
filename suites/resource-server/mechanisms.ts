import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { demandsProof } from './confirmed-tokens.ts';

/** draft -06 §4.1: session-bound tokens beside RFC 8705. */

const MODE_SWITCH =
  'Which proof is needed is decided per connection. Decide it for each request from the token that it carries.';

const UNPROVEN_CERTIFICATE_BOUND: RequestPlan = { token: { sessionBound: false }, proof: null };

export const mechanisms = suite('resource-server', 'mechanisms', [
  {
    id: 'RS-DPOP-6',
    title:
      'demands a proof of a session-bound token right after a certificate-bound one on the same connection',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: MODE_SWITCH,
    async run(stage) {
      await demandsProof(stage);
      const on = await stage.connect();
      const certificateBound = await stage.send(
        'a certificate-bound token (RFC 8705)',
        UNPROVEN_CERTIFICATE_BOUND,
        { on },
      );
      if (!certificateBound.served)
        stage.notApplicable(
          `tokens that are bound to the certificate only are not served here (${certificateBound.reading.text})`,
        );
      await stage.refusesOne(
        refused('use_session_binding'),
        {
          what: 'a session-bound token without proof right after',
          change: { token: { sessionBound: true } },
        },
        certificateBound,
        UNPROVEN_CERTIFICATE_BOUND,
        { on },
      );
      await stage.control('a session-bound token with its proof', {}, { on });
    },
  },
  {
    id: 'RS-DPOP-6.certificate-bound',
    title:
      'serves a certificate-bound token without proof right after a session-bound one was verified on the same connection',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: { rejected: MODE_SWITCH },
    async run(stage) {
      const before = await stage.send(
        'a certificate-bound token on a connection of its own',
        UNPROVEN_CERTIFICATE_BOUND,
        { on: await stage.connect() },
      );
      if (!before.served)
        stage.notApplicable(
          `tokens that are bound to the certificate only are not served here (${before.reading.text})`,
        );
      const on = await stage.connect();
      await stage.control('a session-bound token with its proof', {}, { on });
      await stage.accepts('a certificate-bound token without proof', UNPROVEN_CERTIFICATE_BOUND, { on });
      await stage.control('a session-bound token with its proof again', {}, { on });
    },
  },
]);
