package trc$;

/** Numbers for objects, without asking for their identity hash, which would change the next ones. */
final class Heap {
    private Heap() {}

    static long number(Object object) {
        return 0;
    }
}
