package io.signalpost.core;

/**
 * The message line: a message or event as one text of space-separated fields (PROTOCOL §6, §7).
 *
 * <pre>
 *     msg-v2 SRC DST FLAG TYPE TIME CONTENT
 *     msg-v3 MSGID SRC DST FLAG TYPE TIME CONTENT
 * </pre>
 *
 * <p>CONTENT is the rest of the line, any characters; no other field holds a space.
 */
final class Line {
    /** "" in a v2 line. */
    final String id;

    final String src;
    final String dst;
    final String flag;
    final String type;
    final String time;
    final String content;

    private Line(String id, String[] fields) {
        this.id = id;
        this.src = fields[0];
        this.dst = fields[1];
        this.flag = fields[2];
        this.type = fields[3];
        this.time = fields[4];
        this.content = fields[5];
    }

    /** The line's fields, or null if it is no line: such a one is dropped (PROTOCOL §6). */
    static Line parse(String text) {
        if (text.startsWith("msg-v3 ")) {
            String[] fields = text.split(" ", 8);
            if (fields.length < 8) return null;
            String[] others = new String[6];
            System.arraycopy(fields, 2, others, 0, 6);
            return new Line(fields[1], others);
        }
        if (!text.startsWith("msg-v2 ")) return null;
        String[] fields = text.split(" ", 7);
        if (fields.length < 7) return null;
        String[] others = new String[6];
        System.arraycopy(fields, 1, others, 0, 6);
        return new Line("", others);
    }

    /** TIME in Unix seconds; 0 for what is no number. */
    long seconds() {
        if (!time.matches("-?[0-9]{1,18}")) return 0;
        return Long.parseLong(time);
    }
}
