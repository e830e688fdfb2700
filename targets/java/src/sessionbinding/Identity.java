package sessionbinding;

import module java.base;

import java.security.cert.X509Certificate;

/** A certificate chain, end-entity first, with its private key. Read together and replaced together: a proof names one and is signed by the other. */
record Identity(List<X509Certificate> chain, PrivateKey key) {

    static Identity read(Path certificates, Path key) throws IOException, GeneralSecurityException {
        return new Identity(certificates(certificates), privateKey(Files.readString(key)));
    }

    static List<X509Certificate> certificates(Path pem) throws IOException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(pem)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in).stream().map(X509Certificate.class::cast).toList();
        }
    }

    X509Certificate certificate() {
        return chain.getFirst();
    }

    /** PKCS #8 says which algorithm the key is for, but a {@link KeyFactory} has to be chosen first. */
    private static PrivateKey privateKey(String pem) throws GeneralSecurityException {
        String base64 = pem.replaceAll("-----(BEGIN|END) PRIVATE KEY-----|\\s", "");
        var spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64));
        for (String algorithm : List.of("EC", "RSA", "Ed25519")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (InvalidKeySpecException _) {
                // for another algorithm
            }
        }
        throw new InvalidKeySpecException("the key is not an EC, RSA or Ed25519 key");
    }
}
