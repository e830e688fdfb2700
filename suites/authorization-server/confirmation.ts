import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import { confirmationOf } from '../../harness/scenario/authorization-server/issued.ts';
import { EXPORTER_LABEL } from '../../harness/forge/token.ts';

/** draft -06 §2.4, §3.1: the confirmation claim of the tokens that are issued. */

const NO_CONFIRMATION =
  'The token of a client that is registered for session-bound tokens lacks a member of cnf. Put the thumbprint of the certificate on the token request’s connection into x5t#S256, and the exporter label into tls_exp.';

export const confirmation = authorizationServerSuite('as-confirmation', [
  {
    id: 'AS-CNF-1',
    title: 'gives a session-bound access token a cnf with x5t#S256 and tls_exp, both texts',
    cause: NO_CONFIRMATION,
    async run(stage) {
      const { claims } = await stage.jwt();
      const cnf = confirmationOf(claims);
      stage.holds(cnf !== null, `cnf is ${JSON.stringify(claims['cnf'])}, and must be an object`);
      for (const member of ['x5t#S256', 'tls_exp'])
        stage.holds(
          typeof cnf?.[member] === 'string',
          `cnf.${member} is ${JSON.stringify(cnf?.[member])}, and must be a text`,
        );
    },
  },
  {
    id: 'AS-CNF-2',
    title: 'writes exactly the registered exporter label into tls_exp',
    cause: `tls_exp holds the label ${EXPORTER_LABEL}, which is the same for every token; no value of a connection.`,
    async run(stage) {
      const { claims } = await stage.jwt();
      const label = confirmationOf(claims)?.['tls_exp'];
      stage.holds(label === EXPORTER_LABEL, `tls_exp is ${JSON.stringify(label)}`);
    },
  },
]);
