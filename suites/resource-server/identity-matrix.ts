import type { Identity } from '../../certs/identity.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import { CERTIFICATE_BOUND } from './confirmed-tokens.ts';
import { confirming, confirmingKey, isMisnamed, isRightful, variationOf, x5cOf } from './identities.ts';
import type { Combination, Naming } from './identities.ts';

/** draft -06 §3.3.2 steps 5a, 5c, 5e: one certificate counts, that of the connection, for the token and for the proof. */

const ONE_CERTIFICATE =
  'Another certificate than that of the connection counts for one of the checks. Take one certificate, that of this connection’s handshake: compare the token’s thumbprint with it, and verify the proof with its key.';
const BY_HEADER =
  'The client’s certificate is looked up by x5t#S256 in the header of the proof, among certificates that are known. Take the one of this connection’s handshake; x5t#S256 has to agree with it, and selects nothing.';
const BY_TOKEN =
  'The client’s certificate, or the key for the proof, is looked up by the x5t#S256 that the token is bound to, and the certificate of the connection is not compared with it. Compare that one, and verify with its key.';
const KEY_BY_HEADER =
  'The key that the proof is verified with is looked up by x5t#S256 in its header, so that another client’s proof passes on this connection. Verify with the key of the connection’s certificate.';
const BY_X5C =
  'The client’s certificate is taken from x5c in the header of the proof. Certificates are public: that one was issued by a trusted authority says nothing of who sends it. Take the certificate of this connection’s handshake.';
const IN_X5C =
  'The token’s thumbprint is looked for among the certificates in x5c of the proof. Compare it with the certificate of this connection’s handshake alone.';
const BY_CNF =
  'The token’s x5t#S256 is compared with a cnf that the proof itself carries. The sender writes it: compare with the certificate of this connection’s handshake.';
const KEY_BY_CNF =
  'The key that the proof is verified with is taken from a cnf that the proof itself carries, so that anybody can sign. Verify with the key of the connection’s certificate.';
const BY_CHAIN =
  'The certificate that x5t#S256 in the proof names is looked for in the whole chain that the client has sent. Only the first certificate of the chain is the client’s; the others are public.';
const TOKEN_WITH_HEADER =
  'The token’s x5t#S256 is compared with x5t#S256 in the header of the proof instead of with the certificate of the connection. The sender writes that header.';

/** A row, and those that make it moot where they are served: then its own mistake cannot be told. */
interface Row extends Combination {
  readonly id: string;
  readonly cause: string;
  readonly unless?: readonly string[];
}

interface Parties {
  readonly alice: Identity;
  readonly mallory: Identity;
  readonly home: Connection;
  readonly theirs: Connection;
  /** Mallory, with alice's certificate after its own. */
  readonly escorted: Identity;
  readonly escortedOn: Connection;
}

/** The combinations that tell each mistake from the others, the plainest first. */
function tellingRows({ alice, mallory, home, theirs, escorted, escortedOn }: Parties): readonly Row[] {
  const stolen = { on: theirs, peer: mallory, token: alice };
  const foreign = { ...stolen, signer: alice };
  const own = { ...stolen, signer: mallory, header: mallory };
  const NAMED = ['key by token', 'by header'];
  return [
    { id: 'key by token', ...foreign, header: mallory, cause: BY_TOKEN },
    { id: 'by header', ...foreign, header: alice, cause: BY_HEADER, unless: ['key by token'] },
    { id: 'token with header', ...stolen, signer: mallory, header: alice, cause: TOKEN_WITH_HEADER },
    {
      id: 'key by header',
      on: theirs,
      peer: mallory,
      token: mallory,
      signer: alice,
      header: alice,
      cause: KEY_BY_HEADER,
    },
    { id: 'in x5c', ...own, naming: x5cOf(mallory, alice), cause: IN_X5C },
    { id: 'by x5c', ...foreign, header: alice, naming: x5cOf(alice), cause: BY_X5C, unless: NAMED },
    {
      id: 'by x5c alone',
      ...foreign,
      header: mallory,
      naming: x5cOf(alice),
      cause: BY_X5C,
      unless: [...NAMED, 'by x5c'],
    },
    { id: 'by cnf', ...own, naming: confirming('claims', alice), cause: BY_CNF },
    { id: 'by cnf of the header', ...own, naming: confirming('header', alice), cause: BY_CNF },
    {
      id: 'key by cnf',
      on: home,
      peer: alice,
      token: alice,
      signer: mallory,
      header: alice,
      naming: confirmingKey('claims', mallory),
      cause: KEY_BY_CNF,
    },
    {
      id: 'by chain',
      on: escortedOn,
      peer: escorted,
      token: alice,
      signer: alice,
      header: alice,
      cause: BY_CHAIN,
      unless: NAMED,
    },
  ];
}

/** Every request with these clients in every place, and every naming of either. */
function everyCombination(
  connections: readonly { readonly on: Connection; readonly peer: Identity }[],
  { alice, mallory }: Parties,
): readonly Combination[] {
  const clients = [alice, mallory];
  const namings: readonly (Naming | undefined)[] = [
    undefined,
    ...clients.flatMap((client) => [
      x5cOf(client),
      confirming('claims', client),
      confirming('header', client),
      confirmingKey('claims', client),
      confirmingKey('header', client),
    ]),
    x5cOf(alice, mallory),
    x5cOf(mallory, alice),
  ];
  return connections.flatMap((connection) =>
    clients.flatMap((token) =>
      clients.flatMap((signer) =>
        clients.flatMap((header) =>
          namings.map((naming) => ({ ...connection, token, signer, header, ...(naming && { naming }) })),
        ),
      ),
    ),
  );
}

/** Judges one combination; returns whether it was served. */
async function isServed(
  stage: Stage,
  control: Exchange,
  combination: Combination,
  cause: string,
  base: RequestPlan = {},
): Promise<boolean> {
  if (!combination.on.open) return false;
  const variation = variationOf(combination, stage.alice, cause);
  const tried = await stage.refusesOne(refused('invalid_token', 'invalid_proof'), variation, control, base);
  return 'outcome' in tried && tried.served;
}

export const identityMatrix = suite('resource-server', 'identity-matrix', [
  {
    id: 'RS-MTLS-15',
    title:
      'compares token and proof with the certificate of the connection, whatever certificate the proof or the chain names',
    across: { tls: AXES.tls },
    needs: ['persistent-connection'],
    cause: ONE_CERTIFICATE,
    timeLimitMs: 120_000,
    async run(stage) {
      const { alice, mallory } = stage;
      const escorted = {
        ...mallory,
        name: "mallory, alice's certificate after its own",
        chain: `${mallory.chain}${alice.certificate}`,
      };
      const home = await stage.connect();
      const theirs = await stage.connect({ identity: mallory });
      const escortedOn = await stage.connect({ identity: escorted });
      const parties: Parties = { alice, mallory, home, theirs, escorted, escortedOn };
      const control = await stage.control('the right request', {}, { on: home });
      const stolen = await stage.send(
        "alice's token on mallory's connection, with a proof by mallory",
        { token: { boundTo: alice } },
        { on: theirs },
      );
      if (stolen.served)
        stage.notApplicable(
          'a stolen token is served with any proof of the thief’s; what else may stand in for the certificate cannot be told. See RS-MTLS-4',
        );
      const served = new Set<string>();
      for (const row of tellingRows(parties)) {
        if (row.unless?.some((id) => served.has(id)) === true) continue;
        if (await isServed(stage, control, row, row.cause)) served.add(row.id);
      }
      if (stage.full && served.size === 0) {
        await judgeCertificateBound(stage, parties);
        await judgeEvery(stage, control, parties);
      }
      await stage.control('the right request again', {}, home.open ? { on: home } : {});
    },
  },
]);

/** The same for tokens that are bound to the certificate alone, where such are served: then too a proof names nobody. */
async function judgeCertificateBound(stage: Stage, parties: Parties): Promise<void> {
  const base: RequestPlan = { token: CERTIFICATE_BOUND };
  const control = await stage.send('an RFC 8705 token with a proof', base, { on: parties.home });
  if (!control.served) return;
  // A proof that comes with such a token need not be looked at: only whose token it is can be judged.
  for (const row of tellingRows(parties))
    if (row.token.thumbprint !== row.peer.thumbprint) await isServed(stage, control, row, row.cause, base);
}

/** The whole of the matrix; what is right, or right but for a member that is judged elsewhere, is left out. */
async function judgeEvery(stage: Stage, control: Exchange, parties: Parties): Promise<void> {
  const { alice, mallory, home, theirs, escorted, escortedOn } = parties;
  const far = await stage.setting.issue(stage.setting.pki.trusted, {
    name: "mallory, alice's certificate after an intermediate one",
    keyType: 'P-256',
    intermediates: 1,
    extraChain: alice.certificate,
  });
  const escort = {
    ...alice,
    name: "alice, mallory's certificate after its own",
    chain: `${alice.chain}${mallory.certificate}`,
  };
  const connections = [
    { on: home, peer: alice },
    { on: await stage.connect({ identity: escort }), peer: escort },
    { on: theirs, peer: mallory },
    { on: escortedOn, peer: escorted },
    { on: await stage.connect({ identity: far }), peer: far },
  ];
  for (const combination of everyCombination(connections, parties))
    if (!isRightful(combination) && !isMisnamed(combination))
      await isServed(stage, control, combination, ONE_CERTIFICATE);
}
