package sessionbinding;

import module java.base;

/** Makes the proofs for one connection, and keeps those that can be used again. It ends with its connection, and so do they. */
final class ProofMaker {
    /** A server that has never seen the proof, or has forgotten it, compares {@code iat} with its clock (draft -06 §3.3.2 step h). */
    private static final long RENEWAL_SECONDS = 60;

    /** How many tokens one connection keeps a proof for. */
    private static final int PROOFS = 256;

    private record Proof(String compact, long issuedAt) {}

    private final Identity identity;
    private final String exporterValue;
    private final Algorithm algorithm;

    /** From token to proof, the longest unused first. */
    private final Map<String, Proof> reusable = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Proof> eldest) {
            return size() > PROOFS;
        }
    };

    /** @param identity what this side has authenticated with on the connection, whatever new connections use by now */
    ProofMaker(Identity identity, String exporterValue) throws InvalidKeyException {
        this.identity = identity;
        this.exporterValue = exporterValue;
        algorithm = Algorithm.of(identity.certificate().getPublicKey());
    }

    /** One proof serves all requests with its token (draft -06 §3.3.1). */
    String forToken(String token) throws GeneralSecurityException {
        Proof proof = reusable.get(token);
        long now = Instant.now().getEpochSecond();
        if (proof == null || now - proof.issuedAt >= RENEWAL_SECONDS) {
            proof = new Proof(make(token, now, Map.of()), now);
            reusable.put(token, proof);
        }
        return proof.compact;
    }

    /** A proof with claims of the request (draft -06 §2.3.2.2) is used once; what fits no other request is not kept. */
    String forRequest(String token, String method, String targetUri) throws GeneralSecurityException {
        return make(token, Instant.now().getEpochSecond(), Map.of("jti", UUID.randomUUID().toString(), "htm", method, "htu", targetUri));
    }

    /** The server did not take it. */
    void forget(String token) {
        reusable.remove(token);
    }

    private String make(String token, long now, Map<String, String> more) throws GeneralSecurityException {
        var header = new LinkedHashMap<String, Object>();
        header.put("typ", "tls-binding-proof+jwt");
        header.put("alg", algorithm.name());
        header.put("x5t#S256", Tls.thumbprint(identity.certificate()));
        var claims = new LinkedHashMap<String, Object>();
        claims.put("ath", Base64Url.sha256(token.getBytes(StandardCharsets.US_ASCII)));
        claims.put("ekm", exporterValue);
        claims.put("iat", now);
        claims.putAll(more);
        return Jwt.sign(header, claims, algorithm, identity.key());
    }
}
