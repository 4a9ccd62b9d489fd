package trc$;

import jdk.internal.vm.annotation.Hidden;

/**
 * Probes that say no value of the subject's. The class lies on the boot class path, where stack
 * traces leave hidden frames out: an overflowing stack does not show a probe on its top.
 */
public final class P {
    private P() {}

    /** A statement is about to run. */
    @Hidden
    public static void s(int site) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.step(site);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function without arguments is entered. */
    @Hidden
    public static void i(int site) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(0);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function with so many arguments is entered; whether they are wanted. */
    @Hidden
    public static boolean in(int site, int count) {
        try {
            Writer writer = Threads.writer();
            if (writer == null || !writer.enter(site)) {
                return false;
            }
            writer.record.varint(count);
            return true;
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
            return false;
        }
    }

    /** A function is left without a value. */
    @Hidden
    public static void o(int site) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, -1, 0, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A condition within an expression. */
    @Hidden
    public static boolean b(int site, boolean truth) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.branch(site, truth ? 1 : 0);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return truth;
    }

    /** An arm of a branch was taken. */
    @Hidden
    public static void n(int site, int arm) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.branch(site, arm);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A switch is about to jump. */
    @Hidden
    public static void q(int site) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, -1, 0, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** An arm of a switch: taken, unless it is only fallen into. */
    @Hidden
    public static void k(int site, int arm) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.selected(site, arm);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A loop is reached. */
    @Hidden
    public static void le(int site) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.loopEntered(site);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round begins. */
    @Hidden
    public static void l(int site) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.loopRound(site);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round with several variables begins; whether they are wanted. */
    @Hidden
    public static boolean ln(int site, int count) {
        try {
            Writer writer = Threads.writer();
            if (writer == null || !writer.openRound(site)) {
                return false;
            }
            writer.record.varint(count);
            return true;
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
            return false;
        }
    }

    /** A loop is left. */
    @Hidden
    public static void lx(int site) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.loopLeft(site);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** An error is about to be thrown. */
    @Hidden
    public static <T extends Throwable> T t(int site, T error) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && error != null && writer.open(site, Writer.ERR)) {
                Errors.tell(writer.record, 0, error, 0);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return error;
    }

    /** A try is entered. */
    @Hidden
    public static void te(int site) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.marks.add(site, writer.depth);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** An error was caught by a try. */
    @Hidden
    public static void c(int site, int mark, Throwable error) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.unwindTo(writer.marks.find(mark, true));
                writer.error(site, 1, error);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A try with a `finally` is entered. */
    @Hidden
    public static void tf(int mark) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.marks.add(mark, writer.depth);
                writer.returns.guard(mark, writer.depth);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A `finally` begins. */
    @Hidden
    public static void f(int mark) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.unwindTo(writer.marks.find(mark, true));
                writer.returns.leave(mark, writer.depth);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A `finally` is over. */
    @Hidden
    public static void fe() {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.returns.tell(writer);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** An error leaves the function that a task began with. */
    @Hidden
    public static void u(int site, Throwable error) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.uncaught(site, error);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }
}
