package io.signalpost;

/** What happened to an attribute (SPEC C10). */
public enum Change {
    UPDATE,
    DELETE,
    CLEAR;

    static Change of(String word) {
        switch (word) {
            case "del":
                return DELETE;
            case "clear":
                return CLEAR;
            default:
                return UPDATE;
        }
    }
}
