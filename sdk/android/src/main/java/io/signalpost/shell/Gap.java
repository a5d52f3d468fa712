package io.signalpost.shell;

/** Events of one channel that were left out because the callbacks were too slow. */
public final class Gap {
    /** The channel's name. */
    public final String channel;

    private long count; // events left out so far; guarded by this
    private boolean told; // the application knows; what comes now belongs to no gap; guarded by this

    public Gap(String channel) {
        this.channel = channel;
    }

    /** Count one more; false if it is too late for that, and a new gap is needed. */
    public synchronized boolean count() {
        if (!told) {
            count++;
        }
        return !told;
    }

    /** How many there were. */
    public synchronized long tell() {
        told = true;
        return count;
    }
}
