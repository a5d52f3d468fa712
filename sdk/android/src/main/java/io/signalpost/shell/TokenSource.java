package io.signalpost.shell;

/** What gives a token for each connection (SPEC L10). */
public interface TokenSource {
    /** What is to be told the outcome, from any thread; the first one counts. */
    interface Reply {
        /** Here is one; null and "" are for the server to refuse. */
        void token(String token);

        /** There is none: a try that failed. {@code reason}: for the log, without a secret. */
        void failed(String reason);
    }

    /**
     * Fetch one. It is called on a thread of the engine's own, where it may take its time; a try to connect takes 10
     * seconds at most. If it throws, that is a try that failed.
     */
    void fetch(Reply reply) throws Exception;
}
