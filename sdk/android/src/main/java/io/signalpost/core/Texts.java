package io.signalpost.core;

import java.util.Locale;

/**
 * What names and texts may look like (SPEC §1, PROTOCOL §14): a check gives back the fault that it found, or null.
 *
 * <p>It knows the limits in bytes of UTF-8 and the code points that no name may hold. It refuses to normalise.
 */
final class Texts {
    private static final String NO_SURROGATES = " holds a lone surrogate: only whole characters are allowed";

    private Texts() {}

    /** The size in bytes of UTF-8; a lone surrogate counts 3. */
    static int sizeOf(String text) {
        int size = 0;
        for (int index = 0; index < text.length(); ) {
            int point = text.codePointAt(index);
            index += Character.charCount(point);
            size += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        }
        return size;
    }

    /** Whether it can be sent: it holds no lone surrogate (SPEC §1). */
    static boolean isSendable(String text) {
        for (int index = 0; index < text.length(); index++) {
            char unit = text.charAt(index);
            if (!Character.isSurrogate(unit)) continue;
            boolean pair = Character.isHighSurrogate(unit)
                    && index + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(index + 1));
            if (!pair) return false;
            index++;
        }
        return true;
    }

    /** Why the text names no account, channel or app: 1005 when too long, else 1004 (SPEC §1). */
    static Fault nameFault(String text, String what) {
        if (text == null || text.isEmpty()) return emptyFault(text, what);
        Fault fault = sizeFault(text, what, Codes.NAME_BYTES);
        if (fault != null) return fault;
        for (int index = 0; index < text.length(); ) {
            int point = text.codePointAt(index);
            index += Character.charCount(point);
            if (isForbidden(point)) return forbiddenFault(point, what);
        }
        return null;
    }

    /** Why the text names no attribute: like a name, but blanks are allowed (SPEC P2, C10). */
    static Fault labelFault(String text, String what) {
        if (text == null || text.isEmpty()) return emptyFault(text, what);
        return textFault(text, what, Codes.ATTRIBUTE_NAME_BYTES);
    }

    /** Why the text may not be sent: over {@code limit} bytes (1005), null, NUL or a lone surrogate in it (1004). */
    static Fault textFault(String text, String what, int limit) {
        if (text == null) return Fault.wrong(what + " is null: text is allowed, also an empty one");
        if (!isSendable(text)) return Fault.wrong(what + NO_SURROGATES);
        Fault fault = sizeFault(text, what, limit);
        if (fault != null) return fault;
        return text.indexOf('\0') < 0 ? null : Fault.wrong(what + " holds NUL: any other character is allowed");
    }

    /** Why the text is no frame for a server: it holds a lone surrogate (1004), or is too long (1005; SPEC §1, E5). */
    static Fault frameFault(String text) {
        if (!isSendable(text)) return Fault.wrong("the request" + NO_SURROGATES);
        return sizeFault(text, "the request", Codes.FRAME_BYTES);
    }

    private static boolean isForbidden(int point) {
        for (int[] range : Codes.NAME_FORBIDDEN) {
            if (point < range[0]) return false; // the ranges ascend
            if (point <= range[1]) return true;
        }
        return false;
    }

    private static Fault forbiddenFault(int point, String what) {
        String spelled = String.format(Locale.ROOT, "U+%04X", point);
        return Fault.wrong(what + " holds " + spelled + ": only visible characters are allowed, no spaces");
    }

    private static Fault emptyFault(String text, String what) {
        String state = text == null ? " is null: 1 to " : " is empty: 1 to ";
        return Fault.wrong(what + state + Codes.NAME_BYTES + " bytes are allowed");
    }

    private static Fault sizeFault(String text, String what, int limit) {
        if (text.length() <= limit / 3) return null;
        int size = sizeOf(text);
        return size > limit ? Fault.large(what + " has " + size + " bytes: at most " + limit + " are allowed") : null;
    }
}
