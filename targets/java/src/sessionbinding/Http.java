package sessionbinding;

import module java.base;

/**
 * HTTP/1.1 messages (RFC 9110, RFC 9112) over a stream. What two readers could understand in two ways is refused and not repaired: a proof
 * belongs to the request that it came with, so where a request begins and ends must not be a matter of taste.
 */
final class Http {
    /** For the start line and the fields together. Proofs and tokens have some 2 kB. */
    private static final int HEAD_LIMIT = 64 * 1024;

    /** The largest body that is read; bodies are held in memory. */
    private static final int BODY_LIMIT = 4 * 1024 * 1024;

    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
    private static final Pattern TARGET = Pattern.compile("[!-~&&[^#]]+");
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US);

    private Http() {}

    record Field(String name, String value) {
        boolean is(String other) {
            return name.equalsIgnoreCase(other);
        }
    }

    /** The fields of a message in their order. */
    record Fields(List<Field> list) {
        List<String> all(String name) {
            return list.stream().filter(field -> field.is(name)).map(Field::value).toList();
        }

        /** The members of a list-based field, which may be spread over several lines (RFC 9110 §5.6.1). */
        Set<String> members(String name) {
            return all(name).stream()
                    .flatMap(value -> Arrays.stream(value.split(",")))
                    .map(member -> member.strip().toLowerCase(Locale.ROOT))
                    .collect(Collectors.toSet());
        }
    }

    record Request(String method, String target, boolean isVersion10, Fields fields, String authority) {
        /** Without query; in absolute-form (RFC 9112 §3.2.2) without scheme and authority too. */
        String path() {
            String path = target.startsWith("/") ? target : target.replaceFirst("(?i)^https?://[^/?]*", "");
            return path.replaceFirst("\\?.*", "");
        }

        boolean keepsConnection() {
            return !isVersion10 && !fields.members("Connection").contains("close");
        }

        /** RFC 9110 §10.1.1; an HTTP/1.0 client cannot mean it. */
        boolean expectsContinue() {
            return !isVersion10 && fields.members("Expect").contains("100-continue");
        }
    }

    record Response(int status, boolean isVersion10, Fields fields, byte[] body) {
        boolean keepsConnection() {
            return !isVersion10
                    && !fields.members("Connection").contains("close")
                    // Without a length it ended with the connection.
                    && (!fields.all("Content-Length").isEmpty() || !fields.all("Transfer-Encoding").isEmpty() || hasNoBody());
        }

        boolean hasNoBody() {
            return status == 204 || status == 304;
        }
    }

    /** A message that cannot be read, with the status to say so. The connection is of no further use. */
    static final class Unacceptable extends IOException {
        private static final long serialVersionUID = 1;

        final int status;

        Unacceptable(int status, String message) {
            super(message);
            this.status = status;
        }
    }

    /** Reads messages one after the other, so that pipelined requests keep their order. */
    static final class Reader {
        private final InputStream in;
        private int headLeft;

        Reader(InputStream in) {
            this.in = new BufferedInputStream(in);
        }

        /** The head of the next request, or {@code null} where the connection ended between two. */
        Request request() throws IOException {
            String line = startLine();
            if (line == null) return null;
            String[] parts = line.split(" ", -1);
            if (parts.length != 3 || !TOKEN.matcher(parts[0]).matches() || !TARGET.matcher(parts[1]).matches())
                throw new Unacceptable(400, "request line");
            if (!parts[2].matches("HTTP/1\\.\\d")) throw new Unacceptable(505, "HTTP version");
            boolean isVersion10 = parts[2].endsWith("0");
            Fields fields = fields();
            List<String> hosts = fields.all("Host");
            if (hosts.size() > 1 || hosts.isEmpty() && !isVersion10) throw new Unacceptable(400, "Host");
            // The authority of an absolute-form counts, not that of Host (RFC 9112 §3.2.2).
            Matcher absolute = Pattern.compile("(?i)https?://([^/?]*).*").matcher(parts[1]);
            String authority = absolute.matches() ? absolute.group(1) : hosts.isEmpty() ? "" : hosts.getFirst();
            if (!absolute.matches() && !parts[1].startsWith("/") && !parts[1].equals("*") && !parts[0].equals("CONNECT"))
                throw new Unacceptable(400, "request target");
            return new Request(parts[0], parts[1], isVersion10, fields, authority);
        }

        /** The body of a request. Both framings at once are the classic of request smuggling (RFC 9112 §6.3). */
        byte[] body(Request request) throws IOException {
            Fields fields = request.fields;
            boolean isFramedTwice = !fields.all("Transfer-Encoding").isEmpty()
                    && (!fields.all("Content-Length").isEmpty() || request.isVersion10);
            if (isFramedTwice) throw new Unacceptable(400, "Transfer-Encoding");
            return framed(fields, 0);
        }

        @FunctionalInterface
        interface Asked {
            String method() throws Unacceptable;
        }

        /** The next response, or {@code null} where the connection ended before it. What was asked matters, and is known once it begins. */
        Response response(Asked asked) throws IOException {
            String line = startLine();
            if (line == null) return null;
            if (!line.matches("HTTP/1\\.\\d \\d{3}( .*)?")) throw new Unacceptable(502, "status line");
            int status = Integer.parseInt(line.substring(9, 12));
            Fields fields = fields();
            if (status == 101) throw new Unacceptable(502, "protocol switched unasked");
            if (status < 200) return response(asked); // interim: there is nobody to tell
            var response = new Response(status, line.charAt(7) == '0', fields, new byte[0]);
            if (asked.method().equals("HEAD") || response.hasNoBody()) return response;
            byte[] body = framed(fields, BODY_LIMIT);
            return new Response(status, response.isVersion10, fields, body);
        }

        /** @param withoutLength how much to read, to the end of the connection, where no field says how much there is */
        private byte[] framed(Fields fields, int withoutLength) throws IOException {
            List<String> encodings = fields.all("Transfer-Encoding");
            if (!encodings.isEmpty()) {
                if (encodings.size() > 1 || !encodings.getFirst().equalsIgnoreCase("chunked")) throw new Unacceptable(501, "Transfer-Encoding");
                return chunked();
            }
            List<String> lengths = fields.all("Content-Length");
            if (lengths.isEmpty()) {
                byte[] body = in.readNBytes(withoutLength);
                if (withoutLength > 0 && in.read() >= 0) throw new Unacceptable(413, "body");
                return body;
            }
            if (lengths.size() > 1 || !lengths.getFirst().matches("\\d{1,18}")) throw new Unacceptable(400, "Content-Length");
            long length = Long.parseLong(lengths.getFirst());
            if (length > BODY_LIMIT) throw new Unacceptable(413, "body");
            return exactly((int) length);
        }

        private byte[] chunked() throws IOException {
            var body = new ByteArrayOutputStream();
            while (true) {
                headLeft = HEAD_LIMIT;
                String size = line().replaceFirst("[ \t]*;.*", ""); // extensions say nothing to us (RFC 9112 §7.1.1)
                if (!size.matches("[0-9A-Fa-f]{1,8}")) throw new Unacceptable(400, "chunk");
                long length = Long.parseLong(size, 16);
                if (length == 0) break;
                if (body.size() + length > BODY_LIMIT) throw new Unacceptable(413, "body");
                body.write(exactly((int) length));
                if (!line().isEmpty()) throw new Unacceptable(400, "chunk");
            }
            fields(); // the trailer section: never merged, so a proof in it counts for nothing (RFC 9110 §6.5.1)
            return body.toByteArray();
        }

        private byte[] exactly(int length) throws IOException {
            byte[] octets = in.readNBytes(length);
            if (octets.length < length) throw new EOFException("the connection ended within a body");
            return octets;
        }

        /** One empty line before it is passed over (RFC 9112 §2.2). {@code null}: the connection ended, in whatever way, before it began. */
        private String startLine() throws IOException {
            headLeft = HEAD_LIMIT;
            in.mark(1);
            try {
                if (in.read() < 0) return null;
            } catch (IOException _) {
                return null; // reset, or idle for too long: between two messages nothing is lost
            }
            in.reset();
            String line = line();
            return line.isEmpty() ? line() : line;
        }

        private Fields fields() throws IOException {
            var fields = new ArrayList<Field>();
            for (String line = line(); !line.isEmpty(); line = line()) {
                int colon = line.indexOf(':');
                // A space before the colon, or at the beginning (a folded line), makes the name no token (RFC 9112 §5.1, §5.2).
                if (colon < 0 || !TOKEN.matcher(line.substring(0, colon)).matches()) throw new Unacceptable(400, "field");
                String value = line.substring(colon + 1).replaceAll("^[ \t]+|[ \t]+$", "");
                if (value.chars().anyMatch(c -> c < ' ' && c != '\t' || c == 0x7f)) throw new Unacceptable(400, "field");
                fields.add(new Field(line.substring(0, colon), value));
            }
            return new Fields(fields);
        }

        /** Up to CR LF; either of them alone is refused. */
        private String line() throws IOException {
            var line = new StringBuilder();
            while (true) {
                int octet = in.read();
                if (octet < 0) throw new EOFException("the connection ended within a head");
                if (--headLeft < 0) throw new Unacceptable(431, "head");
                if (octet == '\n' || octet == '\r' && in.read() != '\n') throw new Unacceptable(400, "line end");
                if (octet == '\r') return line.toString();
                line.append((char) octet);
            }
        }
    }

    /** A message as octets, to be written at once. */
    static byte[] message(String startLine, List<Field> fields, byte[] body) {
        var head = new StringBuilder(startLine).append("\r\n");
        for (Field field : fields) head.append(field.name).append(": ").append(field.value).append("\r\n");
        byte[] octets = head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
        byte[] message = Arrays.copyOf(octets, octets.length + body.length);
        System.arraycopy(body, 0, message, octets.length, body.length);
        return message;
    }

    static String statusLine(int status) {
        return "HTTP/1.1 " + status + " "; // the reason phrase may be empty, the space before it may not be left out (RFC 9112 §4)
    }

    static String date() {
        return DATE.format(ZonedDateTime.now(ZoneOffset.UTC));
    }

    /**
     * Ends a connection after a last response. Closing while the peer still sends would make TCP reset the connection, and the response could
     * be lost (RFC 9112 §9.6): so only the sending half is closed first, and what arrives is read for a while.
     */
    static void endAfterResponse(Socket socket) throws IOException {
        socket.shutdownOutput();
        socket.setSoTimeout(1000);
        InputStream in = socket.getInputStream();
        var scrap = new byte[8192];
        for (int left = BODY_LIMIT; left > 0; ) {
            int count;
            try {
                count = in.read(scrap);
            } catch (IOException _) {
                return; // the response was written: nothing more depends on the peer
            }
            if (count < 0) return;
            left -= count;
        }
    }
}
