package sessionbinding;

import module java.base;

import java.security.cert.CertificateException;

/** The role resource-server: HTTPS with client certificates, and every path protected by session binding. */
final class ResourceServer {
    private static final Duration HANDSHAKE_TIME = Duration.ofSeconds(10);
    private static final Duration IDLE_TIME = Duration.ofMinutes(2);
    private static final Pattern BEARER = Pattern.compile("bearer(?: +(.*))?", Pattern.CASE_INSENSITIVE);
    private static final String PROTECTED = "/resource";
    private static final String SCOPE = "tsbt.scoped";

    private final AccessToken.Validator tokens;
    private final ProofVerifier proofs = new ProofVerifier();
    private final AtomicLong counter = new AtomicLong();
    private volatile SSLContext tls;

    ResourceServer(AccessToken.Validator tokens, SSLContext tls) {
        this.tokens = tokens;
        this.tls = tls;
    }

    /** From now on new connections get this certificate. */
    void rotate(SSLContext renewed) {
        tls = renewed;
    }

    void serve(Socket accepted) throws IOException {
        try (var socket = (SSLSocket) tls.getSocketFactory().createSocket(accepted, null, true)) { // this overload is the server's side
            SSLParameters parameters = Tls.parameters();
            // Requested, not demanded: who has none is told in HTTP what is missing.
            parameters.setWantClientAuth(true);
            socket.setSSLParameters(parameters);
            socket.setSoTimeout((int) HANDSHAKE_TIME.toMillis());
            var connection = new ClientConnection(Tls.handshake(socket));
            socket.setSoTimeout((int) IDLE_TIME.toMillis());
            serve(socket, connection);
        }
    }

    private void serve(SSLSocket socket, ClientConnection connection) throws IOException {
        var reader = new Http.Reader(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        try {
            for (Http.Request request = reader.request(); request != null; request = reader.request()) {
                if (!answer(request, connection, reader, out)) {
                    Http.endAfterResponse(socket);
                    return;
                }
            }
        } catch (Http.Unacceptable e) {
            Main.log("refused: " + e.status + " " + e.getMessage());
            out.write(new Answer(e.status, "{}").message(false, true));
            Http.endAfterResponse(socket);
        }
    }

    /** Whether the connection stays open afterwards. It does after a refusal: the next attempt needs a proof for this very connection. */
    private boolean answer(Http.Request request, ClientConnection connection, Http.Reader reader, OutputStream out) throws IOException {
        AccessToken token = null;
        Answer answer = null;
        try {
            token = authorize(request, connection);
        } catch (Refusal refusal) {
            answer = Answer.refused(refusal);
        }
        boolean stays = request.keepsConnection();
        if (request.expectsContinue()) {
            if (answer == null) out.write(Http.message(Http.statusLine(100), List.of(), new byte[0]));
            else stays = false; // the body need not come now, but it may
        }
        // The whole request has arrived before it has an effect; what is left of it must not be taken for the next one.
        if (answer == null || !request.expectsContinue()) reader.body(request);
        if (answer == null) answer = resource(request, token);
        out.write(answer.message(request.method().equals("HEAD"), !stays));
        return stays;
    }

    /** draft -06 §3.3.2 step 5, for each request. There is no path without it, so no path's spelling can lead around it. */
    private AccessToken authorize(Http.Request request, ClientConnection connection) throws Refusal {
        List<String> credentials = request.fields().all("Authorization");
        if (credentials.size() > 1) throw Refusal.invalidRequest("there is more than one Authorization field");
        Matcher bearer = BEARER.matcher(credentials.isEmpty() ? "" : credentials.getFirst());
        if (!bearer.matches()) throw Refusal.noToken();
        if (bearer.group(1) == null) throw Refusal.invalidToken("the access token is missing");
        AccessToken token = tokens.validate(bearer.group(1)); // step b

        if (token.thumbprint() != null) { // step c, and RFC 8705 §3 for tokens without tls_exp
            if (connection.certificate == null) throw Refusal.invalidToken("the access token is bound to a certificate, and the client showed none");
            if (!token.thumbprint().equals(connection.thumbprint)) throw Refusal.invalidToken("the access token is bound to another certificate");
            try {
                connection.certificate.checkValidity(); // it may expire while the connection lasts, or between two that share a session
            } catch (CertificateException _) {
                throw Refusal.invalidToken("the client certificate has expired");
            }
        }

        List<String> proof = request.fields().all("Session-Binding-Proof"); // step d
        if (proof.size() > 1) throw Refusal.invalidProof("there is more than one Session-Binding-Proof field");
        if (proof.isEmpty() && token.demandsProof()) throw Refusal.useSessionBinding();
        // A token that demands no proof may come with one, and then it has to be right.
        if (!proof.isEmpty()) proofs.verify(proof.getFirst(), token, connection, request);

        boolean isScoped = request.path().equals(PROTECTED + "/scoped") || request.path().startsWith(PROTECTED + "/scoped/");
        if (isScoped && !token.scope().contains(SCOPE)) throw Refusal.insufficientScope(SCOPE);
        return token;
    }

    private Answer resource(Http.Request request, AccessToken token) {
        String path = request.path();
        if (path.equals(PROTECTED + "/counter"))
            return switch (request.method()) {
                case "POST" -> new Answer(200, Json.write(Map.of("count", counter.incrementAndGet())));
                case "GET", "HEAD" -> new Answer(200, Json.write(Map.of("count", counter.get())));
                default -> new Answer(405, "{}", new Http.Field("Allow", "GET, HEAD, POST"));
            };
        if (path.equals(PROTECTED) || path.startsWith(PROTECTED + "/")) return new Answer(200, Json.write(Map.of("sub", token.subject())));
        return new Answer(404, "{}");
    }

    private record Answer(int status, String json, Http.Field... fields) {
        static Answer refused(Refusal refusal) {
            Main.log("refused: " + refusal.getMessage());
            return new Answer(refusal.status, "{}", new Http.Field("WWW-Authenticate", refusal.challenge));
        }

        byte[] message(boolean isHead, boolean isLast) {
            byte[] body = json.getBytes(StandardCharsets.UTF_8);
            var all = new ArrayList<>(List.of(fields));
            all.add(new Http.Field("Date", Http.date()));
            all.add(new Http.Field("Content-Type", "application/json"));
            all.add(new Http.Field("Content-Length", String.valueOf(body.length)));
            all.add(new Http.Field("Cache-Control", "no-store"));
            if (isLast) all.add(new Http.Field("Connection", "close"));
            return Http.message(Http.statusLine(status), all, isHead ? new byte[0] : body);
        }
    }
}
