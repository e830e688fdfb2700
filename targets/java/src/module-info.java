/** A resource server and a client for TLS-session-bound access tokens, with the JDK alone. */
module sessionbinding {
    requires jdk.unsupported; // sun.misc.Signal: SIGTERM with exit status 0, and SIGHUP
}
