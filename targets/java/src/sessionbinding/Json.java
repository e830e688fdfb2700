package sessionbinding;

import module java.base;

/**
 * JSON (RFC 8259) as {@link Map}, {@link List}, {@link String}, {@link Double}, {@link Boolean} and {@code null}.
 *
 * <p>Strict where readers differ: of two readers that take the same JWT differently, one can be deceived (RFC 8725 §2.6 has a case). Repeated
 * member names (RFC 7515 §4), invalid UTF-8, lone surrogates, and anything after the value are refused.
 */
final class Json {
    /** JOSE objects are flat. The limit keeps the recursion below from exhausting the stack. */
    private static final int DEPTH = 16;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    @SuppressWarnings("unchecked") // the keys of every object are strings
    static Map<String, Object> object(byte[] utf8) throws MalformedException {
        Json json;
        try {
            json = new Json(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString()); // reports, not replaces
        } catch (CharacterCodingException _) {
            throw new MalformedException("is not UTF-8");
        }
        Object value = json.value(0);
        json.space();
        if (json.at < json.text.length() || !(value instanceof Map<?, ?> object)) throw new MalformedException("is not a JSON object");
        return (Map<String, Object>) object;
    }

    private Object value(int depth) throws MalformedException {
        if (depth > DEPTH) throw new MalformedException("is nested too deeply");
        space();
        switch (peek()) {
            case '{':
                return members(depth);
            case '[':
                return elements(depth);
            case '"':
                return string();
            case 't':
                return literal("true", true);
            case 'f':
                return literal("false", false);
            case 'n':
                return literal("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> members(int depth) throws MalformedException {
        var members = new LinkedHashMap<String, Object>();
        at++;
        space();
        if (skip('}')) return members;
        do {
            space();
            String name = string();
            space();
            expect(':');
            if (members.containsKey(name)) throw new MalformedException("repeats a member name");
            members.put(name, value(depth + 1));
            space();
        } while (skip(','));
        expect('}');
        return members;
    }

    private List<Object> elements(int depth) throws MalformedException {
        var elements = new ArrayList<>();
        at++;
        space();
        if (skip(']')) return elements;
        do {
            elements.add(value(depth + 1));
            space();
        } while (skip(','));
        expect(']');
        return elements;
    }

    private String string() throws MalformedException {
        expect('"');
        var string = new StringBuilder();
        while (!skip('"')) {
            char c = next();
            if (c < ' ') throw new MalformedException("has a control character in a string");
            string.append(c == '\\' ? escaped() : c);
        }
        String result = string.toString();
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(result)) throw new MalformedException("has half a surrogate pair");
        return result;
    }

    private char escaped() throws MalformedException {
        char c = next();
        switch (c) {
            case '"', '\\', '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                int unit = 0;
                for (int i = 0; i < 4; i++) {
                    char digit = next();
                    int value = digit < 128 ? Character.digit(digit, 16) : -1;
                    if (value < 0) throw new MalformedException("has an escape that JSON does not know");
                    unit = unit << 4 | value;
                }
                return (char) unit;
            default:
                throw new MalformedException("has an escape that JSON does not know");
        }
    }

    private Double number() throws MalformedException {
        int start = at;
        skip('-');
        if (!skip('0')) digits();
        if (skip('.')) digits();
        if (skip('e') || skip('E')) {
            if (!skip('+')) skip('-');
            digits();
        }
        return Double.valueOf(text.substring(start, at));
    }

    private void digits() throws MalformedException {
        int start = at;
        while (peek() >= '0' && peek() <= '9') at++;
        if (at == start) throw new MalformedException("is not JSON");
    }

    private Object literal(String name, Object value) throws MalformedException {
        if (!text.startsWith(name, at)) throw new MalformedException("is not JSON");
        at += name.length();
        return value;
    }

    private void space() {
        while (" \t\r\n".indexOf(peek()) >= 0) at++;
    }

    private boolean skip(char c) {
        if (peek() != c || at >= text.length()) return false;
        at++;
        return true;
    }

    private void expect(char c) throws MalformedException {
        if (!skip(c)) throw new MalformedException("is not JSON");
    }

    private char next() throws MalformedException {
        if (at >= text.length()) throw new MalformedException("is cut off");
        return text.charAt(at++);
    }

    /** NUL at the end, which begins no JSON value and is no white space. */
    private char peek() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    /** Writes an object of strings and whole numbers: all that proofs and responses consist of. */
    static String write(Map<String, Object> members) {
        return members.entrySet().stream()
                .map(member -> quote(member.getKey()) + ":" + (member.getValue() instanceof Number number ? number : quote((String) member.getValue())))
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static String quote(String text) {
        var quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') quoted.append('\\').append(c);
            else if (c < ' ') quoted.append(String.format("\\u%04x", (int) c));
            else quoted.append(c);
        }
        return quoted.append('"').toString();
    }
}
