package io.signalpost;

/** A listener that was added. */
public interface Registration {
    /** Listen no more; a call that has begun goes on. It can be called again, from any thread. */
    void remove();
}
