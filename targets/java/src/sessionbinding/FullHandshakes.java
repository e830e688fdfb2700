package sessionbinding;

import module java.base;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;

/**
 * Validates certificates by PKIX, and has every TLS 1.2 connection go through a full handshake.
 *
 * <p>Why: on TLS 1.2 the exporter depends on the random values of client and server, which JSSE keeps in the session object. Connections that
 * resume a session by its id, and on the client side also by a ticket, share that one object, and each handshake overwrites them. An export on
 * the older connection then gives the value of the younger: a proof made for one connection would be taken on another. Exporting once, right
 * after the handshake, only makes the window small. A session that is invalid before its handshake ends is never resumed.
 *
 * <p>On TLS 1.3 each connection has a session object of its own, and is resumed as usual.
 */
final class FullHandshakes extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager pkix;

    FullHandshakes(X509ExtendedTrustManager pkix) {
        this.pkix = pkix;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String keyType, Socket socket) throws CertificateException {
        pkix.checkClientTrusted(chain, keyType, socket);
        forget((SSLSocket) socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String keyExchange, Socket socket) throws CertificateException {
        pkix.checkServerTrusted(chain, keyExchange, socket);
        forget((SSLSocket) socket);
    }

    private static void forget(SSLSocket socket) {
        SSLSession session = socket.getHandshakeSession();
        if (session.getProtocol().equals("TLSv1.2")) session.invalidate();
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return pkix.getAcceptedIssuers();
    }

    // JSSE calls the methods above for connections over SSLSocket, and there are no others here.

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String keyType, SSLEngine engine) throws CertificateException {
        throw new CertificateException("connections over SSLEngine are not provided for");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String keyExchange, SSLEngine engine) throws CertificateException {
        throw new CertificateException("connections over SSLEngine are not provided for");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String keyType) throws CertificateException {
        throw new CertificateException("connections without a socket are not provided for");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String keyExchange) throws CertificateException {
        throw new CertificateException("connections without a socket are not provided for");
    }
}
