package io.signalpost;

/** Bad input, as the exceptions of this package say it. */
final class Bad {
    /** Something that checks what an application gave. */
    interface Check<T> {
        T check();
    }

    private Bad() {}

    /** What was checked. Throws ArgumentException. */
    static <T> T input(Check<T> check) {
        try {
            return check.check();
        } catch (io.signalpost.core.ArgumentException error) {
            ArgumentException bad = new ArgumentException(error.code, error.reason);
            bad.initCause(error);
            throw bad;
        }
    }
}
