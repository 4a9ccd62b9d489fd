package trc$;

import jdk.internal.vm.annotation.Hidden;

/** Which writer is whose. A thread's number comes from the thread that made it, not from chance. */
final class Threads extends InheritableThreadLocal<Writer> {
    private static final boolean OPEN = Channel.open(Descriptor.NUMBER);
    private static final Threads ALL = OPEN ? new Threads() : null;
    /** The writer asked for last: nearly always the right one. */
    private static Writer recent;

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
            writer.begin(Thread.currentThread());
        }
        recent = writer;
        return writer;
    }

    @Override
    protected Writer childValue(Writer parent) {
        if (parent == null || parent.thread == null) {
            return null;
        }
        Channel.threads = true;
        return parent.child();
    }
}
