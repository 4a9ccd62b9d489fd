package trc$;

import jdk.internal.vm.annotation.Hidden;

/**
 * Probes that say a value, one overload a type, so that no probe boxes or changes a type. `v` says
 * what was written; `w` also gives it back; `r` says what a function returns, and gives it back.
 */
public final class V {
    private V() {}

    @Hidden
    public static void v(int site, boolean x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.scalar(site, Scalars.BOOLEAN, x ? 1 : 0);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void v(int site, byte x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.scalar(site, Scalars.BYTE, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void v(int site, short x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.scalar(site, Scalars.SHORT, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void v(int site, char x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.scalar(site, Scalars.CHAR, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void v(int site, int x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.scalar(site, Scalars.INT, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void v(int site, long x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.scalar(site, Scalars.LONG, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void v(int site, float x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.scalar(site, Scalars.FLOAT, Float.floatToRawIntBits(x) & 0xffffffffL);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void v(int site, double x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.scalar(site, Scalars.DOUBLE, Double.doubleToRawLongBits(x));
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static void v(int site, Object x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.object(site, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
    }

    @Hidden
    public static boolean w(int site, boolean x) {
        v(site, x);
        return x;
    }

    @Hidden
    public static byte w(int site, byte x) {
        v(site, x);
        return x;
    }

    @Hidden
    public static short w(int site, short x) {
        v(site, x);
        return x;
    }

    @Hidden
    public static char w(int site, char x) {
        v(site, x);
        return x;
    }

    @Hidden
    public static int w(int site, int x) {
        v(site, x);
        return x;
    }

    @Hidden
    public static long w(int site, long x) {
        v(site, x);
        return x;
    }

    @Hidden
    public static float w(int site, float x) {
        v(site, x);
        return x;
    }

    @Hidden
    public static double w(int site, double x) {
        v(site, x);
        return x;
    }

    @Hidden
    public static <T> T w(int site, T x) {
        v(site, x);
        return x;
    }

    /** What `x++` and `x--` leave behind; they give the value before. */
    @Hidden
    public static byte up(int site, byte x) {
        v(site, (byte) (x + 1));
        return x;
    }

    @Hidden
    public static byte down(int site, byte x) {
        v(site, (byte) (x - 1));
        return x;
    }

    /** What `x++` and `x--` leave behind; they give the value before. */
    @Hidden
    public static short up(int site, short x) {
        v(site, (short) (x + 1));
        return x;
    }

    @Hidden
    public static short down(int site, short x) {
        v(site, (short) (x - 1));
        return x;
    }

    /** What `x++` and `x--` leave behind; they give the value before. */
    @Hidden
    public static char up(int site, char x) {
        v(site, (char) (x + 1));
        return x;
    }

    @Hidden
    public static char down(int site, char x) {
        v(site, (char) (x - 1));
        return x;
    }

    /** What `x++` and `x--` leave behind; they give the value before. */
    @Hidden
    public static int up(int site, int x) {
        v(site, x + 1);
        return x;
    }

    @Hidden
    public static int down(int site, int x) {
        v(site, x - 1);
        return x;
    }

    /** What `x++` and `x--` leave behind; they give the value before. */
    @Hidden
    public static long up(int site, long x) {
        v(site, x + 1);
        return x;
    }

    @Hidden
    public static long down(int site, long x) {
        v(site, x - 1);
        return x;
    }

    /** What `x++` and `x--` leave behind; they give the value before. */
    @Hidden
    public static float up(int site, float x) {
        v(site, x + 1);
        return x;
    }

    @Hidden
    public static float down(int site, float x) {
        v(site, x - 1);
        return x;
    }

    /** What `x++` and `x--` leave behind; they give the value before. */
    @Hidden
    public static double up(int site, double x) {
        v(site, x + 1);
        return x;
    }

    @Hidden
    public static double down(int site, double x) {
        v(site, x - 1);
        return x;
    }

    @Hidden
    public static <T> T up(int site, T x) {
        v(site, Boxes.plus(x, 1));
        return x;
    }

    @Hidden
    public static <T> T down(int site, T x) {
        v(site, Boxes.plus(x, -1));
        return x;
    }

    @Hidden
    public static boolean r(int site, boolean x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, Scalars.BOOLEAN, x ? 1 : 0, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return x;
    }

    @Hidden
    public static byte r(int site, byte x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, Scalars.BYTE, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return x;
    }

    @Hidden
    public static short r(int site, short x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, Scalars.SHORT, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return x;
    }

    @Hidden
    public static char r(int site, char x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, Scalars.CHAR, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return x;
    }

    @Hidden
    public static int r(int site, int x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, Scalars.INT, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return x;
    }

    @Hidden
    public static long r(int site, long x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, Scalars.LONG, x, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return x;
    }

    @Hidden
    public static float r(int site, float x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, Scalars.FLOAT, Float.floatToRawIntBits(x) & 0xffffffffL, null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return x;
    }

    @Hidden
    public static double r(int site, double x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, Scalars.DOUBLE, Double.doubleToRawLongBits(x), null);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return x;
    }

    @Hidden
    public static <T> T r(int site, T x) {
        try {
            Writer writer = Threads.writer();
            if (writer != null) {
                writer.leave(site, 0, 0, x);
            }
        } catch (StackOverflowError full) {
            // The subject is about to meet it by itself.
        }
        return x;
    }

    // Where the function's type is known, its returns convert as a `return` does.

    @Hidden
    public static <T> T rL(int site, T x) {
        return r(site, x);
    }

    @Hidden
    public static boolean rZ(int site, boolean x) {
        return r(site, x);
    }

    /** Takes constants, too, which a `return` narrows. */
    @Hidden
    public static byte rB(int site, int x) {
        return r(site, (byte) x);
    }

    /** Takes constants, too, which a `return` narrows. */
    @Hidden
    public static short rS(int site, int x) {
        return r(site, (short) x);
    }

    /** Takes constants, too, which a `return` narrows. */
    @Hidden
    public static char rC(int site, int x) {
        return r(site, (char) x);
    }

    @Hidden
    public static int rI(int site, int x) {
        return r(site, x);
    }

    @Hidden
    public static long rJ(int site, long x) {
        return r(site, x);
    }

    @Hidden
    public static float rF(int site, float x) {
        return r(site, x);
    }

    @Hidden
    public static double rD(int site, double x) {
        return r(site, x);
    }
}
