package trc$;

import java.io.FileDescriptor;
import java.io.RandomAccessFile;
import java.lang.reflect.Method;
import java.nio.Buffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

/**
 * Maps a file by the JDK's own native call. What stands before that in {@link FileChannel#map}
 * starts method handles, which takes time and draws identity hashes that are then the program's.
 */
final class Mapping {
    private static final int READ_WRITE = 1;

    /** Held so that the memory stays mapped. */
    private static MappedByteBuffer held;

    private Mapping() {}

    /** The address of so many bytes from the file's beginning. */
    static long of(RandomAccessFile file, long size) throws Exception {
        FileChannel channel = file.getChannel();
        try {
            return quietly(channel, file.getFD(), size);
        } catch (ReflectiveOperationException | RuntimeException | LinkageError otherJdk) {
            held = channel.map(FileChannel.MapMode.READ_WRITE, 0, size);
            return Channel.MEMORY.getLong(held, Channel.offset(Buffer.class, "address"));
        }
    }

    private static long quietly(FileChannel channel, FileDescriptor descriptor, long size)
            throws ReflectiveOperationException {
        Class<?> owner = channel.getClass();
        Method map = find(owner, int.class, long.class, long.class, boolean.class);
        if (map != null) {
            return call(map, channel, READ_WRITE, 0L, size, false);
        }
        map = find(owner, int.class, long.class, long.class);
        if (map != null) {
            return call(map, channel, READ_WRITE, 0L, size);
        }
        for (String name : new String[] {"UnixFileDispatcherImpl", "FileDispatcherImpl"}) {
            Class<?> type = Class.forName("sun.nio.ch.".concat(name), true, null);
            map = find(type, FileDescriptor.class, int.class, long.class, long.class,
                    boolean.class);
            if (map != null) {
                return call(map, null, descriptor, READ_WRITE, 0L, size, false);
            }
        }
        throw new NoSuchMethodException();
    }

    private static Method find(Class<?> owner, Class<?>... types) {
        try {
            return owner.getDeclaredMethod("map0", types);
        } catch (NoSuchMethodException otherJdk) {
            return null;
        }
    }

    private static long call(Method map, Object target, Object... with)
            throws ReflectiveOperationException {
        return (Long) Inside.call(map, target, with);
    }
}
