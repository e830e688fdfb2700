package sessionbinding;

import module java.base;

import java.security.cert.X509Certificate;

/** The resource server that a sidecar calls, and the connections to it that are free to be used again. */
final class Upstream {
    /** Those that may be sent twice when nobody knows whether the first arrived (RFC 9110 §9.2.2). */
    private static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS", "PUT", "DELETE");

    final String authority;
    private final String host;
    private final int port;
    private final boolean isPerRequest;
    private final List<X509Certificate> anchors;
    private final Deque<UpstreamConnection> idle = new ConcurrentLinkedDeque<>();
    private volatile Credentials credentials;

    /** A certificate, and the context that presents it: taken together by each new connection, replaced together. */
    private record Credentials(Identity identity, SSLContext tls) {}

    Upstream(URI server, boolean isPerRequest, Identity identity, List<X509Certificate> anchors) throws IOException, GeneralSecurityException {
        if (!"https".equals(server.getScheme()) || server.getHost() == null) throw new IllegalArgumentException("the upstream is not an https server");
        authority = server.getRawAuthority();
        host = server.getHost().replaceAll("[\\[\\]]", "");
        port = server.getPort() < 0 ? 443 : server.getPort();
        this.isPerRequest = isPerRequest;
        this.anchors = anchors;
        rotate(identity);
    }

    /**
     * From now on requests go out on connections with this certificate. Those of the time before end when their request does: the next token
     * may be bound to the new certificate, and would be refused there (draft -06 Appendix C.2).
     */
    void rotate(Identity renewed) throws IOException, GeneralSecurityException {
        credentials = new Credentials(renewed, Tls.context(renewed, anchors));
        idle.forEach(UpstreamConnection::close);
    }

    /** Opens a connection before the first request, which then need not wait for a handshake, nor for the JVM to load what it needs for one. */
    void prepare() throws GeneralSecurityException {
        try {
            idle.addFirst(open());
        } catch (IOException e) {
            Main.log("upstream: " + e); // it may come up later
        }
    }

    /**
     * Sends a request. First the connection is chosen and then the proof made, for that connection (draft -06 §3.3.2 step 3); when the request
     * has to move to another one, it gets another proof there.
     */
    Http.Response send(OutboundRequest request) throws IOException, GeneralSecurityException {
        for (UpstreamConnection connection = idle.pollFirst(); connection != null; connection = idle.pollFirst()) {
            if (connection.identity != credentials.identity) {
                connection.close();
                continue;
            }
            try {
                return send(request, connection);
            } catch (UpstreamConnection.UnansweredException e) {
                if (!e.wasSent) continue; // it had ended unnoticed
                // A connection that stood idle may end just as a request is written to it. That is worth one more attempt, if it is harmless.
                if (!IDEMPOTENT.contains(request.method())) throw e;
                break;
            }
        }
        return send(request, open());
    }

    private Http.Response send(OutboundRequest request, UpstreamConnection connection) throws IOException, GeneralSecurityException {
        boolean isReusable = false;
        try {
            Http.Response response = connection.send(request);
            isReusable = response.keepsConnection();
            if (isReusable) idle.addFirst(connection); // the last used first, so that few are kept busy and proofs are used again
            return response;
        } finally {
            if (!isReusable) connection.close();
        }
    }

    private UpstreamConnection open() throws IOException, GeneralSecurityException {
        Credentials current = credentials;
        return new UpstreamConnection(current.tls, current.identity, host, port, authority, isPerRequest, idle::remove);
    }
}
