import { refused } from '../../harness/scenario/expectation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { demandsProof, rightMembers, THUMBPRINT, TLS_EXP, withoutProof } from './confirmed-tokens.ts';
import { ANY_CASE, BY_POSITION, refusesAll, UNKNOWN_MEMBER } from './misnamed.ts';

/** draft -06 §2.4, RFC 7519 §7.3, RFC 7800 §3.1: cnf and its members are found by their names, compared code point for code point. */

export const confirmationNames = suite('resource-server', 'confirmation-names', [
  {
    id: 'RS-CNF-3.names',
    title: 'refuses a token whose thumbprint stands under another name than x5t#S256',
    cause: ANY_CASE,
    async run(stage) {
      const { tls_exp: label, 'x5t#S256': thumbprint } = rightMembers(stage);
      const mallorys = stage.mallory.thumbprint;
      const cnf = (members: Readonly<Record<string, unknown>>): RequestPlan => ({
        token: { claims: { cnf: { tls_exp: label, ...members } } },
      });
      const differs = [THUMBPRINT, 'token.claims.cnf.X5T#S256'];
      await refusesAll(stage, refused('401'), [
        {
          what: 'cnf has no x5t#S256',
          wrong: cnf({}),
          variations: [
            {
              what: 'cnf has X5T#S256 instead of x5t#S256',
              change: cnf({ 'X5T#S256': thumbprint }),
              differs,
            },
          ],
        },
        {
          what: 'x5t#S256 is that of mallory’s certificate',
          wrong: cnf({ 'x5t#S256': mallorys }),
          variations: [
            {
              what: 'x5t#S256 is that of mallory’s certificate, X5T#S256 that of alice’s',
              change: cnf({ 'x5t#S256': mallorys, 'X5T#S256': thumbprint }),
              differs,
            },
          ],
        },
      ]);
    },
  },
  {
    id: 'RS-CNF-6.names',
    title: 'takes cnf and its members by exactly these names',
    cause: { served: ANY_CASE, rejected: UNKNOWN_MEMBER },
    async run(stage) {
      await demandsProof(stage);
      const right = rightMembers(stage);
      const beside = { ...right, TLS_EXP: '', 'X5T#S256': stage.mallory.thumbprint };
      await stage.refuses(refused('401'), [
        ...[null, {}].map((value) =>
          withoutProof(`besides cnf, the claim CNF is ${JSON.stringify(value)}`, { claims: { CNF: value } }, [
            'token.claims.CNF',
          ]),
        ),
        ...['', null].map((value) =>
          withoutProof(
            `besides tls_exp, cnf has TLS_EXP: ${JSON.stringify(value)}`,
            { claims: { cnf: { ...right, TLS_EXP: value } } },
            ['token.claims.cnf.TLS_EXP'],
          ),
        ),
      ]);
      await stage.accepts('a token with a right cnf, and with CNF: {}', { token: { claims: { CNF: {} } } });
      for (const name of ['TLS_EXP', 'X5T#S256'] as const)
        await stage.accepts(`a token whose cnf has a wrong ${name} besides the right members`, {
          token: { claims: { cnf: { ...right, [name]: beside[name] } } },
        });
    },
  },
  {
    id: 'RS-CNF-6.positional',
    title: 'refuses a token whose cnf lists its values without their names',
    cause: BY_POSITION,
    async run(stage) {
      const { tls_exp: label, 'x5t#S256': thumbprint } = rightMembers(stage);
      const array: RequestPlan = { token: { claims: { cnf: [thumbprint, label] } }, proof: null };
      const unread = await stage.send('a token whose cnf is an array, no proof', array);
      if (unread.served)
        stage.notApplicable('a cnf that is no object is taken as none; see RS-CNF-6.wrong-type');
      await stage.refuses(
        refused('401'),
        [
          [thumbprint, label],
          [label, thumbprint],
        ].map((cnf) => ({
          what: `cnf is an array of ${cnf[0] === label ? 'tls_exp and x5t#S256' : 'x5t#S256 and tls_exp'}`,
          change: { token: { claims: { cnf } } },
          differs: ['token.claims.cnf', THUMBPRINT, TLS_EXP],
        })),
      );
    },
  },
]);
