package sessionbinding;

import module java.base;

/** A signed JWT in JWS compact serialization (RFC 7515 §7.1), read but not yet believed. */
record Jwt(Map<String, Object> header, Map<String, Object> claims, byte[] signingInput, byte[] signature) {

    static Jwt parse(String compact) throws MalformedException {
        String[] parts = compact.split("\\.", 4); // a fourth part is not looked at, only noticed
        if (parts.length != 3) throw new MalformedException("does not have three parts");
        Map<String, Object> header = Json.object(Base64Url.decode(parts[0]));
        // No extension is understood here, so none can be critical (RFC 7515 §4.1.11). With b64, the payload is not base64url (RFC 7797).
        if (header.containsKey("crit") || header.containsKey("b64")) throw new MalformedException("demands an extension that is not understood");
        Map<String, Object> claims = Json.object(Base64Url.decode(parts[1]));
        byte[] signingInput = (parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII);
        return new Jwt(header, claims, signingInput, Base64Url.decode(parts[2]));
    }

    static String sign(Map<String, Object> header, Map<String, Object> claims, Algorithm algorithm, PrivateKey key)
            throws GeneralSecurityException {
        String input = part(header) + "." + part(claims);
        return input + "." + Base64Url.encode(algorithm.sign(input.getBytes(StandardCharsets.US_ASCII), key));
    }

    private static String part(Map<String, Object> members) {
        return Base64Url.encode(Json.write(members).getBytes(StandardCharsets.UTF_8));
    }

    boolean isSignedBy(PublicKey key) {
        return Algorithm.named(header.get("alg")).filter(algorithm -> algorithm.verifies(signature, signingInput, key)).isPresent();
    }

    /** A NumericDate (RFC 7519 §2), which may have a fraction. */
    static OptionalDouble date(Map<String, Object> claims, String name) {
        return claims.get(name) instanceof Double seconds && Double.isFinite(seconds) ? OptionalDouble.of(seconds) : OptionalDouble.empty();
    }
}
