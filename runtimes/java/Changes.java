package trc$;

import java.util.Arrays;

/** Containers before a call that may change them, until it is over: a stack, for calls nest. */
final class Changes {
    private int[] sites = new int[16];
    private int[] depths = new int[16];
    private byte[][] values = new byte[16][];
    private int count;

    /** Keeps what a container holds before a call of this depth. */
    void before(int site, int depth, Record record) {
        while (count > 0 && (depths[count - 1] > depth
                || depths[count - 1] == depth && sites[count - 1] == site)) {
            count--;
        }
        if (count == sites.length) {
            sites = Arrays.copyOf(sites, count * 2);
            depths = Arrays.copyOf(depths, count * 2);
            values = Arrays.copyOf(values, count * 2);
        }
        sites[count] = site;
        depths[count] = depth;
        values[count] = Arrays.copyOf(record.bytes, record.length());
        count++;
    }

    /** What was kept for this call; null if nothing was. */
    byte[] after(int site, int depth) {
        while (count > 0 && depths[count - 1] >= depth) {
            count--;
            if (depths[count] == depth && sites[count] == site) {
                return values[count];
            }
        }
        return null;
    }
}
