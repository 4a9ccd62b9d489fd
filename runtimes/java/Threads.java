package trc$;

import java.lang.StackWalker.StackFrame;
import java.util.Iterator;
import java.util.function.Function;
import java.util.stream.Stream;
import jdk.internal.vm.annotation.Hidden;

/** Which writer is whose. A thread's number comes from the thread that made it, not from chance. */
final class Threads extends InheritableThreadLocal<Writer> {
    /** What virtual threads are; null where there are none. They are carried by the JDK's own. */
    private static final Class<?> VIRTUAL = virtual();
    private static final boolean OPEN = Channel.open(Descriptor.NUMBER);
    private static final Threads ALL = OPEN ? new Threads() : null;
    /** The writer asked for last: nearly always the right one. */
    private static Writer recent;
    private static boolean tried;
    private static volatile boolean opened;

    static {
        if (OPEN) {
            Writer first = new Writer(0, Writer.MAIN, 0, 0);
            ALL.set(first);
            first.begin(Thread.currentThread());
            recent = first;
            // A class that first loads where the stack is nearly full would never load again.
            Errors.load();
            Layout.load();
            Order.load();
            Room.load();
            Scalars.load();
            Boxes.plus(null, 0);
            Heap.number(null);
            Text.utf8("", 0, 0);
            Output.watch();
            Hashes.find();
            Hashes.rewind(P.class, A.class, V.class);
        }
    }

    private Threads() {}

    /** The running thread's; null if there is no channel. */
    @Hidden
    static Writer writer() {
        Writer writer = recent;
        if (writer != null && writer.thread == Thread.currentThread()) {
            return writer;
        }
        return OPEN ? find() : null;
    }

    @Hidden
    private static Writer find() {
        Writer writer = ALL.get();
        if (writer == null) {
            // A thread that inherits nothing.
            Channel.threads = true;
            writer = new Writer(1, Writer.THREAD, 0, 0);
            ALL.set(writer);
        }
        if (writer.thread == null) {
            Thread thread = Thread.currentThread();
            writer.begin(thread);
            if (!writer.isVirtual) {
                hearOfEnds();
                if (opened) {
                    Ending.watch(writer);
                }
            }
        }
        recent = writer;
        return writer;
    }

    /**
     * Opening modules draws hashes: not before there is a thread that ends. It takes long: the one
     * that makes the thread does it, or another that was made later would overtake.
     */
    private static synchronized void hearOfEnds() {
        if (tried) {
            return;
        }
        tried = true;
        long generator = Hashes.own();
        long low = Hashes.low(generator);
        long high = Hashes.high(generator);
        try {
            Inside.open("jdk.internal.misc");
            Ending.load();
            opened = true;
        } catch (ReflectiveOperationException | RuntimeException | LinkageError otherJdk) {
            // Then the ends of threads are not told.
        }
        Hashes.put(generator, low, high);
    }

    @Override
    protected Writer childValue(Writer parent) {
        if (parent == null || parent.thread == null) {
            return null;
        }
        int kind = VIRTUAL != null ? Kind.asked() : Kind.ORDINARY;
        if (kind == Kind.JDK) {
            return null;
        }
        Channel.threads = true;
        if (kind == Kind.ORDINARY) {
            hearOfEnds();
        }
        return parent.child(kind == Kind.VIRTUAL);
    }

    static boolean isVirtual(Thread thread) {
        return VIRTUAL != null && VIRTUAL.isInstance(thread);
    }

    private static Class<?> virtual() {
        try {
            return Class.forName("java.lang.BaseVirtualThread", false, null);
        } catch (ClassNotFoundException olderJdk) {
            return null;
        }
    }

    /** What kind of thread is being made: only the calls on the stack say it. */
    private static final class Kind implements Function<Stream<StackFrame>, Integer> {
        static final int ORDINARY = 0;
        static final int VIRTUAL = 1;
        /** It runs nothing of the subject's; how many there are hangs on the machine. */
        static final int JDK = 2;

        static int asked() {
            return StackWalker.getInstance().walk(new Kind());
        }

        @Override
        public Integer apply(Stream<StackFrame> frames) {
            Iterator<StackFrame> each = frames.iterator();
            for (int i = 0; i < 12 && each.hasNext(); i++) {
                StackFrame frame = each.next();
                if (frame.getMethodName().equals("<init>")) {
                    switch (frame.getClassName()) {
                        case "java.lang.BaseVirtualThread":
                            return VIRTUAL;
                        case "jdk.internal.misc.CarrierThread":
                        case "jdk.internal.misc.InnocuousThread":
                            return JDK;
                        default:
                    }
                }
            }
            return ORDINARY;
        }
    }
}
