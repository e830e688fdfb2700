import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Field } from '../../harness/wire/connection.ts';
import { judgeAllIneffective } from './forwarded-fields.ts';
import { tied } from './per-request-claims.ts';

/** draft -06 §2.3.2.2, §3.3.2 step 5i: htm and htu are compared with the request, and not with what its fields say. */

const TOLD_TARGET =
  'The htu claim is compared with what a field of the request tells of scheme, host, port or path, and the client can write that field itself. Compare it with the target of the request and the server’s own name; where a front end sets such a field, remove it from every request that comes from elsewhere.';
const TOLD_METHOD =
  'The htm claim is compared with the method that a field or a parameter of the request names. Compare it with the method on the request line or in :method, before any middleware changes that.';

const ELSEWHERE = '/tsbt-elsewhere';
const FOREIGN = 'other.example';
const PREFIX = '/tsbt-prefix';

/** Fields of a kind: the common ones, and further ones for the full profile. */
function fieldsFor(
  stage: Stage,
  common: Readonly<Record<string, string>>,
  further: Readonly<Record<string, string>>,
): readonly Field[] {
  return Object.entries(stage.full ? { ...common, ...further } : common);
}

/** A request that is right but for the htu, and the fields that tell the same as that. */
function situations(stage: Stage): Parameters<typeof judgeAllIneffective>[2] {
  const { hostname, port, protectedPath } = stage.setting.target;
  const authority = port === 443 ? hostname : `${hostname}:${port}`;
  const otherPort = port === 8443 ? 8444 : 8443;
  const tiedTo = (htu: string): RequestPlan => combine(tied(stage), { proof: { claims: { htu } } });
  const elsewhere = stage.perRequest('GET', ELSEWHERE).htu;
  const prefixed = stage.perRequest('GET', `${PREFIX}${protectedPath}`).htu;
  const cases: readonly (readonly [what: string, htu: string, fields: readonly Field[]])[] = [
    [
      'htu names another host',
      `https://${FOREIGN}${protectedPath}`,
      fieldsFor(
        stage,
        { 'X-Forwarded-Host': FOREIGN, Forwarded: `proto=https;host=${FOREIGN}`, 'X-Original-Host': FOREIGN },
        {
          'X-Host': FOREIGN,
          'X-Forwarded-Server': FOREIGN,
          'X-HTTP-Host-Override': FOREIGN,
          'X-Envoy-Original-Host': FOREIGN,
        },
      ),
    ],
    [
      'htu has the scheme http',
      `http://${authority}${protectedPath}`,
      fieldsFor(
        stage,
        { 'X-Forwarded-Proto': 'http', Forwarded: `proto=http;host="${authority}"` },
        {
          'X-Forwarded-Scheme': 'http',
          'X-Forwarded-Protocol': 'http',
          'X-Url-Scheme': 'http',
          'X-Scheme': 'http',
          'X-Forwarded-Ssl': 'off',
          'Front-End-Https': 'off',
        },
      ),
    ],
    [
      'htu has another port',
      `https://${hostname}:${otherPort}${protectedPath}`,
      fieldsFor(
        stage,
        { 'X-Forwarded-Port': String(otherPort) },
        { 'X-Forwarded-Host': `${hostname}:${otherPort}`, Forwarded: `host="${hostname}:${otherPort}"` },
      ),
    ],
    [
      'htu has another path',
      elsewhere,
      fieldsFor(
        stage,
        { 'X-Original-URL': ELSEWHERE, 'X-Rewrite-URL': ELSEWHERE },
        {
          'X-Original-URI': ELSEWHERE,
          'X-Forwarded-Uri': ELSEWHERE,
          'X-Forwarded-Path': ELSEWHERE,
          'X-Envoy-Original-Path': ELSEWHERE,
          'X-Waws-Unencoded-Url': ELSEWHERE,
        },
      ),
    ],
    [
      'htu has a prefix',
      prefixed,
      fieldsFor(
        stage,
        { 'X-Forwarded-Prefix': PREFIX },
        { 'X-Script-Name': PREFIX, 'X-Forwarded-Context': PREFIX, 'X-Forwarded-PathBase': PREFIX },
      ),
    ],
  ];
  return cases.map(([what, htu, fields]) => [{ what, plan: tiedTo(htu) }, fields, TOLD_TARGET]);
}

export const toldTargets = suite('resource-server', 'told-targets', [
  {
    id: 'RS-PL-11.told',
    title: 'compares htu with the target of the request, whatever forwarded fields say of it',
    across: { http: AXES.http },
    cause: TOLD_TARGET,
    async run(stage) {
      await stage.control('a proof with the valid htu', tied(stage));
      await judgeAllIneffective(stage, refused('invalid_proof'), situations(stage), 'RS-PL-11 and RS-PL-12');
    },
  },
  {
    id: 'RS-PL-10.told',
    title: 'compares htm with the method of the request, whatever its fields and parameters say of it',
    across: { http: AXES.http },
    cause: TOLD_METHOD,
    async run(stage) {
      const { protectedPath } = stage.setting.target;
      await stage.control('a proof with the valid htm', tied(stage));
      const plan = combine(tied(stage), { proof: { claims: { htm: 'POST' } } });
      const fields = fieldsFor(
        stage,
        { 'X-HTTP-Method-Override': 'POST', 'X-HTTP-Method': 'POST', 'X-Method-Override': 'POST' },
        { 'X-Original-Method': 'POST', 'X-Forwarded-Method': 'POST', 'X-Rewrite-Method': 'POST' },
      );
      await judgeAllIneffective(
        stage,
        refused('invalid_proof'),
        [[{ what: 'htm is POST on a GET request', plan }, fields, TOLD_METHOD]],
        'RS-PL-10',
      );
      const asked = await stage.send('htm is POST on a GET request', plan);
      await stage.refusesOne(
        refused('invalid_proof'),
        {
          what: 'htm is POST on a GET request with ?_method=POST',
          change: { path: `${protectedPath}?_method=POST` },
        },
        asked,
        plan,
      );
    },
  },
]);
