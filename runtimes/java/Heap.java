package trc$;

import java.lang.ref.WeakReference;
import sun.misc.Unsafe;

/**
 * Numbers for objects, without asking for their identity hash, which would change the next ones. An
 * object is known by where it lies. That stands until the garbage collector runs: then the table is
 * made anew from weak references. A number is never given twice.
 */
final class Heap {
    /** Objects that are numbered at most. */
    private static final int MOST = 1 << 19;
    private static final boolean NARROW = Unsafe.ARRAY_OBJECT_INDEX_SCALE == 4;
    private static final Object[] CELL = new Object[1];

    /** Where each object lies, and the object; a place without one is free. */
    private static long[] places = new long[1024];
    private static Known[] objects = new Known[1024];
    private static int count;
    private static int last;
    /** What it refers to is garbage at once: it is empty when the collector has run. */
    private static WeakReference<Object> calm = new WeakReference<>(new Object());

    private Heap() {}

    private static final class Known extends WeakReference<Object> {
        final int number;

        Known(Object object, int number) {
            super(object);
            this.number = number;
        }
    }

    /** The object's number; 0 where it cannot be told. */
    static synchronized long number(Object object) {
        for (int tries = 0; tries < 8; tries++) {
            long place = place(object);
            int index = find(places, objects, place);
            Known known = objects[index];
            // Asked last: until now nothing had moved.
            if (calm.get() == null) {
                renew();
            } else if (known != null) {
                return known.number;
            } else if (last == MOST) {
                return 0;
            } else {
                known = new Known(object, ++last);
                places[index] = place;
                objects[index] = known;
                if (++count * 2 > objects.length) {
                    renew();
                }
                return known.number;
            }
        }
        return 0;
    }

    private static long place(Object object) {
        CELL[0] = object;
        long place = NARROW
                ? Channel.MEMORY.getInt(CELL, Unsafe.ARRAY_OBJECT_BASE_OFFSET)
                : Channel.MEMORY.getLong(CELL, Unsafe.ARRAY_OBJECT_BASE_OFFSET);
        CELL[0] = null;
        return place;
    }

    /** The index of the object at this place, or the free one that it would have. */
    private static int find(long[] places, Known[] objects, long place) {
        int mask = objects.length - 1;
        int index = (int) (place * 0x9e3779b97f4a7c15L >>> 40) & mask;
        while (objects[index] != null && places[index] != place) {
            index = index + 1 & mask;
        }
        return index;
    }

    /** Makes the table anew: where the objects lie now, without those that are gone. */
    private static void renew() {
        calm = new WeakReference<>(new Object());
        int living = 0;
        for (Known known : objects) {
            living += known == null || known.get() == null ? 0 : 1;
        }
        int size = 1024;
        while (size < living * 4) {
            size *= 2;
        }
        long[] newPlaces = new long[size];
        Known[] newObjects = new Known[size];
        int taken = 0;
        for (Known known : objects) {
            Object object = known == null ? null : known.get();
            if (object != null) {
                long place = place(object);
                int index = find(newPlaces, newObjects, place);
                taken += newObjects[index] == null ? 1 : 0;
                newPlaces[index] = place;
                newObjects[index] = known;
            }
        }
        // Where the collector ran meanwhile, two may have lain at one place: once more.
        if (calm.get() != null) {
            places = newPlaces;
            objects = newObjects;
            count = taken;
        }
    }
}
