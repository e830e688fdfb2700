package sessionbinding;

/** A request that is not served, as status and challenge (draft -06 §3.5, RFC 6750 §3). The description is for humans and tells no value. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1;

    final int status;
    final String challenge;

    private Refusal(int status, String log, String challenge) {
        super(log, null, false, false);
        this.status = status;
        this.challenge = challenge;
    }

    /** A request without a token gets no error code (RFC 6750 §3.1): nothing was wrong with it. */
    static Refusal noToken() {
        return new Refusal(401, "no bearer token", "Bearer realm=\"session-bound\"");
    }

    static Refusal invalidRequest(String description) {
        return error(400, "invalid_request", description, "");
    }

    static Refusal invalidToken(String description) {
        return error(401, "invalid_token", description, "");
    }

    static Refusal invalidProof(String description) {
        return error(401, "invalid_proof", description, "");
    }

    static Refusal useSessionBinding() {
        return error(401, "use_session_binding", "the access token demands a Session-Binding-Proof", "");
    }

    static Refusal insufficientScope(String scope) {
        return error(403, "insufficient_scope", "the access token does not have the scope", ", scope=\"" + scope + "\"");
    }

    /** Descriptions are texts of this program, so they have no character that a quoted string would have to escape. */
    private static Refusal error(int status, String code, String description, String more) {
        return new Refusal(
                status, code + ": " + description, "Bearer error=\"" + code + "\", error_description=\"" + description + "\"" + more);
    }
}
