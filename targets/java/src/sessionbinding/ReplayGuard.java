package sessionbinding;

import module java.base;

/** The {@code jti} of the proofs that were taken, each for as long as its token is valid (draft -06 §2.3.2.2). */
final class ReplayGuard {
    /** Some 20 MB. When so many tokens with so many proofs are in use at once, proofs with an identifier are refused rather than not compared. */
    private static final int CAPACITY = 100_000;

    private final Map<String, Instant> expiryOfUsed = new HashMap<>();

    /** Whether this is the first use with this token; it is noted as used. Both at once, so that of two connections only one gets the yes. */
    synchronized boolean isFirst(AccessToken token, String jti) {
        if (expiryOfUsed.size() >= CAPACITY) {
            Instant now = Instant.now();
            expiryOfUsed.values().removeIf(now::isAfter);
            if (expiryOfUsed.size() >= CAPACITY) return false;
        }
        // The hash has a fixed length, so that no jti of one token can look like one of another, and a long one takes no more room.
        String key = Base64Url.sha256((token.hash() + jti).getBytes(StandardCharsets.UTF_8));
        return expiryOfUsed.putIfAbsent(key, token.expiry()) == null;
    }
}
