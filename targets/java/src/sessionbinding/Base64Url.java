package sessionbinding;

import module java.base;

/** base64url without padding (RFC 7515 §2), and the hashes that are written in it. */
final class Base64Url {
    private Base64Url() {}

    static String encode(byte[] octets) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(octets);
    }

    /**
     * Refuses every spelling but the canonical one. {@link Base64.Decoder} takes padding, and any value for the unused bits of the last
     * character: several texts would then stand for the same signature or hash.
     */
    static byte[] decode(String text) throws MalformedException {
        try {
            byte[] octets = Base64.getUrlDecoder().decode(text);
            if (encode(octets).equals(text)) return octets;
        } catch (IllegalArgumentException _) {
            // the same as not canonical
        }
        throw new MalformedException("is not base64url without padding");
    }

    /** The form of {@code ath} and {@code x5t#S256}. */
    static String sha256(byte[] octets) {
        try {
            return encode(MessageDigest.getInstance("SHA-256").digest(octets));
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible); // every Java platform has SHA-256
        }
    }
}
