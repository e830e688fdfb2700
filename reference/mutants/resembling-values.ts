import { defectOf } from '../proof/defect.ts';
import { checkCritical } from '../proof/header-checks.ts';
import { type JsonObject, parseProof } from '../proof/parse.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { CLAIM, HEADER, PROOF_TYPE } from '../proof/vocabulary.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { decoded, withRules } from './proof-variants.ts';
import { validating } from './token-validation.ts';

const wrongType = defectOf('wrong-type', 'form', HEADER.type, `typ is not ${PROOF_TYPE}`);

/** The reference that compares the type in another way. */
function typing(isRight: (typ: string) => boolean): TargetVariant {
  const checks = defaultChecks.with('type', ({ header }) => {
    const typ = header[HEADER.type];
    return typeof typ === 'string' && isRight(typ) ? undefined : wrongType;
  });
  return { parts: () => ({ verifyProof: createVerifier({ checks }) }) };
}

/** The reference that changes a proof when it has been taken apart. */
function reading(
  change: (proof: {
    readonly header: JsonObject;
    readonly claims: JsonObject;
  }) => Partial<Record<'header' | 'claims', JsonObject>>,
): TargetVariant {
  return withRules({
    parse(compact) {
      const proof = parseProof(compact);
      return 'code' in proof ? proof : { ...proof, ...change(proof) };
    },
  });
}

/** The reference that brings alg into another form before it looks it up. */
function algorithm(change: (alg: string) => string): TargetVariant {
  return reading(({ header }) => {
    const alg = header[HEADER.algorithm];
    return typeof alg === 'string' ? { header: { ...header, [HEADER.algorithm]: change(alg) } } : {};
  });
}

/** The reference that brings names into another form. */
function naming(change: (name: string) => string): TargetVariant {
  const renamed = (members: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(members).map(([name, value]) => [change(name), value]));
  return reading(({ header, claims }) => ({ header: renamed(header), claims: renamed(claims) }));
}

const REGISTERED: readonly string[] = Object.values(HEADER);

/** Searches the text of the payload for the claims that it needs. */
function findsInText(): TargetVariant {
  return withRules({
    parse(compact) {
      const proof = parseProof(compact);
      if ('code' in proof) return proof;
      const text = decoded(compact.split('.')[1]);
      const claims = Object.fromEntries(
        Object.entries(proof.claims).filter(
          ([name]) =>
            ![CLAIM.exporter, CLAIM.tokenHash].some((one) => one === name) || text.includes(`"${name}"`),
        ),
      );
      return { ...proof, claims };
    },
  });
}

function texts(value: unknown): readonly string[] {
  return [value].flat().filter((one) => typeof one === 'string');
}

function asUrl(value: unknown): string | undefined {
  return typeof value === 'string' ? URL.parse(value.trim())?.href : undefined;
}

/** Mistakes in comparing values and names (RFC 7515 §4.1, §5.3, RFC 7519 §2, §7.3, RFC 9068 §4). */
export const resemblingValuesMutants: readonly Mutant[] = [
  {
    id: 'M-RS-684',
    mistake: 'searches typ for the right type',
    breaks: ['RS-HDR-1'],
    variant: () => typing((typ) => typ.includes(PROOF_TYPE)),
  },
  {
    id: 'M-RS-685',
    mistake: 'compares typ at its beginning',
    breaks: ['RS-HDR-1'],
    variant: () => typing((typ) => typ.startsWith(PROOF_TYPE)),
  },
  {
    id: 'M-RS-686',
    mistake: 'compares typ at its end, whatever stands before it',
    breaks: ['RS-HDR-1'],
    variant: () => typing((typ) => typ.endsWith(PROOF_TYPE)),
  },
  {
    id: 'M-RS-687',
    mistake: 'looks alg up without regard to letter case',
    breaks: ['RS-HDR-3'],
    variant: () => algorithm((alg) => alg.toUpperCase()),
  },
  {
    id: 'M-RS-688',
    mistake: 'cuts white space and control characters off alg',
    breaks: ['RS-HDR-3'],
    variant: () => algorithm((alg) => alg.replace(/^[\0-\x20]+|[\0-\x20]+$/g, '')),
  },
  {
    id: 'M-RS-689',
    mistake: 'knows algorithms by the names that its crypto library gives them too',
    breaks: ['RS-HDR-3'],
    variant: () => algorithm((alg) => (alg === 'SHA256withECDSA' ? 'ES256' : alg)),
  },
  {
    id: 'M-RS-690',
    mistake: 'compares iss of the token at its beginning',
    breaks: ['RS-TOK-1'],
    variant: () => validating({ issued: (iss, issuer) => typeof iss === 'string' && iss.startsWith(issuer) }),
  },
  {
    id: 'M-RS-691',
    mistake: 'asks aud of the token whether it includes the audience, be it an array or a string',
    breaks: ['RS-TOK-1'],
    variant: () =>
      validating({
        meant: (aud, audience) => (typeof aud === 'string' || Array.isArray(aud)) && aud.includes(audience),
      }),
  },
  {
    id: 'M-RS-692',
    mistake:
      'asks whether the audience begins with aud of the token, which any part of it and the empty one do',
    breaks: ['RS-TOK-1'],
    variant: () =>
      validating({ meant: (aud, audience) => texts(aud).some((one) => audience.startsWith(one)) }),
  },
  {
    id: 'M-RS-693',
    mistake: 'takes iss of the token for a list, too, of which one has to be the issuer',
    breaks: ['RS-TOK-1'],
    variant: () => validating({ issued: (iss, issuer) => texts(iss).includes(issuer) }),
  },
  {
    id: 'M-RS-694',
    mistake: 'splits aud of the token at white space, as it does with scope',
    breaks: ['RS-TOK-1'],
    variant: () =>
      validating({
        meant: (aud, audience) => texts(aud).some((one) => one.split(' ').includes(audience)),
      }),
  },
  {
    id: 'M-RS-695',
    mistake: 'compares iss and aud of the token as URLs',
    breaks: ['RS-TOK-1'],
    variant: () =>
      validating({
        issued: (iss, issuer) => asUrl(iss) === asUrl(issuer),
        meant: (aud, audience) => texts(aud).some((one) => asUrl(one) === asUrl(audience)),
      }),
  },
  {
    id: 'M-RS-696',
    mistake: 'normalizes the names of members by compatibility (NFKC)',
    breaks: ['RS-PL-1'],
    variant: () => naming((name) => name.normalize('NFKC')),
  },
  {
    id: 'M-RS-697',
    mistake: 'removes from the names of members what is no letter of ASCII, digit or punctuation',
    breaks: ['RS-PL-1'],
    variant: () => naming((name) => name.replace(/[^!-~]/g, '')),
  },
  {
    id: 'M-RS-698',
    mistake: 'finds ekm and ath only where their names stand in the text of the payload',
    breaks: ['RS-PL-1'],
    variant: findsInText,
  },
  {
    id: 'M-RS-699',
    mistake: 'takes crit for understood where it lists names of known parameters, in whatever letter case',
    breaks: ['RS-HDR-9'],
    variant: () => ({
      parts: () => ({
        verifyProof: createVerifier({
          checks: defaultChecks.with('critical', (proof) => {
            const { crit } = proof.header;
            const known =
              Array.isArray(crit) &&
              crit.length > 0 &&
              crit.every((name) => typeof name === 'string' && REGISTERED.includes(name.toLowerCase()));
            return known ? undefined : checkCritical(proof);
          }),
        }),
      }),
    }),
  },
];
