package trc$;

import jdk.internal.vm.annotation.Hidden;

/** Probes that say the values of a record: those of an argument, a loop's variable, a selector. */
public final class A {
    private A() {}

    /** The record is complete. */
    @Hidden
    public static void z() {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A value of the record being written. */
    @Hidden
    public static void a(boolean x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.record.scalar(Scalars.BOOLEAN, x ? 1 : 0);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function with one argument is entered. */
    @Hidden
    public static void i(int site, boolean x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(1);
                writer.record.scalar(Scalars.BOOLEAN, x ? 1 : 0);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round of a loop with one variable begins. */
    @Hidden
    public static void l(int site, boolean x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.round(site, Scalars.BOOLEAN, x ? 1 : 0);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A switch is about to jump on this value. */
    @Hidden
    public static void q(int site, boolean x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, Scalars.BOOLEAN, x ? 1 : 0, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A value of the record being written. */
    @Hidden
    public static void a(byte x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.record.scalar(Scalars.BYTE, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function with one argument is entered. */
    @Hidden
    public static void i(int site, byte x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(1);
                writer.record.scalar(Scalars.BYTE, x);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round of a loop with one variable begins. */
    @Hidden
    public static void l(int site, byte x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.round(site, Scalars.BYTE, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A switch is about to jump on this value. */
    @Hidden
    public static void q(int site, byte x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, Scalars.BYTE, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A value of the record being written. */
    @Hidden
    public static void a(short x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.record.scalar(Scalars.SHORT, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function with one argument is entered. */
    @Hidden
    public static void i(int site, short x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(1);
                writer.record.scalar(Scalars.SHORT, x);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round of a loop with one variable begins. */
    @Hidden
    public static void l(int site, short x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.round(site, Scalars.SHORT, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A switch is about to jump on this value. */
    @Hidden
    public static void q(int site, short x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, Scalars.SHORT, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A value of the record being written. */
    @Hidden
    public static void a(char x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.record.scalar(Scalars.CHAR, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function with one argument is entered. */
    @Hidden
    public static void i(int site, char x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(1);
                writer.record.scalar(Scalars.CHAR, x);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round of a loop with one variable begins. */
    @Hidden
    public static void l(int site, char x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.round(site, Scalars.CHAR, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A switch is about to jump on this value. */
    @Hidden
    public static void q(int site, char x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, Scalars.CHAR, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A value of the record being written. */
    @Hidden
    public static void a(int x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.record.scalar(Scalars.INT, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function with one argument is entered. */
    @Hidden
    public static void i(int site, int x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(1);
                writer.record.scalar(Scalars.INT, x);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round of a loop with one variable begins. */
    @Hidden
    public static void l(int site, int x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.round(site, Scalars.INT, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A switch is about to jump on this value. */
    @Hidden
    public static void q(int site, int x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, Scalars.INT, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A value of the record being written. */
    @Hidden
    public static void a(long x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.record.scalar(Scalars.LONG, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function with one argument is entered. */
    @Hidden
    public static void i(int site, long x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(1);
                writer.record.scalar(Scalars.LONG, x);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round of a loop with one variable begins. */
    @Hidden
    public static void l(int site, long x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.round(site, Scalars.LONG, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A switch is about to jump on this value. */
    @Hidden
    public static void q(int site, long x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, Scalars.LONG, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A value of the record being written. */
    @Hidden
    public static void a(float x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.record.scalar(Scalars.FLOAT, Float.floatToRawIntBits(x) & 0xffffffffL);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function with one argument is entered. */
    @Hidden
    public static void i(int site, float x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(1);
                writer.record.scalar(Scalars.FLOAT, Float.floatToRawIntBits(x) & 0xffffffffL);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round of a loop with one variable begins. */
    @Hidden
    public static void l(int site, float x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.round(site, Scalars.FLOAT, Float.floatToRawIntBits(x) & 0xffffffffL);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A switch is about to jump on this value. */
    @Hidden
    public static void q(int site, float x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, Scalars.FLOAT, Float.floatToRawIntBits(x) & 0xffffffffL, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A value of the record being written. */
    @Hidden
    public static void a(double x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.record.scalar(Scalars.DOUBLE, Double.doubleToRawLongBits(x));
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A function with one argument is entered. */
    @Hidden
    public static void i(int site, double x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(1);
                writer.record.scalar(Scalars.DOUBLE, Double.doubleToRawLongBits(x));
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A round of a loop with one variable begins. */
    @Hidden
    public static void l(int site, double x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.round(site, Scalars.DOUBLE, Double.doubleToRawLongBits(x));
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A switch is about to jump on this value. */
    @Hidden
    public static void q(int site, double x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, Scalars.DOUBLE, Double.doubleToRawLongBits(x), null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void a(Object x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.record.object(x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void i(int site, Object x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.enter(site)) {
                writer.record.put(1);
                writer.record.object(x);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void l(int site, Object x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null && writer.openRound(site)) {
                writer.record.put(1);
                writer.record.object(x);
                writer.close();
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void q(int site, Object x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.select(site, 0, 0, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** A call is about to be made that may change a container. */
    @Hidden
    public static void m(int site, Object container) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.changes.before(site, container);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    /** The call is over. */
    @Hidden
    public static void c(int site, Object container) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.changes.after(site, container);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }
}
