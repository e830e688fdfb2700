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

/** The elements of a JSON array as members of an object that declares them in this order; other JSON as it is. */
function declared(value: unknown, names: readonly string[]): unknown {
  return Array.isArray(value) ? Object.fromEntries(names.map((name, index) => [name, value[index]])) : value;
}

/** The part of a JWT with an array in it taken for the object that is declared; `undefined` for any other part. */
function objectPart(part: string | undefined, names: readonly string[]): string | undefined {
  const text = decoded(part);
  return text.startsWith('[') && objectOf(text) !== undefined
    ? Buffer.from(JSON.stringify(declared(JSON.parse(text), names))).toString('base64url')
    : undefined;
}

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
          const { cnf } = folded(decodeJwt(token), ['cnf']);
          const confirmation = isObject(cnf) ? folded(cnf, Object.values(CONFIRMATION)) : (cnf ?? undefined);
          return { ...grant, confirmation };
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
        parse(compact) {
          const [header, payload, signature] = compact.split('.');
          const names = [CLAIM.tokenHash, CLAIM.exporter, CLAIM.issuedAt];
          const object = objectPart(payload, names);
          const proof = parseProof(object === undefined ? compact : [header, object, signature].join('.'));
          if (object === undefined || 'code' in proof) return proof;
          return { ...proof, signingInput: Buffer.from(`${header}.${payload}`) };
        },
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
];
