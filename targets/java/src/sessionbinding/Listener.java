package sessionbinding;

import module java.base;

/** Accepts connections, and serves each in a virtual thread of its own. */
final class Listener {
    @FunctionalInterface
    interface Handler {
        void serve(Socket socket) throws IOException;
    }

    /** So many connections fit into a small container; more wait in the backlog. */
    private static final int CONNECTIONS = 1000;

    private Listener() {}

    static void listen(InetSocketAddress address, Handler handler) throws IOException, InterruptedException {
        var free = new Semaphore(CONNECTIONS);
        try (var listener = new ServerSocket()) {
            listener.setReuseAddress(true);
            listener.bind(address, 256);
            while (true) {
                free.acquire();
                Socket socket = listener.accept();
                Thread.ofVirtual().start(() -> {
                    try (socket) {
                        socket.setTcpNoDelay(true);
                        handler.serve(socket);
                    } catch (IOException e) {
                        Main.log("connection ended: " + e);
                    } finally {
                        free.release();
                    }
                });
            }
        }
    }
}
