package trc$;

import java.util.Arrays;

/**
 * Returns that wait for a `finally`: their OUT is told when it is over. Stacks, for what a `finally`
 * calls may return in the same way.
 */
final class Returns {
    private int[] guards = new int[16];
    private int guardCount;
    private int[] held = new int[16];
    private long[] bits = new long[8];
    private Object[] values = new Object[8];
    private int count;

    /** A try with a `finally` is entered. */
    void guard(int mark, int depth) {
        leave(mark, depth);
        if (guardCount * 2 == guards.length) {
            guards = Arrays.copyOf(guards, guards.length * 2);
        }
        guards[guardCount * 2] = mark;
        guards[guardCount * 2 + 1] = depth;
        guardCount++;
    }

    /** Its `finally` begins, or is not come to any more. */
    void leave(int mark, int depth) {
        for (int at = guardCount; at > 0 && guards[at * 2 - 1] >= depth; at--) {
            if (guards[at * 2 - 1] > depth || guards[at * 2 - 2] == mark) {
                guardCount = at - 1;
            }
        }
    }

    private boolean isGuarded(int depth) {
        return guardCount > 0 && guards[guardCount * 2 - 1] == depth;
    }

    /** Whether there is nothing to keep or forget. */
    boolean isIdle() {
        return guardCount == 0 && count == 0;
    }

    /** Keeps a return of a call of this depth, if it waits. Code -1: it has no value. */
    boolean hold(int site, int depth, int code, long scalar, Object value) {
        while (guardCount > 0 && guards[guardCount * 2 - 1] > depth) {
            guardCount--;
        }
        // Another return takes the place of the one that waited.
        drop(depth);
        if (!isGuarded(depth)) {
            return false;
        }
        if (count == bits.length) {
            held = Arrays.copyOf(held, count * 4);
            bits = Arrays.copyOf(bits, count * 2);
            values = Arrays.copyOf(values, count * 2);
        }
        held[count * 2] = site << 5 | code + 1;
        held[count * 2 + 1] = depth;
        bits[count] = scalar;
        values[count] = value;
        count++;
        return true;
    }

    /** Forgets what waits in calls of this depth and deeper. */
    void drop(int depth) {
        while (count > 0 && held[count * 2 - 1] >= depth) {
            values[--count] = null;
        }
    }

    /** A `finally` is over: tells the return that waited for it, unless it waits for another. */
    void tell(Writer writer) {
        int depth = writer.depth;
        if (count == 0 || held[count * 2 - 1] != depth || isGuarded(depth)) {
            return;
        }
        int site = held[count * 2 - 2] >>> 5;
        int code = (held[count * 2 - 2] & 31) - 1;
        long scalar = bits[count - 1];
        Object value = values[count - 1];
        drop(depth);
        writer.returned(site, code, scalar, value);
    }
}
