package sessionbinding;

import module java.base;

/**
 * One mutual TLS connection to the resource server, used for one request at a time. java.net.http.HttpClient cannot take its place: it chooses
 * the connection after the fields of the request are set, and shows neither the connection nor its exporter.
 *
 * <p>A thread of its own reads, also while nothing is asked: so the server's end of an idle connection is noticed at once, and not by the next
 * request.
 */
final class UpstreamConnection {
    private static final int CONNECT_MS = 5_000;
    private static final long RESPONSE_SECONDS = 60;

    /** The connection ended before the first octet of a response. */
    static final class UnansweredException extends IOException {
        private static final long serialVersionUID = 1;

        /** Whether the request may have had an effect all the same. */
        final boolean wasSent;

        UnansweredException(boolean wasSent) {
            super("the server ended the connection without a response");
            this.wasSent = wasSent;
        }
    }

    private record Exchange(String method, CompletableFuture<Http.Response> response) {}

    /** What this side has authenticated with, for as long as the connection lasts (draft -06 §2.3.3). */
    final Identity identity;

    private final String authority;
    private final boolean isPerRequest;
    private final SSLSocket socket;
    private final ProofMaker proofs;
    private final AtomicReference<Exchange> pending = new AtomicReference<>();
    private volatile boolean hasEnded;

    /** @param onEnd is told when the connection is of no further use, whoever ended it */
    UpstreamConnection(
            SSLContext tls, Identity identity, String host, int port, String authority, boolean isPerRequest, Consumer<UpstreamConnection> onEnd)
            throws IOException, GeneralSecurityException {
        this.identity = identity;
        this.authority = authority;
        this.isPerRequest = isPerRequest;
        var tcp = new Socket();
        try {
            tcp.connect(new InetSocketAddress(host, port), CONNECT_MS);
            tcp.setTcpNoDelay(true);
            tcp.setSoTimeout(CONNECT_MS);
            socket = (SSLSocket) tls.getSocketFactory().createSocket(tcp, host, port, true);
            SSLParameters parameters = Tls.parameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS"); // without it JSSE would take any server with a trusted certificate
            socket.setSSLParameters(parameters);
            SSLSession session = Tls.handshake(socket);
            // A server that asks for no certificate knows nothing of this side: a proof there would tie the token to nobody (draft -06 §3.1).
            if (session.getLocalCertificates() == null) throw new SSLException("the server asked for no client certificate");
            proofs = new ProofMaker(identity, Tls.exporterValue(session));
            socket.setSoTimeout(0);
        } catch (IOException | GeneralSecurityException e) {
            tcp.close();
            throw e;
        }
        Thread.ofVirtual().start(() -> read(onEnd));
    }

    Http.Response send(OutboundRequest request) throws IOException, GeneralSecurityException {
        byte[] message = message(request);
        var exchange = new Exchange(request.method(), new CompletableFuture<>());
        pending.set(exchange);
        if (hasEnded) throw new UnansweredException(false);
        try {
            socket.getOutputStream().write(message);
        } catch (IOException _) {
            close(); // the server may have answered before: the reading thread knows
        }
        try {
            Http.Response response = exchange.response.get(RESPONSE_SECONDS, TimeUnit.SECONDS);
            // Whatever the 401 says, it is handed to the agent, and if it comes again the proof is a new one. Nothing is repeated from here:
            // a request may have an effect even when it is refused (RFC 9110 §9.2.2).
            if (response.status() == 401 && request.token() != null) proofs.forget(request.token());
            return response;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        } catch (TimeoutException _) {
            throw new SocketTimeoutException("the server did not answer in time");
        } catch (InterruptedException _) {
            throw new InterruptedIOException();
        }
    }

    private byte[] message(OutboundRequest request) throws GeneralSecurityException {
        var fields = new ArrayList<Http.Field>();
        fields.add(new Http.Field("Host", authority));
        fields.addAll(request.fields());
        if (request.token() != null) {
            String proof = isPerRequest
                    ? proofs.forRequest(request.token(), request.method(), "https://" + authority + request.target().replaceFirst("\\?.*", ""))
                    : proofs.forToken(request.token());
            fields.add(new Http.Field("Session-Binding-Proof", proof));
        }
        byte[] body = request.body() == null ? new byte[0] : request.body();
        if (request.body() != null) fields.add(new Http.Field("Content-Length", String.valueOf(body.length)));
        return Http.message(request.method() + " " + request.target() + " HTTP/1.1", fields, body);
    }

    private void read(Consumer<UpstreamConnection> onEnd) {
        IOException end = new UnansweredException(true);
        try (socket) {
            var reader = new Http.Reader(socket.getInputStream());
            for (Http.Response response = reader.response(this::method); response != null; response = reader.response(this::method))
                pending.getAndSet(null).response.complete(response);
        } catch (IOException e) {
            end = e;
        }
        hasEnded = true;
        onEnd.accept(this);
        Exchange unanswered = pending.getAndSet(null);
        if (unanswered != null) unanswered.response.completeExceptionally(end);
    }

    private String method() throws Http.Unacceptable {
        Exchange exchange = pending.get();
        if (exchange == null) throw new Http.Unacceptable(502, "response to no request");
        return exchange.method;
    }

    void close() {
        try {
            socket.close();
        } catch (IOException _) {
            // it had ended already
        }
    }
}
