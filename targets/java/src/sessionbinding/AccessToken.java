package sessionbinding;

import module java.base;

/**
 * A JWT access token (RFC 9068) that has been validated.
 *
 * @param hash what a proof for this token has as {@code ath}
 * @param thumbprint of the client certificate it is bound to (RFC 8705 §3.1), or {@code null} for a token without {@code cnf}
 * @param demandsProof whether {@code cnf.tls_exp} binds each use of it to a TLS connection (draft -06 §2.4)
 */
record AccessToken(String hash, String subject, Set<String> scope, Instant expiry, String thumbprint, boolean demandsProof) {

    /** Validates what comes from one issuer for one audience. */
    record Validator(String issuer, String audience, KeySet keys) {
        private static final Duration SKEW = Duration.ofSeconds(5);

        /** RFC 9068 §4. Done for each request, so that a token which expires is refused at once, whatever was verified before. */
        AccessToken validate(String compact) throws Refusal {
            try {
                Jwt jwt = Jwt.parse(compact);
                String typ = jwt.header().get("typ") instanceof String text ? text.toLowerCase(Locale.ROOT) : "";
                require(typ.equals("at+jwt") || typ.equals("application/at+jwt"), "has another typ");
                // The signature before the claims: nothing is decided by what the issuer has not said.
                require(keys.verifies(jwt), "is not signed by the issuer");
                return read(compact, jwt.claims());
            } catch (MalformedException e) {
                throw Refusal.invalidToken("the access token " + e.getMessage());
            }
        }

        private AccessToken read(String compact, Map<String, Object> claims) throws MalformedException {
            Instant now = Instant.now();
            require(issuer.equals(claims.get("iss")), "is of another issuer");
            Object aud = claims.get("aud");
            require(audience.equals(aud) || aud instanceof List<?> list && list.contains(audience), "is for another audience");
            Instant expiry = instant(claims, "exp");
            require(now.isBefore(expiry), "has expired");
            require(!claims.containsKey("nbf") || !instant(claims, "nbf").isAfter(now.plus(SKEW)), "is not valid yet");
            require(!instant(claims, "iat").isAfter(now.plus(SKEW)), "is issued in the future");
            for (String name : List.of("sub", "client_id", "jti")) require(claims.get(name) instanceof String, "lacks " + name);
            Object scope = claims.getOrDefault("scope", "");
            require(scope instanceof String, "has a scope that is not a string");
            Map<?, ?> confirmation = confirmation(claims);
            return new AccessToken(
                    Base64Url.sha256(compact.getBytes(StandardCharsets.US_ASCII)),
                    (String) claims.get("sub"),
                    Set.copyOf(Arrays.asList(((String) scope).split(" "))),
                    expiry,
                    confirmation == null ? null : (String) confirmation.get("x5t#S256"),
                    confirmation != null && confirmation.containsKey("tls_exp"));
        }

        /**
         * Fails closed: a token that says it is bound, in a way that cannot be checked here, is no bearer token.
         *
         * @return {@code null} if the token is not bound, or a {@code cnf} with a thumbprint
         */
        private static Map<?, ?> confirmation(Map<String, Object> claims) throws MalformedException {
            if (!claims.containsKey("cnf")) return null;
            if (!(claims.get("cnf") instanceof Map<?, ?> confirmation)) throw new MalformedException("has a cnf that is not an object");
            // draft -06 §2.4: a session-bound token has both members. Other members do not disturb (RFC 7800 §3.1).
            require(confirmation.get("x5t#S256") instanceof String, "has a cnf without a certificate thumbprint");
            // draft -06 §2.2 fixes the label: a token that demands another one is not understood, and not to be served as if unbound.
            require(!confirmation.containsKey("tls_exp") || Tls.EXPORTER_LABEL.equals(confirmation.get("tls_exp")), "demands another exporter label");
            return confirmation;
        }

        private static Instant instant(Map<String, Object> claims, String name) throws MalformedException {
            OptionalDouble seconds = Jwt.date(claims, name);
            require(seconds.isPresent(), "lacks " + name);
            return Instant.ofEpochSecond((long) Math.clamp(seconds.getAsDouble(), -1e11, 1e11)); // what an Instant can hold
        }

        private static void require(boolean condition, String otherwise) throws MalformedException {
            if (!condition) throw new MalformedException(otherwise);
        }
    }
}
