package trc$;

import sun.misc.Unsafe;

/**
 * Where records go: whole segments for the main thread, and pieces of shared segments for others. A
 * program may make far more threads than there are segments.
 */
final class Room {
    /** The stream number of a segment that holds pieces of several. */
    private static final int SHARED = -1;
    private static final int PIECE_HEADER = 24;
    /** A thread's first piece; each further one is four times as large, up to the last. */
    private static final int FIRST = 1 << 10;
    private static final int LAST = 16 << 10;
    /** What ended threads left, and what is worth keeping of it. */
    private static final int TAILS = 1024;
    private static final int LEAST_TAIL = 256;

    private static final Unsafe MEMORY = Channel.MEMORY;

    /** Begins and ends of the segment that pieces are cut from. */
    private static long at;
    private static long end;
    /** Of each tail the piece that it is part of, where it begins, and where it ends. */
    private static final long[] tails = new long[TAILS * 3];
    private static int tailCount;

    /** The piece that a thread writes to; 0 in a segment of its own. */
    private long piece;
    private int next = FIRST;

    static void load() {}

    /** Claims a segment: where it begins, or 0. */
    private static long segment(int stream) {
        long counter = Channel.base + 64;
        int number;
        do {
            number = MEMORY.getInt(counter);
            if (number >= Channel.segmentCount) {
                return 0;
            }
        } while (!MEMORY.compareAndSwapInt(null, counter, number, number + 1));
        long segment = Channel.segments + (long) number * Channel.segmentSize;
        MEMORY.putInt(segment + 4, stream);
        MEMORY.putLong(segment + 16, MEMORY.getLong(Channel.base + 8));
        MEMORY.storeFence();
        MEMORY.putInt(segment, 'S' | 'E' << 8 | 'G' << 16 | '1' << 24);
        return segment;
    }

    /** More room for a writer, for a record of at least so many bytes. */
    boolean claim(Writer writer, int least) {
        if (writer.origin == Writer.THREAD && next <= LAST && least <= LAST / 2) {
            return claimPiece(writer, least);
        }
        long segment = segment(writer.stream);
        if (segment == 0) {
            return false;
        }
        MEMORY.putInt(segment + 8, writer.parent);
        MEMORY.putInt(segment + 12, writer.origin);
        MEMORY.putInt(segment + 24, writer.parentSite);
        MEMORY.putInt(segment + 28, writer.ordinal);
        // The reader takes a stream's parts in the order in which they lie.
        piece = 0;
        next = LAST + 1;
        writer.at = segment + Channel.SEGMENT_HEADER;
        writer.end = segment + Channel.segmentSize;
        return true;
    }

    private boolean claimPiece(Writer writer, int least) {
        int need = least + PIECE_HEADER + Writer.SMALL;
        int size = Math.max(next, need + 7 & ~7);
        synchronized (Room.class) {
            int last = tailCount * 3 - 3;
            // Only a first piece may lie before others that were made earlier.
            if (next == FIRST && last >= 0 && tails[last + 1] + need <= tails[last + 2]) {
                long from = tails[last + 1];
                begin(writer, from, tails[last + 2]);
                MEMORY.storeFence();
                MEMORY.putInt(tails[last], (int) (from - tails[last]));
                tailCount--;
            } else {
                if (at + size > end) {
                    long segment = segment(SHARED);
                    if (segment == 0) {
                        return false;
                    }
                    at = segment + Channel.SEGMENT_HEADER;
                    end = segment + Channel.segmentSize;
                }
                begin(writer, at, at + size);
                at += size;
            }
        }
        next *= 4;
        return true;
    }

    private void begin(Writer writer, long from, long to) {
        MEMORY.putInt(from + 4, writer.stream);
        MEMORY.putInt(from + 8, writer.parent);
        MEMORY.putInt(from + 12, writer.origin);
        MEMORY.putInt(from + 16, writer.parentSite);
        MEMORY.putInt(from + 20, writer.ordinal);
        MEMORY.storeFence();
        MEMORY.putInt(from, (int) (to - from));
        piece = from;
        writer.at = from + PIECE_HEADER;
        writer.end = to;
    }

    /** The thread is over, or seems to be: what it did not fill is for others. */
    void release(Writer writer) {
        if (piece == 0) {
            return;
        }
        // A zero byte stays behind the records.
        long from = writer.at + 8 & ~7L;
        if (from < writer.end) {
            MEMORY.setMemory(writer.at, writer.end - writer.at, (byte) 0);
            synchronized (Room.class) {
                if (writer.end == at) {
                    MEMORY.putInt(piece, (int) (from - piece));
                    at = from;
                } else if (from + LEAST_TAIL <= writer.end && tailCount < TAILS) {
                    tails[tailCount * 3] = piece;
                    tails[tailCount * 3 + 1] = from;
                    tails[tailCount * 3 + 2] = writer.end;
                    tailCount++;
                }
            }
        }
        // Should it go on, then not for long, but behind what it said.
        next = FIRST + 8;
        piece = 0;
        writer.at = 0;
        writer.end = 0;
        writer.limit = 0;
    }
}
