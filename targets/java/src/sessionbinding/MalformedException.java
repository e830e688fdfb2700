package sessionbinding;

/** Something that a peer sent does not have the form that it should have. The message says what, never the thing itself. */
final class MalformedException extends Exception {
    private static final long serialVersionUID = 1;

    MalformedException(String message) {
        super(message, null, false, false); // a matter of the peer: no stack trace is wanted, and none is paid for
    }
}
