package sessionbinding;

import module java.base;

/**
 * A request as the sidecar sends it, but for the proof, which depends on the connection.
 *
 * @param token the bearer token it carries, or {@code null}
 * @param fields without Host, Content-Length, and all that the sidecar does not let through
 * @param body {@code null} where the agent's request had none, not even an empty one
 */
record OutboundRequest(String method, String target, String token, List<Http.Field> fields, byte[] body) {}
