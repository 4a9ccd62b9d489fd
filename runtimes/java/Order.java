package trc$;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.Map;

/** Which elements of a collection are shown. */
final class Order implements Comparator<Object> {
    /** Elements looked at to find the first ones of an unordered collection. */
    private static final int LOOK = 2000;

    private Order() {}

    static void load() {}

    /**
     * The elements to show. Where a hash decides the order, which differs from run to run, the
     * least ones, if all are of one class whose order is the JDK's own.
     */
    static Object[] first(Iterator<?> from, int size, int shown, boolean unordered) {
        if (shown == 0 || size <= shown || !unordered) {
            return take(from, shown);
        }
        Object[] all = take(from, Math.min(size, LOOK));
        Object[] keys = new Object[all.length];
        for (int i = 0; i < all.length; i++) {
            keys[i] = all[i] instanceof Map.Entry ? ((Map.Entry<?, ?>) all[i]).getKey() : all[i];
            if (keys[i] == null || !isOrdered(keys[i]) || keys[i].getClass() != keys[0].getClass()) {
                return Arrays.copyOf(all, shown);
            }
        }
        Arrays.sort(all, new Order());
        return Arrays.copyOf(all, shown);
    }

    private static boolean isOrdered(Object key) {
        return key instanceof String || key instanceof Integer || key instanceof Long
                || key instanceof Character || key instanceof Double || key instanceof Enum;
    }

    @SuppressWarnings("unchecked")
    @Override
    public int compare(Object a, Object b) {
        Object left = a instanceof Map.Entry ? ((Map.Entry<?, ?>) a).getKey() : a;
        Object right = b instanceof Map.Entry ? ((Map.Entry<?, ?>) b).getKey() : b;
        return ((Comparable<Object>) left).compareTo(right);
    }

    private static Object[] take(Iterator<?> from, int count) {
        Object[] items = new Object[count];
        int taken = 0;
        while (taken < count && from.hasNext()) {
            items[taken++] = from.next();
        }
        return taken == count ? items : Arrays.copyOf(items, taken);
    }
}
