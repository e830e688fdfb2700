package sessionbinding;

import module java.base;

import java.security.cert.X509Certificate;

/**
 * What the resource server knows of one TLS connection: whose it is, its exporter value, and the tokens whose binding to it was verified.
 *
 * <p>One object per connection, reachable only from the thread that serves it: it cannot be found by another connection, and is gone with its
 * own (draft -06 §3.3.2). Do not keep such state in the {@link javax.net.ssl.SSLSession}, which looks made for it: the JDK hands the values of
 * {@code putValue} on to every connection that resumes the session, and calls two sessions equal when their ids are.
 */
final class ClientConnection {
    /** What one connection can make the server remember. A binding that is forgotten is verified again. */
    private static final int BINDINGS = 64;

    /** The certificate that the client has authenticated with on this connection, if any. */
    final X509Certificate certificate;

    /** RFC 8705 §3.1; {@code null} without a certificate. */
    final String thumbprint;

    /** What a proof has as {@code ekm}; {@code null} without a certificate. */
    final String exporterValue;

    /** From the hash of each token to the proof that was verified with it, the longest unused first. */
    private final Map<String, String> verified = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
            return size() > BINDINGS;
        }
    };

    /** Right after the handshake, once: the exporter value of a connection does not change (draft -06 §2.2), and can be had only while it is up. */
    ClientConnection(SSLSession session) throws SSLException {
        X509Certificate peer = null;
        try {
            peer = (X509Certificate) session.getPeerCertificates()[0]; // the end-entity certificate; the rest of the chain binds nothing
        } catch (SSLPeerUnverifiedException _) {
            // the client showed none, and gets its answer in HTTP
        }
        certificate = peer;
        thumbprint = peer == null ? null : Tls.thumbprint(peer);
        exporterValue = peer == null ? null : Tls.exporterValue(session);
    }

    boolean hasVerified(AccessToken token, String proof) {
        return proof.equals(verified.get(token.hash()));
    }

    void remember(AccessToken token, String proof) {
        verified.put(token.hash(), proof);
    }
}
