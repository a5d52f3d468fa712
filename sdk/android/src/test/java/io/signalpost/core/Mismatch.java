package io.signalpost.core;

/** What came is not what a scenario expects. */
final class Mismatch extends AssertionError {
    private static final long serialVersionUID = 1;

    Mismatch(String message) {
        super(message);
    }
}
