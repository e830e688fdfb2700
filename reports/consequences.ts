/** What a broken requirement means to someone who has to decide whether to care. */
export interface Consequence {
  /** `attack`: what somebody hostile gains · `outage`: what honest parties lose. */
  readonly kind: 'attack' | 'outage';
  /** One plain sentence. */
  readonly sentence: string;
}

interface Row extends Consequence {
  /** Requirement ids, or their beginnings where they end in `*`. The longest that fits counts. */
  readonly of: readonly string[];
}

const attack = (sentence: string, ...of: string[]): Row => ({ kind: 'attack', sentence, of });
const outage = (sentence: string, ...of: string[]): Row => ({ kind: 'outage', sentence, of });

/** Gravest first: this is also the order in which a report tells them. */
const TABLE: readonly Row[] = [
  // Whoever holds nothing but a token, or nothing at all, gets in.
  attack('Anyone can forge a proof, so a stolen token alone is enough.', 'RS-SIG-*', 'RS-HDR-5', 'RS-HDR-6'),
  attack(
    'An attacker who brings a key of their own can sign proofs for a stolen token.',
    'RS-HDR-7',
    'RS-HDR-8',
    'RS-T2',
  ),
  attack(
    'A stolen token works without any proof: the binding is not enforced.',
    'RS-FLD-1',
    'RS-CNF-1',
    'RS-CACHE-9',
    'RS-T3',
  ),
  attack('Access tokens that are expired, forged or meant for somebody else are served.', 'RS-TOK-*'),
  attack(
    'A stolen token works from a machine that does not hold the certificate it is bound to.',
    'RS-MTLS-*',
    'RS-CNF-3',
  ),
  attack(
    'A stolen token and its proof work on another connection.',
    'RS-EKM-*',
    'RS-T1',
    'RS-T4',
    'RS-QUIC-*',
  ),
  attack('A proof made for one token authorises another.', 'RS-PL-2', 'RS-MUX-2', 'RS-CACHE-3'),
  attack(
    'An attacker who can add header fields dictates what the proof is compared with.',
    'RS-FWD-*',
    'RS-MTLS-9',
  ),
  attack('A malicious server can pass a client’s token and proof on to this one.', 'RS-RELAY-*'),
  attack('A token taken at one hop of a chain works at another.', 'RS-T5'),
  attack(
    'Once a token was verified, requests ride on that decision which should have been refused.',
    'RS-CACHE-*',
  ),
  attack('The binding can be sidestepped by the shape of the token’s confirmation claim.', 'RS-CNF-*'),
  attack('The binding can be sidestepped by presenting token or proof in an unusual way.', 'RS-FLD-*'),
  attack('Bindings of tokens resolved by introspection, or revoked tokens, are not honoured.', 'RS-INT-*'),
  attack(
    'One caller on a shared connection is served as another.',
    'RS-MUX-3',
    'RS-MUX-4',
    'RS-MUX-6',
    'RS-MUX-8',
  ),
  attack('A token bound in two ways is protected only by the weaker one.', 'RS-DPOP-*'),
  attack(
    'A JWT made for another purpose passes as a proof.',
    'RS-HDR-1',
    'RS-HDR-10',
    'RS-HDR-11',
    'RS-SIG-4',
    'RS-DPOP-4',
    'RS-COMB-*',
  ),
  attack(
    'Proofs signed in ways that the certificate’s key does not warrant are trusted.',
    'RS-HDR-*',
    'RS-SIG-3',
  ),
  attack('An old proof that leaked, for example from a log, stays usable.', 'RS-PL-3'),
  attack('A proof can be dated ahead, and used long after it was made.', 'RS-PL-4'),
  attack(
    'A captured request can be replayed although its proof was meant for one use.',
    'RS-PL-7',
    'RS-PL-9',
    'RS-CACHE-8',
    'RS-INTRA-*',
  ),
  attack('A proof made for one method or path can be spent on another.', 'RS-PL-10', 'RS-PL-11', 'RS-PL-12'),
  attack('Proofs that lack, repeat or disguise required claims are trusted.', 'RS-PL-*'),
  attack('An attacker can use up the identifiers of honest clients, which then are refused.', 'RS-PL-8'),
  attack('A refused request takes effect all the same.', 'RS-ERR-6'),
  attack(
    'Responses give away what an attacker needs: exporter value, keys or inner workings.',
    'RS-EKM-16',
    'RS-ERR-9',
  ),
  attack('Malformed input disturbs the service for others.', 'RS-PL-17', 'RS-PL-5'),
  attack(
    'A client that follows this hands its token or key material to the wrong party.',
    'CL-CONN-*',
    'CL-FLD-3',
    'CL-FLD-4',
    'CL-HDR-4',
    'CL-RETRY-*',
    'CL-NOTE-*',
    'CL-DPOP-*',
    'CL-HOP-*',
  ),
  attack(
    'A local process can have proofs made, or see them, that are none of its business.',
    'CL-SC-*',
    'CL-SVID-5',
  ),
  attack(
    'Proofs are made from values that do not identify the connection, so they protect nothing.',
    'CL-EKM-*',
    'CL-REUSE-*',
    'CL-QUIC-*',
  ),
  attack('Tokens are issued that lack the binding their clients rely on.', 'AS-*'),
  attack('A stolen token can be exchanged for one that its thief may use.', 'AS-TX-*', 'AS-T6-*'),
  attack(
    'The wrong party can have tokens bound to a certificate of its choice.',
    'AS-CNF-3',
    'AS-CNF-4',
    'AS-GRANT-*',
  ),
  // Honest parties are hurt.
  outage(
    'Correct requests of honest clients are refused.',
    'RS-EKM-6',
    'RS-EKM-15',
    'RS-MTLS-13',
    'RS-HDR-4',
  ),
  outage(
    'Correct requests of honest clients are refused because of a harmless detail.',
    'RS-PL-13',
    'RS-PL-14',
    'RS-FLD-2',
    'RS-FLD-4',
    'RS-CNF-7',
    'RS-HDR-2',
    'RS-MTLS-8',
    'RS-DPOP-6',
  ),
  outage(
    'Connections cannot be used as meant: several tokens, many requests or a fresh token on one connection fail.',
    'RS-MUX-*',
    'RS-CACHE-7',
    'RS-CACHE-12',
    'RS-TLS-*',
    'RS-QUIC-3',
    'CL-SVID-*',
  ),
  outage(
    'Clients cannot tell what went wrong, and so cannot recover by themselves.',
    'RS-ERR-*',
    'RS-FLD-10',
  ),
  outage('Servers that follow the draft refuse this client’s proofs.', 'CL-*'),
  outage(
    'Clients and servers of other makers cannot work with the tokens issued here.',
    'AS-INT-*',
    'AS-META-*',
    'AS-TYPE-*',
  ),
];

const UNKNOWN: Consequence = {
  kind: 'attack',
  sentence: 'A property that the draft’s security rests on does not hold.',
};

const fits = (pattern: string, id: string): boolean =>
  pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;

/** What follows when the requirement `id` is broken. Always an answer: a general one for ids the table does not know. */
export function consequenceOf(id: string): Consequence {
  let best: { readonly length: number; readonly row: Consequence } = { length: 0, row: UNKNOWN };
  for (const row of TABLE)
    for (const pattern of row.of)
      if (fits(pattern, id) && weight(pattern) > best.length) best = { length: weight(pattern), row };
  return best.row;
}

/** An exact id outweighs every beginning. */
function weight(pattern: string): number {
  return pattern.endsWith('*') ? pattern.length : pattern.length + 1000;
}

/** Distinct consequences of broken requirements, gravest first, each with what brought it up. */
export function consequencesOf<T extends { readonly requirement: string }>(
  broken: readonly T[],
): readonly { readonly consequence: Consequence; readonly from: readonly T[] }[] {
  const order: readonly Consequence[] = [...TABLE, UNKNOWN];
  const found = new Map<Consequence, T[]>();
  for (const item of broken) {
    const consequence = consequenceOf(item.requirement);
    const from = found.get(consequence);
    if (from === undefined) found.set(consequence, [item]);
    else from.push(item);
  }
  return [...found]
    .toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([consequence, from]) => ({ consequence, from }));
}
