package trc$;

import jdk.internal.misc.TerminatingThreadLocal;

/** Hears of the ends of threads from the JDK, which tells it to thread-local buffers of its own. */
final class Ending extends TerminatingThreadLocal<Writer> {
    private static Ending all;

    static void load() {
        all = new Ending();
    }

    static void watch(Writer writer) {
        if (all != null) {
            all.set(writer);
        }
    }

    @Override
    protected void threadTerminated(Writer writer) {
        writer.ended();
    }
}
