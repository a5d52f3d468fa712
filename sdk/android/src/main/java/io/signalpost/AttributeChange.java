package io.signalpost;

/** An attribute of a channel changed (SPEC C10). */
public final class AttributeChange {
    private final String account;
    private final String name;
    private final String value;
    private final Change change;

    AttributeChange(String account, String name, String value, Change change) {
        this.account = account;
        this.name = name;
        this.value = value;
        this.change = change;
    }

    /** Who changed it; "" if nobody did. */
    public String account() {
        return account;
    }

    /** Its name; "" if all were cleared. */
    public String name() {
        return name;
    }

    /** Its new value; "" if it is gone. */
    public String value() {
        return value;
    }

    /** What happened. */
    public Change change() {
        return change;
    }
}
