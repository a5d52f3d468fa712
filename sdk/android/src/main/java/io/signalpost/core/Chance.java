package io.signalpost.core;

/** Where chance comes from: the machine has none of its own. */
public interface Chance {
    /** A number from 0 to 1. */
    double next();
}
