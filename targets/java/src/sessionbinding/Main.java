package sessionbinding;

import module java.base;

import sun.misc.Signal;

/** Plays the role that TSBT_ROLE names, with the settings of the target contract. */
final class Main {
    private static final int NOT_THIS_ROLE = 127;

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Tls.configure();
        // The JVM would end by itself, but with status 143.
        Signal.handle(new Signal("TERM"), _ -> System.exit(0));
        String listen = setting("LISTEN");
        int colon = listen.lastIndexOf(':');
        String host = listen.substring(0, colon).replaceAll("[\\[\\]]", "");
        var address = new InetSocketAddress(host, Integer.parseInt(listen.substring(colon + 1)));
        switch (setting("ROLE")) {
            case "resource-server" -> resourceServer(address);
            case "client" -> client(address);
            default -> System.exit(NOT_THIS_ROLE);
        }
    }

    private static void resourceServer(InetSocketAddress address) throws Exception {
        var tokens = new AccessToken.Validator(setting("ISSUER"), setting("AUDIENCE"), KeySet.read(file("JWKS")));
        var anchors = Identity.certificates(file("CLIENT_CA"));
        var server = new ResourceServer(tokens, Tls.context(identity(), anchors));
        onHangup(() -> server.rotate(Tls.context(identity(), anchors)));
        Listener.listen(address, server::serve);
    }

    private static void client(InetSocketAddress address) throws Exception {
        var anchors = Identity.certificates(file("SERVER_CA"));
        boolean isPerRequest = "request".equals(System.getenv("TSBT_PROOF_CLAIMS"));
        var upstream = new Upstream(URI.create(setting("UPSTREAM")), isPerRequest, identity(), anchors);
        upstream.prepare();
        onHangup(() -> upstream.rotate(identity()));
        Listener.listen(address, new Sidecar(upstream)::serve);
    }

    private static Identity identity() throws IOException, GeneralSecurityException {
        return Identity.read(file("TLS_CERT"), file("TLS_KEY"));
    }

    @FunctionalInterface
    private interface Reload {
        void run() throws IOException, GeneralSecurityException;
    }

    /** The capability certificate-rotation. Files that cannot be used leave everything as it is. */
    private static void onHangup(Reload reload) {
        Signal.handle(new Signal("HUP"), _ -> {
            try {
                reload.run();
                log("certificate and key are reloaded");
            } catch (IOException | GeneralSecurityException e) {
                log("certificate and key are kept: " + e);
            }
        });
    }

    private static String setting(String name) {
        return Objects.requireNonNull(System.getenv("TSBT_" + name), () -> "TSBT_" + name + " is not set");
    }

    private static Path file(String name) {
        return Path.of(setting(name + "_FILE"));
    }

    static void log(String line) {
        System.err.println(line);
    }
}
