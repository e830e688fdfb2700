import { literalMember } from '../../harness/forge/json-text.ts';
import { otherNotations } from '../../harness/forge/odd-numbers.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { doublyBound, REFUSED } from './dpop-bound.ts';
import { clock, dpopTime, earlier, later, proofTime, refusesMisread, tokenTime } from './misread-numbers.ts';

/** RFC 7519 §2, RFC 8259 §6: a time is the number of seconds that stands there, not what a conversion makes of it. */

const MISREAD =
  'The number is converted before it is compared, and another one than was sent is compared. Take NumericDate as the JSON number that it is, refuse what is not finite, and compare it in seconds.';

/** Seconds that a right token goes on to be valid. */
const VALIDITY = 600;

export const numbers = suite('resource-server', 'numbers', [
  {
    id: 'RS-PL-5.misread',
    title:
      'rejects an iat that only an overflow, another unit or careless parsing turns into the present time',
    cause: MISREAD,
    async run(stage) {
      await refusesMisread(
        stage,
        refused('invalid_proof'),
        [proofTime('iat', later(clock())), proofTime('iat', earlier(clock()))],
        'RS-PL-3 and RS-PL-4',
      );
    },
  },
  {
    id: 'RS-PL-5.notation',
    title: 'accepts an iat in any JSON notation of the right number of seconds',
    cause: {
      rejected:
        'iat is accepted only in the digits of a whole number. A JSON number may have a fraction and an exponent (RFC 8259 §6), and NumericDate is one (RFC 7519 §2).',
    },
    async run(stage) {
      await stage.control();
      for (const literal of otherNotations(clock()))
        await stage.accepts(`iat is ${literal}`, { proof: { payloadText: literalMember('iat', literal) } });
    },
  },
  {
    id: 'RS-PL-15.misread',
    title: 'rejects a proof whose exp or nbf only an overflow, another unit or careless parsing makes valid',
    cause: MISREAD,
    async run(stage) {
      await refusesMisread(
        stage,
        refused('invalid_proof'),
        [proofTime('exp', earlier(clock() + VALIDITY)), proofTime('nbf', later(clock() - VALIDITY))],
        'RS-PL-15',
      );
    },
  },
  {
    id: 'RS-TOK-1.misread',
    title: 'rejects a token whose exp or nbf only an overflow, another unit or careless parsing makes valid',
    cause: MISREAD,
    async run(stage) {
      await refusesMisread(
        stage,
        refused('invalid_token'),
        [tokenTime('exp', earlier(clock() + VALIDITY)), tokenTime('nbf', later(clock() - VALIDITY))],
        'RS-TOK-1',
      );
    },
  },
  {
    id: 'RS-DPOP-1.misread',
    title: 'rejects a DPoP proof whose iat only an overflow, another unit or careless parsing makes recent',
    capabilities: ['dpop'],
    cause: MISREAD,
    async run(stage) {
      await refusesMisread(
        stage,
        REFUSED,
        [dpopTime(later(clock())), dpopTime(earlier(clock()))],
        'RS-DPOP-1.wrong-dpop-proof',
        await doublyBound(stage),
      );
    },
  },
]);
