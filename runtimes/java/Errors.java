package trc$;

/** What an error says, without running the subject's `getMessage`. */
final class Errors {
    private static final long MESSAGE = offset();

    private Errors() {}

    static void load() {}

    private static long offset() {
        try {
            return Channel.offset(Throwable.class, "detailMessage");
        } catch (ReflectiveOperationException | RuntimeException unknown) {
            return -1;
        }
    }

    static String message(Throwable error) {
        if (error.getClass() == NullPointerException.class) {
            // Worked out when it is asked for, by the JDK's own code.
            return error.getMessage();
        }
        return MESSAGE < 0 ? null : (String) Channel.MEMORY.getObject(error, MESSAGE);
    }

    /** The rest of an ERR record: phase, type, message, line, frames. */
    static void tell(Record record, int phase, Throwable error, int frames) {
        record.put(phase);
        record.string(error.getClass().getName(), 200);
        String message = message(error);
        if (message == null) {
            record.put(0);
        } else {
            record.string(message, Channel.characters * 4);
        }
        StackTraceElement frame = frames == 0 ? null : first(error);
        record.varint(phase == 3 && frame != null ? Math.max(frame.getLineNumber(), 0) : 0);
        if (frame == null) {
            record.varint(0);
            return;
        }
        record.varint(1);
        record.varint(record.writer.intern(function(frame)));
        record.varint(Math.max(frame.getLineNumber(), 0));
    }

    /** The innermost frame of the subject's own. */
    private static StackTraceElement first(Throwable error) {
        for (StackTraceElement frame : trace(error)) {
            String module = frame.getModuleName();
            if (module == null) {
                return frame;
            }
        }
        return null;
    }

    /** `getStackTrace` may be the subject's own. */
    private static StackTraceElement[] trace(Throwable error) {
        return overrides(error) ? new StackTraceElement[0] : error.getStackTrace();
    }

    private static boolean overrides(Throwable error) {
        for (Class<?> c = error.getClass(); c.getClassLoader() != null; c = c.getSuperclass()) {
            try {
                c.getDeclaredMethod("getStackTrace");
                return true;
            } catch (NoSuchMethodException inherits) {
                // Looked for further up.
            }
        }
        return false;
    }

    private static String function(StackTraceElement frame) {
        String method = frame.getMethodName();
        if (method.startsWith("lambda$")) {
            return "<lambda>";
        }
        return method;
    }
}
