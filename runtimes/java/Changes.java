package trc$;

import java.util.Arrays;

/** Containers before a call that may change them, until it is over: a stack, for calls nest. */
final class Changes {
    private int[] sites = new int[16];
    private int[] depths = new int[16];
    private byte[][] values = new byte[16][];
    private int count;
    private final Writer writer;

    Changes(Writer writer) {
        this.writer = writer;
    }

    /** Keeps what a container holds before a call of the running function. */
    void before(int site, Object container) {
        // What is only counted is told by its last visits, without what was before.
        if (!writer.isCounted(site)) {
            writer.record.clear();
            writer.record.object(container);
            keep(site, writer.depth, writer.record);
        }
    }

    private void keep(int site, int depth, Record record) {
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

    /** Tells what a container held before the call and holds now, where that is not the same. */
    void after(int site, Object container) {
        byte[] before = kept(site, writer.depth);
        if (before == null) {
            if (writer.isCounted(site)) {
                Channel.countVisit(site);
            }
            return;
        }
        Record record = writer.record;
        record.clear();
        record.object(container);
        if (!record.holds(before) && writer.open(site, Writer.TRANSFORM)) {
            record.all(before);
            record.object(container);
            writer.close();
        }
    }

    /** What was kept for this call; null if nothing was. */
    private byte[] kept(int site, int depth) {
        while (count > 0 && depths[count - 1] >= depth) {
            count--;
            if (depths[count] == depth && sites[count] == site) {
                return values[count];
            }
        }
        return null;
    }
}
