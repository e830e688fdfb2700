import { decodeJwt } from 'jose';
import { readConfirmation } from '../proof/confirmation.ts';
import { type JsonObject, parseProof } from '../proof/parse.ts';
import { CLAIM, CONFIRMATION, HEADER } from '../proof/vocabulary.ts';
import { isJwt } from '../resource-server/jwt-tokens.ts';
import type { Mutant } from './mutant.ts';
import { decoded, objectOf, withRules } from './proof-variants.ts';

/** Members under the known names that theirs are but for letter case; of several the last one counts. */
function folded(members: JsonObject, known: readonly string[]): JsonObject {
  const nameOf = (name: string): string =>
    known.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [nameOf(name), value]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The elements of a JSON array as members of an object that declares them in this order; other JSON unchanged. */
function declared(value: unknown, names: readonly string[]): unknown {
  return Array.isArray(value) ? Object.fromEntries(names.map((name, index) => [name, value[index]])) : value;
}

/** The part of a JWT with an array in it taken for the object that is declared; `undefined` for any other part. */
function objectPart(part: string | undefined, names: readonly string[], count?: number): string | undefined {
  const text = decoded(part);
  if (!text.startsWith('[') || objectOf(text) === undefined) return undefined;
  const elements: unknown = JSON.parse(text);
  if (count !== undefined && Array.isArray(elements) && elements.length !== count) return undefined;
  return Buffer.from(JSON.stringify(declared(elements, names))).toString('base64url');
}

/** The same members in the opposite order, so that of several the first one counts. */
function reversed(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).toReversed());
}

/**
 * Takes a proof apart, arrays taken for the objects that are declared with members in these orders.
 *
 * @param claims how many elements a payload must have; any number where left out
 */
function parseDeclared(
  compact: string,
  names: Readonly<Record<'header' | 'payload', readonly string[]>>,
  claims?: number,
) {
  const [header, payload, signature] = compact.split('.');
  const parts = [objectPart(header, names.header), objectPart(payload, names.payload, claims)];
  if (parts.every((part) => part === undefined)) return parseProof(compact);
  const proof = parseProof([parts[0] ?? header, parts[1] ?? payload, signature].join('.'));
  return 'code' in proof ? proof : { ...proof, signingInput: Buffer.from(`${header}.${payload}`) };
}

/** The claim cnf and its members under the names that theirs are but for letter case. */
function foldedConfirmation(token: string): unknown {
  const { cnf } = folded(decodeJwt(token), ['cnf']);
  return isObject(cnf) ? folded(cnf, Object.values(CONFIRMATION)) : (cnf ?? undefined);
}

/** What is left of a confirmation where empty texts and null count as not there. */
function filled(confirmation: unknown): unknown {
  if (!isObject(confirmation)) return confirmation;
  const members = Object.entries(confirmation).filter(([, value]) => value !== '' && value !== null);
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

/** Each order of declaration that M-RS-362 and M-RS-412 leave, and a structure with optional claims. */
const STRUCTURES: readonly {
  readonly id: string;
  readonly header: readonly string[];
  readonly payload: readonly string[];
  readonly claims?: number;
}[] = [
  {
    id: 'M-RS-880',
    header: [HEADER.algorithm, HEADER.type, HEADER.certificate],
    payload: [CLAIM.tokenHash, CLAIM.issuedAt, CLAIM.exporter],
  },
  {
    id: 'M-RS-881',
    header: [HEADER.algorithm, HEADER.certificate, HEADER.type],
    payload: [CLAIM.exporter, CLAIM.tokenHash, CLAIM.issuedAt],
  },
  {
    id: 'M-RS-882',
    header: [HEADER.type, HEADER.certificate, HEADER.algorithm],
    payload: [CLAIM.exporter, CLAIM.issuedAt, CLAIM.tokenHash],
  },
  {
    id: 'M-RS-883',
    header: [HEADER.certificate, HEADER.algorithm, HEADER.type],
    payload: [CLAIM.issuedAt, CLAIM.exporter, CLAIM.tokenHash],
  },
  {
    id: 'M-RS-884',
    header: [HEADER.certificate, HEADER.type, HEADER.algorithm],
    payload: [CLAIM.tokenHash, CLAIM.exporter, CLAIM.issuedAt],
    claims: 6,
  },
  {
    id: 'M-RS-885',
    header: [HEADER.type, HEADER.algorithm, HEADER.certificate],
    payload: [CLAIM.tokenHash, CLAIM.exporter, CLAIM.issuedAt],
    claims: 8,
  },
];

/** Mistakes in how the members of a JSON object are found (RFC 7519 §4, §7.3, RFC 8259 §8.3). */
export const memberNamesMutants: readonly Mutant[] = [
  {
    id: 'M-RS-360',
    mistake: 'reads header and payload of a proof without regard to the letter case of names',
    breaks: ['RS-PL-1', 'RS-PL-10', 'RS-PL-11', 'RS-PL-14', 'RS-HDR-1'],
    variant: () =>
      withRules({
        parse(compact) {
          const proof = parseProof(compact);
          if ('code' in proof) return proof;
          return {
            ...proof,
            header: folded(proof.header, Object.values(HEADER)),
            claims: folded(proof.claims, Object.values(CLAIM)),
          };
        },
      }),
  },
  {
    id: 'M-RS-361',
    mistake: 'reads cnf and its members without regard to the letter case of names',
    breaks: ['RS-CNF-3', 'RS-CNF-6'],
    variant: () => ({
      parts: ({ validateToken }) => ({
        async validateToken(token, now) {
          const grant = await validateToken(token, now);
          if (grant === undefined || !isJwt(token)) return grant;
          return { ...grant, confirmation: foldedConfirmation(token) };
        },
      }),
    }),
  },
  {
    id: 'M-RS-405',
    mistake:
      'reads cnf without regard to the letter case of names into a structure, in which null and the empty text stand for what is not there',
    breaks: ['RS-CNF-6'],
    variant: () => ({
      parts: ({ validateToken }) => ({
        async validateToken(token, now) {
          const grant = await validateToken(token, now);
          if (grant === undefined || !isJwt(token)) return grant;
          return { ...grant, confirmation: filled(foldedConfirmation(token)) };
        },
      }),
    }),
  },
  {
    id: 'M-RS-362',
    mistake: 'takes an array for the payload of a proof, its elements for ath, ekm and iat',
    breaks: ['RS-PL-1'],
    variant: () =>
      withRules({
        parse: (compact) =>
          parseDeclared(compact, {
            header: [],
            payload: [CLAIM.tokenHash, CLAIM.exporter, CLAIM.issuedAt],
          }),
      }),
  },
  {
    id: 'M-RS-363',
    mistake: 'takes an array for cnf, its elements for x5t#S256 and tls_exp',
    breaks: ['RS-CNF-6'],
    variant: () => ({
      parts: () => ({
        readConfirmation: (cnf) =>
          readConfirmation(declared(cnf, [CONFIRMATION.certificate, CONFIRMATION.exporterLabel])),
      }),
    }),
  },
  {
    id: 'M-RS-406',
    mistake: 'takes an array for cnf, its elements for tls_exp and x5t#S256',
    breaks: ['RS-CNF-6'],
    variant: () => ({
      parts: () => ({
        readConfirmation: (cnf) =>
          readConfirmation(declared(cnf, [CONFIRMATION.exporterLabel, CONFIRMATION.certificate])),
      }),
    }),
  },
  {
    id: 'M-RS-411',
    mistake:
      'finds each claim of a proof as the first one that is named so, without regard to the letter case of names',
    breaks: ['RS-PL-1', 'RS-PL-14'],
    variant: () =>
      withRules({
        parse(compact) {
          const proof = parseProof(compact);
          if ('code' in proof) return proof;
          return { ...proof, claims: folded(reversed(proof.claims), Object.values(CLAIM)) };
        },
      }),
  },
  {
    id: 'M-RS-412',
    mistake:
      'fills structures from arrays too: the header of a proof from typ, alg and x5t#S256, its payload from iat, ath and ekm',
    breaks: ['RS-PL-1'],
    variant: () =>
      withRules({
        parse: (compact) =>
          parseDeclared(compact, {
            header: [HEADER.type, HEADER.algorithm, HEADER.certificate],
            payload: [CLAIM.issuedAt, CLAIM.tokenHash, CLAIM.exporter],
          }),
      }),
  },
  ...STRUCTURES.map(({ id, header, payload, claims }): Mutant => ({
    id,
    mistake: `fills structures from arrays: a proof's header from ${header.join(', ')}, its payload from ${payload.join(', ')}${claims === undefined ? '' : `, of ${claims} elements exactly`}`,
    breaks: ['RS-PL-1'],
    variant: () => withRules({ parse: (compact) => parseDeclared(compact, { header, payload }, claims) }),
  })),
];
