package trc$;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.RandomAccessFile;
import sun.misc.Unsafe;

/** The trace channel, mapped: header, slots and segments by address. See FORMAT.md. */
final class Channel {
    /** By no reflection, which asks modules for their identity hashes. */
    static final Unsafe MEMORY = Unsafe.getUnsafe();
    static final int SLOT = 64;
    static final int SLOT_RECORD = 47;
    static final int SEGMENT_HEADER = 32;

    static long base;
    static long slots;
    static long segments;
    static int slotCount;
    static int segmentCount;
    static int segmentSize;
    static int events;
    static int depth;
    static int elements;
    static int characters;
    static int valueBytes;
    /** Whether another thread than the first may write. */
    static volatile boolean threads;
    /** Visits of each function's IN site, up to 2. */
    static byte[] entered;

    private Channel() {}

    static long offset(Class<?> owner, String name) throws ReflectiveOperationException {
        return MEMORY.objectFieldOffset(owner.getDeclaredField(name));
    }

    /** Maps the channel behind a descriptor and closes it. False if there is none. */
    static boolean open(int descriptor) {
        try (RandomAccessFile file = new RandomAccessFile("/proc/self/fd/" + descriptor, "rw")) {
            byte[] header = new byte[72];
            file.readFully(header);
            if (header[0] != 'T' || header[1] != 'R' || header[2] != 'C' || header[3] != 'S') {
                return false;
            }
            long first = number(header, 40);
            long each = number(header, 44);
            // One buffer holds at most two gigabytes: further segments stay unused.
            long count = Math.min(number(header, 36), (Integer.MAX_VALUE - first) / each);
            long size = first + count * each;
            base = Mapping.of(file, size);
            slots = base + number(header, 24);
            segments = base + number(header, 40);
            slotCount = (int) number(header, 28);
            segmentCount = (int) count;
            segmentSize = (int) number(header, 44);
            events = (int) number(header, 48);
            depth = header[56] & 0xff;
            elements = (int) number(header, 58) & 0xffff;
            characters = (int) number(header, 60) & 0xffff;
            valueBytes = (int) number(header, 62) & 0xffff;
            entered = new byte[slotCount];
            close(descriptor);
            return true;
        } catch (Exception | LinkageError none) {
            return false;
        }
    }

    /** The subject is not to find a descriptor that it did not open. */
    private static void close(int number) throws Exception {
        FileDescriptor descriptor = new FileDescriptor();
        MEMORY.putInt(descriptor, offset(FileDescriptor.class, "fd"), number);
        new FileOutputStream(descriptor).close();
    }

    private static long number(byte[] bytes, int at) {
        long value = 0;
        for (int i = 3; i >= 0; i--) {
            value = value << 8 | bytes[Math.min(at + i, bytes.length - 1)] & 0xff;
        }
        return value;
    }

    static long slot(int site) {
        return slots + (long) site * SLOT;
    }

    static int takeStream() {
        return MEMORY.getAndAddInt(null, base + 68, 1);
    }

    /** Counts a visit; gives the number of those that were counted and not told. */
    static long countVisit(int site) {
        long slot = slots + (long) site * SLOT;
        if (threads) {
            return MEMORY.getAndAddLong(null, slot, 1) + 1;
        }
        long visits = MEMORY.getLong(slot) + 1;
        MEMORY.putLong(slot, visits);
        return visits;
    }

    static long visits(int site) {
        return MEMORY.getLong(slots + (long) site * SLOT);
    }

    static void copy(byte[] from, int start, long to, int length) {
        MEMORY.copyMemory(from, Unsafe.ARRAY_BYTE_BASE_OFFSET + start, null, to, length);
    }

    static long varint(long to, long value) {
        while ((value & ~0x7fL) != 0) {
            MEMORY.putByte(to++, (byte) (value | 0x80));
            value >>>= 7;
        }
        MEMORY.putByte(to++, (byte) value);
        return to;
    }
}
