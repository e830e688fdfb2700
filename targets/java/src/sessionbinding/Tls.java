package sessionbinding;

import module java.base;

import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;

/** The TLS side of session binding in JSSE: contexts that are safe to export from, and the exporter. */
final class Tls {
    /** draft -06 §2.2; the only exporter that is used here. */
    static final String EXPORTER_LABEL = "EXPORTER-oauth-tls-session-bound";

    private static final int EXPORTER_LENGTH = 32;

    /** Sessions of TLS 1.3 that can be resumed; the default of 20480 would fill a small heap with certificates. */
    private static final int SESSIONS = 1000;

    private Tls() {}

    /** JSSE reads these properties once, when its first class is loaded: call it before anything else. */
    static void configure() {
        // Without the extended master secret two connections can be made to share one master secret, and exporters must not be used
        // (RFC 7627 §5.4). JSSE refuses the export then; this refuses the connection.
        System.setProperty("jdk.tls.useExtendedMasterSecret", "true");
        System.setProperty("jdk.tls.allowLegacyMasterSecret", "false");
        // After a renegotiation the connection would have another exporter value, and perhaps another client.
        System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
        // No RFC 5077 tickets, because TLS 1.2 is not to be resumed; see FullHandshakes. Tickets of TLS 1.3 then come from the session cache.
        System.setProperty("jdk.tls.server.enableSessionTicketExtension", "false");
    }

    /**
     * The exporter value of a connection (draft -06 §2.2) as {@code ekm} has it. JSSE has exporters since Java 25.
     *
     * <p>The context is "empty (zero-length)", so it is an empty array and not {@code null}: on TLS 1.2, RFC 5705 §4 makes a difference
     * between the two, and so does JSSE. On TLS 1.3 they are the same.
     */
    static String exporterValue(SSLSession session) throws SSLKeyException {
        return Base64Url.encode(((ExtendedSSLSession) session).exportKeyingMaterialData(EXPORTER_LABEL, new byte[0], EXPORTER_LENGTH));
    }

    /** RFC 8705 §3.1: over the whole certificate. */
    static String thumbprint(X509Certificate certificate) {
        try {
            return Base64Url.sha256(certificate.getEncoded());
        } catch (CertificateEncodingException impossible) {
            throw new AssertionError(impossible); // it came in this encoding
        }
    }

    /** A context for connections on which this side is {@code identity}, and the other has a certificate from one of the {@code anchors}. */
    static SSLContext context(Identity identity, List<X509Certificate> anchors) throws IOException, GeneralSecurityException {
        var password = new char[0];
        var keys = KeyStore.getInstance("PKCS12");
        keys.load(null);
        keys.setKeyEntry("own", identity.key(), password, identity.chain().toArray(X509Certificate[]::new));
        var keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keyManagers.init(keys, password);

        var trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null);
        for (int i = 0; i < anchors.size(); i++) trusted.setCertificateEntry("anchor" + i, anchors.get(i));
        var trustManagers = TrustManagerFactory.getInstance("PKIX"); // checks path, validity and extended key usage
        trustManagers.init(trusted);
        var pkix = (X509ExtendedTrustManager) trustManagers.getTrustManagers()[0];

        var context = SSLContext.getInstance("TLS");
        context.init(keyManagers.getKeyManagers(), new TrustManager[] {new FullHandshakes(pkix)}, null);
        context.getServerSessionContext().setSessionCacheSize(SESSIONS);
        return context;
    }

    /** For either side: TLS 1.3 and 1.2, and HTTP/1.1 as the only protocol in ALPN. */
    static SSLParameters parameters() {
        var parameters = new SSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setApplicationProtocols(new String[] {"http/1.1"});
        return parameters;
    }

    /**
     * Completes the first handshake, which must stay the only one. On TLS 1.2 a peer may ask for another: one that may create no session, and
     * finds none to resume, fails. (A server refuses by the property above; for a client there is no such property.)
     */
    static SSLSession handshake(SSLSocket socket) throws IOException {
        socket.startHandshake();
        SSLSession session = socket.getSession();
        if (session.getProtocol().equals("TLSv1.2")) socket.setEnableSessionCreation(false);
        return session;
    }
}
