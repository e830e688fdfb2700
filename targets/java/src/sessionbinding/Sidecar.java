package sessionbinding;

import module java.base;

/**
 * The role client, as the sidecar of draft -06 Appendix B: agents speak plain HTTP to it, it speaks to one resource server over mutual TLS, and
 * adds a proof to each request with a bearer token. Agents are not trusted: what they say of proofs and certificates is not passed on, and
 * they are shown neither proofs nor keys (Appendix B.4).
 */
final class Sidecar {
    private static final Duration IDLE_TIME = Duration.ofMinutes(2);
    private static final Pattern BEARER = Pattern.compile("bearer +([A-Za-z0-9._~+/-]+=*)", Pattern.CASE_INSENSITIVE);

    /** CONNECT would tunnel past the proofs; the answer to TRACE would show the agent the proof in its own request. */
    private static final Set<String> NOT_ALLOWED = Set.of("CONNECT", "TRACE");

    /** What only the connection can tell, in -06 and in earlier revisions with their TLS-terminating proxies. */
    private static final Set<String> BINDING = Set.of("session-binding-proof", "tls-exporter", "client-cert", "client-cert-chain");

    /** RFC 9110 §7.6.1, and those that are written anew for each hop. */
    private static final Set<String> HOP_BY_HOP = Set.of(
            "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
            "upgrade", "content-length", "host", "expect");

    private final Upstream upstream;

    Sidecar(Upstream upstream) {
        this.upstream = upstream;
    }

    void serve(Socket agent) throws IOException {
        agent.setSoTimeout((int) IDLE_TIME.toMillis());
        var reader = new Http.Reader(agent.getInputStream());
        OutputStream out = agent.getOutputStream();
        try {
            for (Http.Request request = reader.request(); request != null; request = reader.request()) {
                if (request.expectsContinue()) out.write(Http.message(Http.statusLine(100), List.of(), new byte[0]));
                byte[] body = reader.body(request);
                out.write(relay(request, body));
                if (!request.keepsConnection()) break;
            }
            Http.endAfterResponse(agent);
        } catch (Http.Unacceptable e) {
            out.write(own(e.status, "close"));
            Http.endAfterResponse(agent);
        }
    }

    /** What goes wrong is said to the agent in a status and no words: an error's text may quote what it must not see. */
    private byte[] relay(Http.Request request, byte[] body) {
        String connection = request.keepsConnection() ? "keep-alive" : "close";
        if (NOT_ALLOWED.contains(request.method())) return own(405, connection);
        // Neither the target nor Host chooses the server: tokens and proofs go to the one that is configured.
        if (!request.target().startsWith("/")) return own(421, connection);
        List<String> credentials = request.fields().all("Authorization");
        if (credentials.size() > 1) return own(400, connection);
        Matcher bearer = BEARER.matcher(credentials.isEmpty() ? "" : credentials.getFirst());
        boolean hasBody = !request.fields().all("Content-Length").isEmpty() || !request.fields().all("Transfer-Encoding").isEmpty();
        try {
            Http.Response response = upstream.send(new OutboundRequest(
                    request.method(),
                    request.target(),
                    bearer.matches() ? bearer.group(1) : null,
                    passedOn(request.fields()),
                    hasBody ? body : null));
            var fields = new ArrayList<>(passedOn(response.fields()));
            if (request.method().equals("HEAD") || response.status() == 304)
                response.fields().all("Content-Length").stream().findFirst().ifPresent(length -> fields.add(new Http.Field("Content-Length", length)));
            else if (response.status() != 204) fields.add(new Http.Field("Content-Length", String.valueOf(response.body().length)));
            fields.add(new Http.Field("Connection", connection));
            return Http.message(Http.statusLine(response.status()), fields, response.body());
        } catch (SocketTimeoutException e) {
            Main.log("upstream: " + e);
            return own(504, connection);
        } catch (IOException | GeneralSecurityException e) {
            Main.log("upstream: " + e);
            return own(502, connection);
        }
    }

    private static byte[] own(int status, String connection) {
        return Http.message(
                Http.statusLine(status), List.of(new Http.Field("Content-Length", "0"), new Http.Field("Connection", connection)), new byte[0]);
    }

    /** Both ways. Many servers take _ in a field name for -, so both spellings of a name are left out. */
    private static List<Http.Field> passedOn(Http.Fields fields) {
        Set<String> named = fields.members("Connection");
        return fields.list().stream()
                .filter(field -> {
                    String name = field.name().toLowerCase(Locale.ROOT);
                    return !HOP_BY_HOP.contains(name) && !named.contains(name) && !BINDING.contains(name.replace('_', '-'));
                })
                .toList();
    }
}
