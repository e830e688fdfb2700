package sessionbinding;

import module java.base;

/** Decides whether a Session-Binding Proof binds a token to the connection that both arrived on (draft -06 §2.3, §3.3.2 steps e to i). */
final class ProofVerifier {
    /** What of the request a proof may be bound to (draft -06 §2.3.2.2). */
    private static final Set<String> PER_REQUEST = Set.of("jti", "htm", "htu");

    /** How old a proof may be when it is first seen on its connection (step h). */
    private static final Duration WINDOW = Duration.ofMinutes(5);

    /** How far the client's clock may be ahead. */
    private static final Duration SKEW = Duration.ofMinutes(1);

    private final ReplayGuard replays = new ReplayGuard();

    void verify(String compact, AccessToken token, ClientConnection connection, Http.Request request) throws Refusal {
        if (connection.certificate == null) throw Refusal.invalidProof("the connection has no client certificate");
        // The very proof that was verified for this token on this connection. Anything else is verified in full, so that a wrong proof is
        // refused on a connection where a right one was seen. A proof that names a request is never remembered (step i holds each time).
        if (connection.hasVerified(token, compact)) return;
        try {
            Jwt proof = Jwt.parse(compact);
            check(proof, token, connection);
            if (Collections.disjoint(proof.claims().keySet(), PER_REQUEST)) connection.remember(token, compact);
            else checkRequest(proof.claims(), token, request);
        } catch (MalformedException e) {
            throw Refusal.invalidProof("the proof " + e.getMessage());
        }
    }

    private static void check(Jwt proof, AccessToken token, ClientConnection connection) throws MalformedException {
        // §2.3.1, RFC 8725 §3.11: explicit typing, so that no other JWT signed with the same key passes for a proof.
        require("tls-binding-proof+jwt".equals(proof.header().get("typ")), "has another typ");
        require(connection.thumbprint.equals(proof.header().get("x5t#S256")), "names another certificate");
        // Step e: the key of this connection's certificate and no other. What the header offers as a key (jwk, x5c, jku, kid) is not looked at.
        require(proof.isSignedBy(connection.certificate.getPublicKey()), "is not signed with the key of the client certificate");

        Map<String, Object> claims = proof.claims();
        require(isSame(connection.exporterValue, claims.get("ekm")), "has an ekm that is not this connection's"); // step f
        require(isSame(token.hash(), claims.get("ath")), "has an ath that is not this token's"); // step g
        double now = System.currentTimeMillis() / 1000.0;
        double iat = Jwt.date(claims, "iat").orElseThrow(() -> new MalformedException("lacks iat")); // step h
        require(iat > now - WINDOW.toSeconds() && iat < now + SKEW.toSeconds(), "has an iat outside of the window");
        // Not claims of the draft, but a JWT must not be used outside of its own times (RFC 7519 §4.1.4, §4.1.5).
        if (claims.containsKey("exp")) require(now < Jwt.date(claims, "exp").orElse(0), "has expired");
        if (claims.containsKey("nbf")) require(now + SKEW.toSeconds() > Jwt.date(claims, "nbf").orElse(Double.MAX_VALUE), "is not valid yet");
    }

    /** Step i. The identifier comes last: only a proof that is right in all else uses it up, so nobody can use up another's. */
    private void checkRequest(Map<String, Object> claims, AccessToken token, Http.Request request) throws MalformedException {
        if (claims.containsKey("htm")) require(request.method().equals(claims.get("htm")), "has an htm that is not this method");
        if (claims.containsKey("htu"))
            require(claims.get("htu") instanceof String htu && isTarget(htu, request), "has an htu that is not this target");
        if (claims.containsKey("jti")) {
            require(claims.get("jti") instanceof String jti && !jti.isEmpty(), "has a jti that is not an identifier");
            require(replays.isFirst(token, (String) claims.get("jti")), "has a jti that was used before");
        }
    }

    /**
     * The text of the draft has the target URI, its example a path: either is taken. Query and fragment count on neither side, and of an
     * absolute URI scheme and host are compared as RFC 3986 §6.2.2.1 and §6.2.3 have it. The path is compared as it stands.
     */
    private static boolean isTarget(String htu, Http.Request request) {
        if (htu.startsWith("/")) return htu.replaceFirst("[?#].*", "").equals(request.path());
        try {
            var uri = new URI(htu);
            var own = new URI("https://" + request.authority());
            return "https".equalsIgnoreCase(uri.getScheme())
                    && uri.getRawUserInfo() == null
                    && uri.getHost() != null
                    && uri.getHost().equalsIgnoreCase(own.getHost())
                    && port(uri) == port(own)
                    && request.path().equals(uri.getRawPath());
        } catch (URISyntaxException _) {
            return false;
        }
    }

    private static int port(URI uri) {
        return uri.getPort() < 0 ? 443 : uri.getPort();
    }

    private static boolean isSame(String expected, Object actual) {
        return actual instanceof String text
                && MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8), text.getBytes(StandardCharsets.UTF_8));
    }

    private static void require(boolean condition, String otherwise) throws MalformedException {
        if (!condition) throw new MalformedException(otherwise);
    }
}
