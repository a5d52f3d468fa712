package io.signalpost.core;

import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * One JSON text, read from its beginning to its end (RFC 8259), as values of org.json.
 *
 * <p>org.json's own reader takes much that is no JSON (bare words, comments, single quotes, what stands behind the
 * end), differs between Android and the JVM, refuses a name that comes twice, and falls over a text that is nested
 * deeply enough. This one refuses all that is not in the grammar, and what is nested more than {@link #DEEPEST} times.
 */
final class JsonReader {
    /** So deep may arrays and objects be nested; a stack of 256 KiB has room for it. */
    static final int DEEPEST = 200;

    /** It is no JSON. Without a stack trace: nobody looks at it. */
    static final class NotJson extends Exception {
        private static final long serialVersionUID = 1;

        @Override
        public synchronized Throwable fillInStackTrace() { // the constructor that leaves it out came with Android 24
            return this;
        }
    }

    private static final char END = '\uffff'; // what is read behind the end; no JSON has it outside of strings

    private final String text;
    private int at; // the next character; the length of the text when all is read
    private int depth; // arrays and objects that are open

    JsonReader(String text) {
        this.text = text;
    }

    /** The value that the text says. */
    Object read() throws NotJson, JSONException {
        Object value = value();
        next();
        if (at < text.length()) throw new NotJson();
        return value;
    }

    /** The next character that is no blank; it is not taken. */
    private char next() {
        for (; at < text.length(); at++) {
            char found = text.charAt(at);
            if (found != ' ' && found != '\n' && found != '\r' && found != '\t') return found;
        }
        return END;
    }

    /** Take this character if it is next. */
    private boolean take(char wanted) {
        if (next() != wanted) return false;
        at++;
        return true;
    }

    private void expect(char wanted) throws NotJson {
        if (!take(wanted)) throw new NotJson();
    }

    private Object value() throws NotJson, JSONException {
        switch (next()) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", JSONObject.NULL);
            default:
                return number();
        }
    }

    private Object word(String word, Object value) throws NotJson {
        if (!text.startsWith(word, at)) throw new NotJson();
        at += word.length();
        return value;
    }

    private JSONObject object() throws NotJson, JSONException {
        open('{');
        JSONObject object = new JSONObject();
        if (!take('}')) {
            do {
                if (next() != '"') throw new NotJson();
                String name = string();
                expect(':');
                object.put(name, value()); // of two members with one name the later one counts
            } while (take(','));
            expect('}');
        }
        depth--;
        return object;
    }

    private JSONArray array() throws NotJson, JSONException {
        open('[');
        JSONArray array = new JSONArray();
        if (!take(']')) {
            do {
                array.put(value());
            } while (take(','));
            expect(']');
        }
        depth--;
        return array;
    }

    private void open(char bracket) throws NotJson {
        expect(bracket);
        if (++depth > DEEPEST) throw new NotJson();
    }

    private String string() throws NotJson {
        int start = ++at; // behind the quote
        StringBuilder built = null; // as soon as there is an escape
        for (; at < text.length(); at++) {
            char unit = text.charAt(at);
            if (unit == '"') {
                String rest = text.substring(start, at++);
                return built == null ? rest : built.append(rest).toString();
            }
            if (unit < ' ') throw new NotJson();
            if (unit != '\\') continue;
            if (built == null) built = new StringBuilder();
            built.append(text, start, at);
            built.append(escaped());
            start = at + 1;
        }
        throw new NotJson();
    }

    /** What an escape stands for; it ends with its last character. */
    private char escaped() throws NotJson {
        if (++at >= text.length()) throw new NotJson();
        switch (text.charAt(at)) {
            case '"':
                return '"';
            case '\\':
                return '\\';
            case '/':
                return '/';
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                return hexadecimal();
            default:
                throw new NotJson();
        }
    }

    private char hexadecimal() throws NotJson {
        int unit = 0;
        for (int count = 0; count < 4; count++) {
            char digit = ++at < text.length() ? text.charAt(at) : END;
            int worth = digit < 0x80 ? Character.digit(digit, 16) : -1; // no digits of other scripts
            if (worth < 0) throw new NotJson();
            unit = unit * 16 + worth;
        }
        return (char) unit;
    }

    /** A Long if it is written as a whole number and fits, else a Double. */
    private Number number() throws NotJson {
        int start = at;
        skip('-', '-');
        if (!skip('0', '0')) digits();
        boolean whole = true;
        if (skip('.', '.')) {
            digits();
            whole = false;
        }
        if (skip('e', 'e') || skip('E', 'E')) {
            if (!skip('-', '-')) skip('+', '+');
            digits();
            whole = false;
        }
        return worth(text.substring(start, at), whole);
    }

    private static Number worth(String number, boolean whole) {
        if (whole) {
            try {
                return Long.valueOf(number);
            } catch (NumberFormatException tooLarge) {
                // a Double then
            }
        }
        double value = Double.parseDouble(number);
        // org.json holds nothing infinite; what is larger than all numbers becomes the largest.
        return Math.max(-Double.MAX_VALUE, Math.min(value, Double.MAX_VALUE));
    }

    private void digits() throws NotJson {
        if (!skip('0', '9')) throw new NotJson();
        while (skip('0', '9')) continue;
    }

    /** Go over the next character if it is one of these. */
    private boolean skip(char first, char last) {
        if (at >= text.length() || text.charAt(at) < first || text.charAt(at) > last) return false;
        at++;
        return true;
    }
}
