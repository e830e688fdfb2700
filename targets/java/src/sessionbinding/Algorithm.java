package sessionbinding;

import module java.base;

import java.security.Signature;

/**
 * The JWS algorithms (RFC 7518, 8037, 9864) that are allowed: digital signatures only, since a proof under a symmetric key, or under none,
 * proves possession of nothing (draft -06 §2.3.1). Each knows the keys it suits, so that the header of a JWT chooses among the algorithms of
 * the key that is at hand, and never the key (RFC 8725 §3.1, §3.2).
 */
enum Algorithm {
    ES256("secp256r1", 32),
    ES384("secp384r1", 48),
    ES512("secp521r1", 66),
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    EdDSA,
    Ed25519;

    /** NIST SP 800-131A, RFC 7518 §3.3. */
    private static final int RSA_BITS = 2048;

    private final ECParameterSpec curve;
    private final int signatureLength;

    Algorithm() {
        curve = null;
        signatureLength = 0;
    }

    Algorithm(String curveName, int coordinateLength) {
        curve = curveNamed(curveName);
        signatureLength = 2 * coordinateLength;
    }

    /** What the header names, or nothing if it is not allowed. Names are matched exactly (RFC 7515 §4.1.1). */
    static Optional<Algorithm> named(Object alg) {
        return Arrays.stream(values()).filter(algorithm -> algorithm.name().equals(alg)).findFirst();
    }

    /** What this client signs with: the first that suits its key. */
    static Algorithm of(PublicKey key) throws InvalidKeyException {
        return Arrays.stream(values())
                .filter(algorithm -> algorithm.suits(key))
                .findFirst()
                .orElseThrow(() -> new InvalidKeyException("no JWS algorithm suits this " + key.getAlgorithm() + " key"));
    }

    boolean suits(PublicKey key) {
        return switch (this) {
            case ES256, ES384, ES512 -> key instanceof ECPublicKey ec
                    && ec.getParams().getCurve().equals(curve.getCurve())
                    && ec.getParams().getOrder().equals(curve.getOrder());
            // A key of id-RSASSA-PSS must not be used with PKCS #1 v1.5 (RFC 4055 §1.2).
            case RS256, RS384, RS512 -> key instanceof RSAPublicKey rsa
                    && rsa.getModulus().bitLength() >= RSA_BITS
                    && rsa.getAlgorithm().equals("RSA");
            case PS256, PS384, PS512 -> key instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() >= RSA_BITS;
            case EdDSA, Ed25519 -> key instanceof EdECPublicKey ed && ed.getParams().getName().equals("Ed25519");
        };
    }

    boolean verifies(byte[] signature, byte[] input, PublicKey key) {
        if (!suits(key) || curve != null && signature.length != signatureLength) return false;
        try {
            Signature verifier = signature();
            verifier.initVerify(key);
            verifier.update(input);
            return verifier.verify(signature);
        } catch (GeneralSecurityException _) {
            return false; // what cannot be read as a signature by this key is none
        }
    }

    byte[] sign(byte[] input, PrivateKey key) throws GeneralSecurityException {
        Signature signer = signature();
        signer.initSign(key);
        signer.update(input);
        return signer.sign();
    }

    private Signature signature() throws GeneralSecurityException {
        String bits = name().substring(2);
        return switch (this) {
            // P1363: r and s in their full length, as JWS has it (RFC 7518 §3.4); without it the JDK reads and writes DER.
            case ES256, ES384, ES512 -> Signature.getInstance("SHA" + bits + "withECDSAinP1363Format");
            case RS256, RS384, RS512 -> Signature.getInstance("SHA" + bits + "withRSA");
            case PS256, PS384, PS512 -> {
                Signature pss = Signature.getInstance("RSASSA-PSS");
                pss.setParameter(new PSSParameterSpec("SHA-" + bits, "MGF1", new MGF1ParameterSpec("SHA-" + bits), Integer.parseInt(bits) / 8, 1));
                yield pss;
            }
            case EdDSA, Ed25519 -> Signature.getInstance("Ed25519");
        };
    }

    static ECParameterSpec curveNamed(String name) {
        try {
            var parameters = AlgorithmParameters.getInstance("EC");
            parameters.init(new ECGenParameterSpec(name));
            return parameters.getParameterSpec(ECParameterSpec.class);
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError(impossible); // the provider SunEC has the three
        }
    }
}
