/**
 * Whether a hash is one that careless code stumbles over now and then: one with a zero octet, at which comparisons of C
 * strings end, or whose base64url text begins with `-` or `_`. One in seven is. What the suite makes by the way is none
 * of them, so that such a defect does not fail a scenario by chance: those that are about it make them on purpose.
 *
 * @param text unpadded base64url
 */
export function isOddHash(text: string): boolean {
  return /^[-_]/.test(text) || Buffer.from(text, 'base64url').includes(0);
}
