import { X509Certificate } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Field } from '../../harness/wire/connection.ts';

/** draft -06 §5.1, §5.2: what a client writes into fields that a terminating proxy would set. */

const TRUSTS_EXPORTER = 'A field of the request tells the exporter value that the proof is compared with, and the client can write that field itself. Take the value from the TLS connection that carries the request, and ignore the field.';

const TRUSTS_CERTIFICATE = 'A field of the request stands for the client certificate, and the client can write that field itself. Take the certificate of the TLS handshake; if a proxy in front sets such a field, drop it from every request that comes from elsewhere.';

const TRUSTS_RESULT = 'The result of the verification is passed on in a field that the client can write itself. Strip or overwrite that field at the door.';

/** Fields by which proxies and sidecars tell that a proof, a certificate or a client was verified. */
const VERDICTS: readonly Field[] = [
  ['X-Session-Binding-Verified', 'true'],
  ['X-Session-Bound', 'true'],
  ['X-Tls-Session-Bound', '1'],
  ['X-Proof-Verified', 'true'],
  ['X-Verified', 'true'],
  ['X-Client-Verified', 'SUCCESS'],
  ['X-SSL-Client-Verify', 'SUCCESS'],
  ['Ssl-Client-Verify', 'SUCCESS'],
  ['X-Auth-Verified', 'true'],
];

/** Fields by which the exporter value might be told, besides the one of draft -04 and earlier. */
const EXPORTER_NAMES = ['X-TLS-Exporter', 'X-Forwarded-TLS-Exporter', 'X-EKM', 'X-TLS-EKM', 'X-TLS-Unique', 'X-Channel-Binding', 'Sec-Token-Binding'];

/** Fields by which proxies tell the client certificate: RFC 9440, Envoy, nginx, Apache, Azure. */
function certificateFields(identity: Identity): readonly Field[] {
  const certificate = new X509Certificate(identity.certificate);
  const base64 = certificate.raw.toString('base64');
  const escaped = encodeURIComponent(identity.certificate);
  const hex = Buffer.from(identity.thumbprint, 'base64url').toString('hex');
  return [
    ['Client-Cert', `:${base64}:`],
    ['X-Forwarded-Client-Cert', `Hash=${hex};Cert="${escaped}";Subject="CN=alice"`],
    ['X-SSL-Client-Cert', escaped],
    ['X-Client-Cert', base64],
    ['Ssl-Client-Cert', escaped],
    ['X-ARR-ClientCert', base64],
    ['X-Client-Cert-Thumbprint', identity.thumbprint],
  ];
}

/** What changes in a request's description when mallory sends it, with a proof by mallory … */
const MALLORYS = ['connection.certificate', 'token.claims.cnf.x5t#S256'];

/** … and when it goes out on a connection without alice's certificate, with a proof by alice. */
const STOLEN = [...MALLORYS, 'proof.header.x5t#S256', 'proof.signature'];

export const forwardedFields = suite('resource-server', 'forwarded-fields', [
  {
    id: 'RS-FWD-1',
    title: 'takes no exporter value from the field TLS-Exporter',
    across: { http: AXES.http },
    cause: TRUSTS_EXPORTER,
    async run(stage) {
      const elsewhere = await stage.connect();
      const stolen = await stage.mint();
      const captured = await stage.control("alice's request on her own connection", { token: stolen }, { on: elsewhere });
      const value = elsewhere.exporter();
      const forms: readonly (readonly [string, string])[] = [
        ['in base64url', value.toString('base64url')],
        ['as a structured field', `:${value.toString('base64')}:`],
        ['in hexadecimal', value.toString('hex')],
      ];
      const field = 'request.field.tls-exporter';
      await stage.refuses(
        refused('invalid_proof', 'invalid_token'),
        forms.flatMap(([form, text]): readonly Variation[] => [
          { what: `a proof for another connection of alice's, whose exporter value is told ${form}`, change: { proof: { forConnection: elsewhere }, fields: [['TLS-Exporter', text]] } },
          {
            what: `token and proof stolen from alice, on mallory's connection, with alice's exporter value told ${form}`,
            connect: { identity: stage.mallory },
            change: { token: stolen, proof: captured.proofs, fields: [['TLS-Exporter', text]] },
            differs: [...STOLEN, 'proof.claims.ekm', field],
          },
        ]),
      );
      const invented = Buffer.alloc(32, 7).toString('base64url');
      await stage.refuses(refused('invalid_proof'), [{ what: 'an exporter value that was made up, told in the field and in the proof', change: { proof: { claims: { ekm: invented } }, fields: [['TLS-Exporter', invented]] } }]);
    },
  },
  {
    id: 'RS-FWD-2',
    title: 'takes neither exporter value nor verdict from any other field that a client can write',
    cause: TRUSTS_RESULT,
    async run(stage) {
      const elsewhere = await stage.connect();
      const value = elsewhere.exporter().toString('base64url');
      await stage.refuses(
        refused('invalid_proof'),
        EXPORTER_NAMES.map((name) => ({ what: `a proof for another connection, whose exporter value is told in ${name}`, change: { proof: { forConnection: elsewhere }, fields: [[name, value]] }, cause: TRUSTS_EXPORTER })),
      );
      const results: readonly Field[] = [...VERDICTS, ['X-Client-Thumbprint', stage.alice.thumbprint]];
      await stage.refuses(
        refused('invalid_proof'),
        results.map(([name, text]) => ({ what: `a proof for another connection, with ${name}: ${text}`, change: { proof: { forConnection: elsewhere }, fields: [[name, text]] }, cause: TRUSTS_RESULT })),
      );
    },
  },
  {
    id: 'RS-FWD-3',
    title: 'lets no client tell it, in a field of its own, that the proof was verified, or for whom',
    capabilities: ['echo'],
    cause: TRUSTS_RESULT,
    async run(stage) {
      await stage.refuses(refused('use_session_binding'), VERDICTS.map((field) => ({ what: `no proof, with ${field[0]}: ${field[1]}`, change: { proof: null, fields: [field] } })));
      const others: readonly Field[] = ['X-Forwarded-User', 'X-Authenticated-User', 'X-Auth-Subject', 'X-Subject', 'X-Token-Sub', 'Remote-User'].map((name) => [name, 'mallory']);
      const { outcome, served } = await stage.send('the right request, with fields that name another subject', { fields: [...VERDICTS, ...others] }, {}, 'variant', "served as alice, or refused");
      if (!served || outcome.type !== 'response') return;
      stage.holds(subjectIn(outcome.body) !== 'mallory', 'the application took the subject that the client wrote into a field', 'The application reads who is calling from a field that the client can write itself. Strip or overwrite that field at the door.');
    },
  },
  {
    id: 'RS-MTLS-9',
    title: 'takes no client certificate from a field of the request in place of the one of the TLS connection',
    across: { http: AXES.http },
    cause: TRUSTS_CERTIFICATE,
    async run(stage) {
      const { alice, mallory } = stage;
      await stage.refuses(
        refused(),
        certificateFields(alice).flatMap((field): readonly Variation[] => {
          const [name] = field;
          const differs = `request.field.${name.toLowerCase()}`;
          return [
            { what: `mallory's connection and proof, alice's certificate in ${name}`, connect: { identity: mallory }, change: { fields: [field] }, differs: [...MALLORYS, differs] },
            { what: `mallory's connection, alice's certificate in ${name}, a proof that alice's key has signed`, connect: { identity: mallory }, change: { proof: { by: alice }, fields: [field] }, differs: [...STOLEN, differs] },
            { what: `no client certificate, alice's certificate in ${name}, a proof that alice's key has signed`, connect: { identity: null }, change: { proof: { by: alice }, fields: [field] }, differs: [...STOLEN, differs] },
          ];
        }),
      );
    },
  },
]);

function subjectIn(body: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && 'sub' in value ? value.sub : undefined;
  } catch {
    return undefined;
  }
}
