import { EventEmitter } from 'node:events';
import { decodeJwt } from 'jose';
import { createDpopVerifier } from '../dpop/verify.ts';
import { checkIdentifier } from '../proof/claim-checks.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { connectionKeyOf } from '../resource-server/connection.ts';
import { proofsOf } from '../resource-server/credentials.ts';
import type { IdentifierStore } from '../resource-server/identifiers.ts';
import type { ResourceServerParts } from '../resource-server/parts.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import {
  evicting,
  forgetting,
  inPlainObject,
  keeping,
  patternMatching,
  shortHash,
} from './identifier-stores.ts';
import type { Mutant } from './mutant.ts';

type Store = keyof Pick<ResourceServerParts, 'identifiers' | 'dpopIdentifiers'>;

/** The reference with another store of identifiers, for proofs of one kind. */
function storing(make: () => IdentifierStore, store: Store = 'identifiers'): () => TargetVariant {
  return () => ({ parts: () => ({ [store]: make() }) });
}

/** The longest time that a timer can be set for, in seconds; beyond it fires at once. */
const LONGEST_TIMER = (2 ** 31 - 1) / 1000;

/** Identifiers by the age of the proof that they came in, which only the proof itself tells. */
function forgettingByProof(seconds: number): TargetVariant {
  const until = new Map<string, number>();
  const checks = defaultChecks.with('identifier', (proof, subject) =>
    checkIdentifier(proof, {
      ...subject,
      claimIdentifier(jti) {
        const key = `${subject.token} ${jti}`;
        if (subject.now < (until.get(key) ?? 0)) return false;
        until.set(key, Number(proof.claims['iat']) + seconds);
        return true;
      },
    }),
  );
  return { parts: () => ({ verifyProof: createVerifier({ checks }) }) };
}

/** DPoP identifiers by the age of their proofs. */
function forgettingDpopProofs(seconds: number): TargetVariant {
  const until = new Map<string, number>();
  const issuedAt = new Map<string, number>();
  const verify = createDpopVerifier();
  return {
    parts: () => ({
      async verifyDpop(subject) {
        const verification = await verify(subject);
        const { iat } = decodeJwt(subject.proof);
        if (verification.holds) issuedAt.set(verification.identifier, iat ?? 0);
        return verification;
      },
      dpopIdentifiers: {
        claim(_tokenHash, jti, _expiresAt, now) {
          if (now < (until.get(jti) ?? 0)) return false;
          until.set(jti, (issuedAt.get(jti) ?? 0) + seconds);
          return true;
        },
      },
    }),
  };
}

/** Identifiers that go with the connection that they came on. */
function forgettingWithConnection(): TargetVariant {
  const stores = new Map<object, Set<string>>();
  let current: Set<string> | undefined;
  return {
    parts: () => ({
      // Read right before the proof is verified, with nothing awaited in between.
      proofsOf(request) {
        const key = connectionKeyOf(request);
        if (key instanceof EventEmitter && !stores.has(key)) {
          stores.set(key, new Set());
          key.once('close', () => stores.delete(key));
        }
        current = key && stores.get(key);
        return proofsOf(request);
      },
      identifiers: {
        claim(tokenHash, jti) {
          const entry = `${tokenHash} ${jti}`;
          if ([...stores.values()].some((store) => store.has(entry))) return false;
          current?.add(entry);
          return true;
        },
      },
    }),
  };
}

/** Takes a token a minute longer than it lives. */
function withLeeway(identifiers: () => IdentifierStore): () => TargetVariant {
  return () => ({
    parts: ({ validateToken }) => ({
      identifiers: identifiers(),
      validateToken: async (token, now) =>
        (await validateToken(token, now)) ?? validateToken(token, now - 60),
    }),
  });
}

/** Looks for used identifiers in the text of the payload. */
function readingText(): TargetVariant {
  const verify = createVerifier();
  return {
    parts: () => ({
      verifyProof: (subject) =>
        verify({
          ...subject,
          claimIdentifier(jti) {
            const payload = Buffer.from(subject.proof.split('.')[1] ?? '', 'base64url').toString();
            return subject.claimIdentifier(/"jti":"((?:[^"\\]|\\.)*)"/.exec(payload)?.[1] ?? jti);
          },
        }),
    }),
  };
}

const DPOP = 'dpopIdentifiers';

/** Stores of jti values that remember for too short a time, or too roughly (draft -06 §2.3.2.2, RFC 9449 §11.1). */
export const identifiersMutants: readonly Mutant[] = [
  {
    id: 'M-RS-500',
    mistake:
      'takes the minutes that a token still lives for seconds when it decides how long to remember a jti',
    breaks: ['RS-PL-7'],
    variant: storing(forgetting((now, expiresAt = now + 3600) => now + (expiresAt - now) / 60)),
  },
  {
    id: 'M-RS-501',
    mistake: 'remembers each jti until a minute after the iat of its proof, which may be five minutes old',
    breaks: ['RS-PL-7'],
    variant: () => forgettingByProof(60),
  },
  {
    id: 'M-RS-502',
    mistake: 'remembers each jti until its proof has left the window of iat',
    breaks: ['RS-PL-7'],
    variant: () => forgettingByProof(300),
  },
  {
    id: 'M-RS-503',
    mistake: 'keeps jti values in a column that is compared without letter case',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => jti.toLowerCase())),
  },
  {
    id: 'M-RS-504',
    mistake: 'remembers no jti of more than 64 characters',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => (jti.length > 64 ? undefined : jti))),
  },
  {
    id: 'M-RS-505',
    mistake: 'keeps the first 64 characters of each jti',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => jti.slice(0, 64))),
  },
  {
    id: 'M-RS-506',
    mistake: 'keeps the last 64 characters of each jti',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => jti.slice(-64))),
  },
  {
    id: 'M-RS-507',
    mistake: 'keeps used jti values as members of a plain object',
    breaks: ['RS-PL-7'],
    variant: storing(inPlainObject),
  },
  {
    id: 'M-RS-508',
    mistake: 'keeps jti values in a column that is padded with spaces',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => jti.trimEnd())),
  },
  {
    id: 'M-RS-509',
    mistake: 'normalizes jti values to one Unicode form',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => jti.normalize('NFC'))),
  },
  {
    id: 'M-RS-510',
    mistake: 'keeps jti values as C strings, which end at the first NUL',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => jti.split('\0')[0])),
  },
  {
    id: 'M-RS-511',
    mistake: 'converts jti values that look like numbers to numbers',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => (/^\d+$/.test(jti) ? String(Number(jti)) : jti))),
  },
  {
    id: 'M-RS-512',
    mistake: 'takes a proof with an empty jti for one without jti',
    breaks: ['RS-PL-7'],
    variant: () => ({
      parts: () => ({
        verifyProof: createVerifier({
          checks: defaultChecks.with('identifier', (proof, subject) =>
            proof.claims['jti'] === '' ? undefined : checkIdentifier(proof, subject),
          ),
        }),
      }),
    }),
  },
  {
    id: 'M-RS-513',
    mistake: 'takes a proof whose jti is "0" for one without jti',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => (jti === '0' ? undefined : jti))),
  },
  {
    id: 'M-RS-514',
    mistake: 'keeps a 32-bit hash of each jti',
    breaks: ['RS-PL-7'],
    variant: storing(keeping(shortHash)),
  },
  {
    id: 'M-RS-515',
    mistake: 'keeps the last 32 jti values of each token',
    breaks: ['RS-PL-7'],
    variant: storing(evicting(32)),
  },
  {
    id: 'M-RS-516',
    mistake:
      'forgets a jti by a timer set to the end of its token, which fires at once if that is 25 days away',
    breaks: ['RS-PL-7'],
    variant: storing(
      forgetting((now, expiresAt) =>
        expiresAt !== undefined && expiresAt - now > LONGEST_TIMER ? now : Number.POSITIVE_INFINITY,
      ),
    ),
  },
  {
    id: 'M-RS-517',
    mistake: 'accepts tokens for a minute beyond exp, and forgets their jti values at exp',
    breaks: ['RS-PL-7'],
    variant: withLeeway(forgetting((_now, expiresAt) => expiresAt ?? Number.POSITIVE_INFINITY)),
  },
  {
    id: 'M-RS-518',
    mistake: 'forgets the jti values that came on a connection when it ends',
    breaks: ['RS-PL-7'],
    variant: forgettingWithConnection,
  },
  {
    id: 'M-RS-519',
    mistake: 'remembers no jti for a token whose expiry it does not know',
    breaks: ['RS-PL-7'],
    variant: storing(forgetting((_now, expiresAt) => expiresAt ?? 0)),
  },
  {
    id: 'M-RS-520',
    mistake: 'takes the jti from the text of the payload, escapes and all',
    breaks: ['RS-PL-7'],
    variant: readingText,
  },
  {
    id: 'M-RS-521',
    mistake: 'looks for a jti with a pattern in which % stands for anything',
    breaks: ['RS-PL-7'],
    variant: storing(patternMatching),
  },
  {
    id: 'M-RS-522',
    mistake: 'stores each jti as ASCII and looks for it as UTF-8, so that others are never found',
    breaks: ['RS-PL-7'],
    variant: storing(keeping((jti) => (/[^\0-\x7f]/.test(jti) ? undefined : jti))),
  },
  {
    id: 'M-RS-525',
    mistake: 'remembers the jti of a DPoP proof for a second and a half',
    breaks: ['RS-DPOP-1'],
    variant: storing(
      forgetting((now) => now + 1.5),
      DPOP,
    ),
  },
  {
    id: 'M-RS-526',
    mistake: 'remembers the jti of a DPoP proof until a minute after its iat, though it accepts older ones',
    breaks: ['RS-DPOP-1'],
    variant: () => forgettingDpopProofs(60),
  },
  {
    id: 'M-RS-527',
    mistake: 'keeps the jti of DPoP proofs in a column that is compared without letter case',
    breaks: ['RS-DPOP-1'],
    variant: storing(
      keeping((jti) => jti.toLowerCase()),
      DPOP,
    ),
  },
  {
    id: 'M-RS-528',
    mistake: 'remembers no jti of a DPoP proof of more than 64 characters',
    breaks: ['RS-DPOP-1'],
    variant: storing(
      keeping((jti) => (jti.length > 64 ? undefined : jti)),
      DPOP,
    ),
  },
  {
    id: 'M-RS-529',
    mistake: 'keeps the jti of DPoP proofs as members of a plain object',
    breaks: ['RS-DPOP-1'],
    variant: storing(inPlainObject, DPOP),
  },
  {
    id: 'M-RS-530',
    mistake: 'keeps the first 64 characters of the jti of a DPoP proof',
    breaks: ['RS-DPOP-1'],
    variant: storing(
      keeping((jti) => jti.slice(0, 64)),
      DPOP,
    ),
  },
];
