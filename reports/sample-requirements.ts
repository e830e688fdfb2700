import type { Level } from '../harness/scenario/record.ts';
import type { RequirementCoverage } from './model.ts';

const row = (
  id: string,
  level: Level,
  sections: string,
  area: string,
  statement: string,
  more: Partial<RequirementCoverage> = {},
): RequirementCoverage => ({
  id,
  role: 'resource-server',
  level,
  sections,
  area,
  statement,
  scenarios: [id],
  ambiguities: [],
  ...more,
});

const EKM = 'TLS exporter value';
const JOSE = 'Proof: JOSE header and signature';
const CLAIMS = 'Proof: claims';
const FIELDS = 'Header fields and presentation';
const ERRORS = 'Error responses';

/** Some rows of the catalogue, in short words, for the sample report. */
export const sampleRequirements: readonly RequirementCoverage[] = [
  row(
    'RS-EKM-1',
    'MUST',
    '2.2; 3.3.2 step 5f',
    EKM,
    'The value compared is derived with the registered label, an empty context and 32 octets.',
  ),
  row('RS-EKM-2', 'MUST', '2.2; 2.3.2.1', EKM, 'The comparison is over all 32 octets and the length.'),
  row('RS-EKM-3', 'MUST', '2.2', EKM, 'The exporter context is empty.'),
  row(
    'RS-EKM-4',
    'AMBIGUOUS',
    '2.2',
    EKM,
    'On TLS 1.2 at least one of the two forms of an empty context is accepted.',
    {
      ambiguities: [
        {
          id: 'AMB-01',
          issue:
            'On TLS 1.2 an absent and a zero-length context give different octets; the draft does not say which of them programming interfaces are to use.',
          stance: 'Accept either, record which; fail only if neither is.',
        },
      ],
    },
  ),
  row(
    'RS-EKM-5',
    'MUST',
    '2.2; 3.3.2 step 5f; 6.1.1',
    EKM,
    'The value compared is that of the very connection on which the request arrived; a proof that carries another live connection’s value is refused although certificate, key, token and signature are right.',
  ),
  row(
    'RS-HDR-4',
    'MUST',
    '2.3.1; 2.3.3',
    JOSE,
    'For each key type that the handshake accepts, a natural JWS algorithm is accepted.',
  ),
  row(
    'RS-SIG-1',
    'MUST',
    '2.3.3; 3.3.2 step 5e',
    JOSE,
    'The signature is verified over the received header and payload octets.',
  ),
  row('RS-SIG-3', 'SECURITY', '2.3.3', JOSE, 'Short RSA keys are not accepted.', {
    scenarios: [],
    untested: 'TLS refuses such keys before a request can be made.',
  }),
  row('RS-PL-1', 'MUST', '2.3.2.1; 3.5', CLAIMS, 'ath, ekm and iat are all required.'),
  row('RS-PL-3', 'MUST', '2.3.2.1; 3.3.2 step 5h', CLAIMS, 'A proof made long ago is refused.'),
  row('RS-PL-4', 'MUST', '2.3.2.1; 3.3.2 step 5h', CLAIMS, 'A proof dated well in the future is refused.'),
  row(
    'RS-FLD-1',
    'MUST',
    '2.4; 3.3.2 step 5d',
    FIELDS,
    'A bound token without a proof is answered 401 use_session_binding.',
  ),
  row('RS-FLD-2', 'MUST', '3.3.2 step 4', FIELDS, 'The field name is matched without regard to case.'),
  row('RS-FLD-9', 'SECURITY', '3.3.2 step 4', FIELDS, 'Look-alike carriers do not count as the field.'),
  row(
    'RS-MTLS-1',
    'MUST',
    '3.3.2 step 5a',
    'Client certificate',
    'A bound token on a connection without a verified client certificate is refused.',
  ),
  row(
    'RS-MTLS-4',
    'MUST',
    '3.3.2 step 5c',
    'Client certificate',
    'The thumbprint in the token equals that of this connection’s certificate.',
  ),
  row('RS-TOK-1', 'MUST', '3.3.2 step 5b', 'Access token', 'A perfect proof does not repair a bad token.'),
  row(
    'RS-ERR-2',
    'MUST',
    '3.5',
    ERRORS,
    'The error attribute is invalid_proof for every failure of the proof.',
  ),
  row('RS-ERR-4', 'MUST', '3.5', ERRORS, 'The challenge parses.'),
  row('RS-ERR-5', 'SHOULD', '3.5', ERRORS, 'An error_description explains the failure.'),
  row('RS-INT-1', 'MUST', '3.4', 'Introspection', 'cnf from introspection drives the same checks.'),
  row(
    'RS-FWD-4',
    'MUST',
    '5.1',
    'Termination and forwarding',
    'The verifier ends the client’s TLS connection itself.',
    { scenarios: [], untested: 'A claim about architecture; it cannot be seen from outside.' },
  ),
  row(
    'RS-T1',
    'MUST',
    '6.1.1',
    'Threats',
    'A token and its proof captured on one connection are useless on any other.',
  ),
  row(
    'RS-T2',
    'MUST',
    '6.1.2',
    'Threats',
    'An attacker with a certificate of its own cannot use a stolen token.',
  ),
];
