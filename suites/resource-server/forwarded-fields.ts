import { X509Certificate } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { Expectation } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { ConnectPlan, RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Field } from '../../harness/wire/connection.ts';

/** draft -06 §5.1, §5.2: what a client writes into fields that a terminating proxy would set. */

const TRUSTS_EXPORTER =
  'A field of the request tells the exporter value that the proof is compared with, and the client can write that field itself. Take the value from the TLS connection that carries the request, and ignore the field.';

const TRUSTS_CERTIFICATE =
  'A field of the request stands for the client certificate, and the client can write that field itself. Take the certificate of the TLS handshake; if a proxy in front sets such a field, drop it from every request that comes from elsewhere.';

const TRUSTS_RESULT =
  'The result of the verification is passed on in a field that the client can write itself. Strip or overwrite that field at the door.';

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
const EXPORTER_NAMES = [
  'X-TLS-Exporter',
  'X-Forwarded-TLS-Exporter',
  'X-EKM',
  'X-TLS-EKM',
  'X-TLS-Unique',
  'X-Channel-Binding',
  'Sec-Token-Binding',
];

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

/** A request that is refused as it is. */
interface Situation {
  readonly what: string;
  readonly plan: RequestPlan;
  readonly connect?: ConnectPlan;
}

/**
 * Judges that fields change nothing: a request that is refused without a field is refused with it.
 *
 * @returns false where the request is served without any field, so that the fields cannot be judged
 */
async function judgeIneffective(
  stage: Stage,
  expectation: Expectation,
  { what, plan, connect }: Situation,
  fields: readonly Field[],
  cause: string,
): Promise<boolean> {
  const way = connect === undefined ? {} : { connect };
  if (connect !== undefined) {
    const connection = await stage.tryConnect(connect);
    if ('kind' in connection) {
      stage.note(`${what}: refused in the handshake already (${connection.detail})`);
      return true;
    }
  }
  const without = await stage.send(`${what}, no such field`, plan, way, 'control', 'refused');
  if (without.served) {
    stage.note(`${what}: served without any such field, so the fields are not to blame`);
    return false;
  }
  for (const field of fields) {
    const [name] = field;
    await stage.refusesOne(
      expectation,
      { what: `${what}, told in ${name}`, change: { fields: [field] }, cause },
      without,
      plan,
      way,
    );
  }
  return true;
}

/** Judges several requests in this way; the right one is served before and after. */
export async function judgeAllIneffective(
  stage: Stage,
  expectation: Expectation,
  cases: readonly (readonly [situation: Situation, fields: readonly Field[], cause: string])[],
  instead: string,
): Promise<void> {
  await stage.control();
  let judged = 0;
  for (const [situation, fields, cause] of cases) {
    if (await judgeIneffective(stage, expectation, situation, fields, cause)) judged++;
  }
  if (judged === 0)
    return stage.inconclusive(
      `what these fields are to bring about is served without them: see ${instead}`,
      'target',
    );
  await stage.control('the right request again');
}

export const forwardedFields = suite('resource-server', 'forwarded-fields', [
  {
    id: 'RS-FWD-1',
    title: 'takes no exporter value from the field TLS-Exporter',
    across: { http: AXES.http },
    cause: TRUSTS_EXPORTER,
    async run(stage) {
      const elsewhere = await stage.connect();
      const stolen = await stage.mint();
      const captured = await stage.control(
        "alice's request on her own connection",
        { token: stolen },
        { on: elsewhere },
      );
      const invented = Buffer.alloc(32, 7);
      const genuine = exporterFields(elsewhere.exporter());
      await judgeAllIneffective(
        stage,
        refused('invalid_proof', 'invalid_token'),
        [
          [
            {
              what: "a proof for another connection of alice's, whose exporter value",
              plan: { proof: { forConnection: elsewhere } },
            },
            genuine,
            TRUSTS_EXPORTER,
          ],
          [
            {
              what: "token and proof stolen from alice, on mallory's connection, with the exporter value of alice's",
              plan: { token: stolen, proof: captured.proofs },
              connect: { identity: stage.mallory },
            },
            genuine,
            TRUSTS_EXPORTER,
          ],
          [
            {
              what: 'a proof over an exporter value that was made up, and',
              plan: { proof: { claims: { ekm: invented.toString('base64url') } } },
            },
            exporterFields(invented),
            TRUSTS_EXPORTER,
          ],
        ],
        'RS-EKM-5',
      );
    },
  },
  {
    id: 'RS-FWD-2',
    title: 'takes neither exporter value nor verdict from any other field that a client can write',
    cause: TRUSTS_RESULT,
    async run(stage) {
      const elsewhere = await stage.connect();
      await stage.control("alice's request on another connection", {}, { on: elsewhere });
      const value = elsewhere.exporter().toString('base64url');
      const plan = { proof: { forConnection: elsewhere } };
      await judgeAllIneffective(
        stage,
        refused('invalid_proof'),
        [
          [
            { what: 'a proof for another connection, whose exporter value', plan },
            EXPORTER_NAMES.map((name) => [name, value]),
            TRUSTS_EXPORTER,
          ],
          [
            { what: 'a proof for another connection, and a verdict', plan },
            [...VERDICTS, ['X-Client-Thumbprint', stage.alice.thumbprint]],
            TRUSTS_RESULT,
          ],
        ],
        'RS-EKM-5',
      );
    },
  },
  {
    id: 'RS-FWD-3',
    title: 'lets no client tell it, in a field of its own, that the proof was verified, or for whom',
    capabilities: ['echo'],
    cause: TRUSTS_RESULT,
    async run(stage) {
      await judgeAllIneffective(
        stage,
        refused('use_session_binding'),
        [[{ what: 'no proof, and a verdict', plan: { proof: null } }, VERDICTS, TRUSTS_RESULT]],
        'RS-CNF-1',
      );
      const others: readonly Field[] = [
        'X-Forwarded-User',
        'X-Authenticated-User',
        'X-Auth-Subject',
        'X-Subject',
        'X-Token-Sub',
        'Remote-User',
      ].map((name) => [name, 'mallory']);
      const { outcome, served } = await stage.send(
        'the right request, with fields that name another subject',
        { fields: [...VERDICTS, ...others] },
        {},
        'variant',
        'served as alice, or refused',
      );
      if (!served || outcome.type !== 'response') return;
      stage.holds(
        subjectIn(outcome.body) !== 'mallory',
        'the application took the subject that the client wrote into a field',
        'The application reads who is calling from a field that the client can write itself. Strip or overwrite that field at the door.',
      );
    },
  },
  {
    id: 'RS-MTLS-9',
    title:
      'takes no client certificate from a field of the request in place of the one of the TLS connection',
    across: { http: AXES.http },
    cause: TRUSTS_CERTIFICATE,
    async run(stage) {
      const { alice, mallory } = stage;
      const fields = certificateFields(alice);
      const byAlice = { proof: { by: alice } };
      await judgeAllIneffective(
        stage,
        refused(),
        [
          [
            {
              what: "mallory's connection and proof, alice's certificate",
              plan: {},
              connect: { identity: mallory },
            },
            fields,
            TRUSTS_CERTIFICATE,
          ],
          [
            {
              what: "mallory's connection, a proof that alice's key has signed, alice's certificate",
              plan: byAlice,
              connect: { identity: mallory },
            },
            fields,
            TRUSTS_CERTIFICATE,
          ],
          [
            {
              what: "no client certificate, a proof that alice's key has signed, alice's certificate",
              plan: byAlice,
              connect: { identity: null },
            },
            fields,
            TRUSTS_CERTIFICATE,
          ],
        ],
        'RS-MTLS-1 and RS-MTLS-4',
      );
    },
  },
]);

/** The field of draft -04 with an exporter value, in the forms that a reader of it might take. */
function exporterFields(value: Buffer): readonly Field[] {
  return [value.toString('base64url'), `:${value.toString('base64')}:`, value.toString('hex')].map((text) => [
    'TLS-Exporter',
    text,
  ]);
}

function subjectIn(body: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && 'sub' in value ? value.sub : undefined;
  } catch {
    return undefined;
  }
}
