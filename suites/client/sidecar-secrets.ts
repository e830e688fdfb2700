import { X509Certificate } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { forgeJwt } from '../../harness/forge/jwt.ts';
import { privateKeyOf } from '../../harness/forge/keys.ts';
import { readJwt, signatureVerifies } from '../../harness/forge/read.ts';
import type { Answer } from '../../harness/counterpart/resource-server/contract.ts';
import type { Outcome } from '../../harness/wire/connection.ts';
import { challenged, served, status } from '../../harness/scenario/client/answers.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { readableProof } from './readable-proof.ts';
import { secretsIn, secretsOfConnection, secretsOfKey, secretsOfProof } from './secrets.ts';
import { answering, endAll } from './upstream.ts';

/** draft -06 §6.1.3, Appendix B.4: what the agent must not get from its sidecar. */

const ORACLE =
  'Something that the agent says goes into what is signed. Build each proof from your own exporter value, the token of the request and the clock, and from nothing else.';
const KEY_SHOWN =
  'The private key can be read at the address where agents are served. Keep administration, dumps of the configuration and files away from it, and keys out of all of them.';
const PROOF_SHOWN =
  'The agent is shown a proof: in a field that is copied into the response, or in the text of an error that quotes the request. Say in fixed words what went wrong.';

/** An exporter value of another connection, such as one of the agent's own. */
const FOREIGN = Buffer.alloc(32, 'foreign').toString('base64url');
const CLAIMS = JSON.stringify({ ekm: FOREIGN });
const JSON_TYPE = ['Content-Type', 'application/json'] as const;

const PAGES = [
  '/config_dump?include_eds',
  '/config',
  '/certs',
  '/server_info',
  '/status',
  '/admin',
  '/debug/vars',
  '/debug/pprof/cmdline',
  '/env',
  '/.env',
  '/metrics',
  '/keys',
  '/key.pem',
  '/private-key',
  '/../client.key',
  '/%2e%2e/%2e%2e/etc/ssl/private/client.key',
];

/** A proof such as the agent would like to have signed. */
function wish(identity: Identity, change: Parameters<typeof forgeJwt>[1] = {}): string {
  const claims = { ath: FOREIGN, ekm: FOREIGN, iat: Math.floor(Date.now() / 1000) };
  const header = { typ: 'tls-binding-proof+jwt', 'x5t#S256': identity.thumbprint };
  return forgeJwt({ header, claims, algorithm: 'ES256', key: privateKeyOf(identity.privateKey) }, change);
}

function wishes({ setting: { pki } }: ClientStage): readonly (readonly [what: string, plan: AgentPlan])[] {
  const inField = (name: string, value: string): readonly [string, AgentPlan] => [
    `the field ${name}`,
    { fields: [[name, value]] },
  ];
  const body = Buffer.from(JSON.stringify({ ekm: FOREIGN, ath: FOREIGN, claims: { ekm: FOREIGN } }));
  const inBody = (path: string): readonly [string, AgentPlan] => [
    `a body sent to ${path}`,
    { method: 'POST', path, fields: [JSON_TYPE], body },
  ];
  return [
    inField('TLS-Exporter', FOREIGN),
    inField('Ekm', FOREIGN),
    inField('X-Ekm', FOREIGN),
    inField('Session-Binding-Ekm', FOREIGN),
    inField('Session-Binding-Claims', CLAIMS),
    inField('Session-Binding-Proof', wish(pki.mallory)),
    inField('Session-Binding-Proof', wish(pki.mallory, { algorithm: 'none' })),
    inField('Session-Binding-Proof', Buffer.from(CLAIMS).toString('base64url')),
    inBody('/resource'),
    inBody('/sign'),
    inBody('/proof'),
    ['the query', { path: `/resource?ekm=${FOREIGN}&claims=${encodeURIComponent(CLAIMS)}` }],
  ];
}

/** What the agent can read. */
function shownIn(outcome: Outcome): string {
  if (outcome.type !== 'response') return outcome.detail;
  return [...outcome.fields.map((field) => field.join(': ')), outcome.body.toString('latin1')].join('\n');
}

/** What a text has that is signed with the client's key. */
function signedIn(text: string, { certificate }: Identity): readonly string[] {
  const { publicKey } = new X509Certificate(certificate);
  const found = text.match(/[\w-]+\.[\w-]+\.[\w-]+/g) ?? [];
  return found.filter((jwt) => signatureVerifies(jwt, publicKey));
}

/** What of proofs a text shows, in words. */
function proofsIn(stage: ClientStage, text: string): readonly string[] {
  const secrets = [
    ...stage.arrivals().flatMap(({ proofs }) => proofs.flatMap(secretsOfProof)),
    ...stage.connections.flatMap(secretsOfConnection),
  ];
  const signed = signedIn(text, stage.identity).length > 0 ? ['a JWT signed with the client’s key'] : [];
  return [...new Set([...secretsIn(text, secrets), ...signed])];
}

const TROUBLES: readonly (readonly [what: string, answer: Answer, plan?: AgentPlan])[] = [
  ['a served request', served()],
  ['401 use_session_binding', challenged('use_session_binding')],
  ['401 invalid_proof', challenged('invalid_proof')],
  ['431', status(431)],
  ['500', status(500, [['Content-Type', 'text/html']], '<h1>Oops</h1>')],
  ['a response that is cut off', { kind: 'cut', status: 200, how: 'reset' }],
  ['a connection that ends without a response', { kind: 'end' }, { method: 'POST', body: Buffer.from('1') }],
  ['a connection that is reset', { kind: 'reset' }, { method: 'POST', body: Buffer.from('1') }],
  ['a TRACE', served(), { method: 'TRACE' }],
  ['a TRACE for the next hop', served(), { method: 'TRACE', fields: [['Max-Forwards', '0']] }],
];

export const sidecarSecrets = clientSuite('client-sidecar-secrets', [
  {
    id: 'CL-SC-7',
    title: 'signs nothing that its agent says, in fields, body or target',
    capabilities: ['sidecar'],
    cause: ORACLE,
    async run(stage) {
      await stage.control(['form', 'signature', 'ekm']);
      for (const [where, plan] of wishes(stage)) {
        const what = `an exporter value of the agent’s in ${where}`;
        const { arrivals, outcome } = await stage.journey(what, plan, 'variant', 'in no signed proof');
        const isGranted = (text: string): boolean =>
          signedIn(text, stage.identity).some((jwt) => JSON.stringify(readJwt(jwt).claims).includes(FOREIGN));
        for (const { proofs } of arrivals)
          stage.holds(
            !isGranted(proofs.join('\n')),
            `${what} arrived in a proof signed with the client’s key`,
          );
        stage.holds(
          !isGranted(shownIn(outcome)),
          `${what} came back to the agent, signed with the client’s key`,
        );
      }
    },
  },
  {
    id: 'CL-SC-7.key',
    title: 'shows its private key at no address where it serves agents',
    capabilities: ['sidecar'],
    cause: KEY_SHOWN,
    async run(stage) {
      await stage.control();
      const key = secretsOfKey(stage.identity);
      for (const path of PAGES) {
        const { outcome } = await stage.journey(`a look at ${path}`, { path }, 'variant', 'no key');
        const found = secretsIn(shownIn(outcome), key);
        stage.holds(found.length === 0, `${path} shows ${found.join(', ')}`);
      }
    },
  },
  {
    id: 'CL-SC-8',
    title: 'shows its agent no proof, neither with responses nor with errors of its own',
    capabilities: ['sidecar'],
    cause: PROOF_SHOWN,
    async run(stage) {
      // A proof that cannot be read could not be recognized in what the agent is shown.
      const { token } = await readableProof(stage);
      const look = async (what: string, plan: AgentPlan = {}): Promise<void> => {
        const sent = { token, once: true, ...plan };
        const { outcome } = await stage.journey(what, sent, 'variant', 'no proof towards the agent');
        const found = proofsIn(stage, shownIn(outcome));
        stage.holds(found.length === 0, `${what}: the agent was shown ${found.join(', ')}`);
      };
      for (const [what, answer, plan] of TROUBLES) {
        stage.answerWith(answering(answer));
        await look(what, plan);
      }
      await endAll(stage);
      await stage.counterpart.refuseConnections(true);
      try {
        await look('a server that cannot be reached');
      } finally {
        await stage.counterpart.refuseConnections(false);
      }
      // Standard output is not the agent's to read, but it often ends on a volume that is shared.
      const logged = proofsIn(stage, stage.log().join('\n'));
      if (logged.length > 0) stage.observe(`the log of the sidecar shows ${logged.join(', ')}`);
    },
  },
]);
