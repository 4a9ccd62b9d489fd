package trc$;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Stack;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.Vector;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Objects as values. Only classes known to run none of the subject's code are asked for their
 * contents; of all others the fields are read from memory.
 */
final class Values {
    private static final int PATH = 16;

    private final Record record;
    private final Object[] path = new Object[PATH];
    private int level;
    private int start;

    Values(Record record) {
        this.record = record;
    }

    /** One whole value, within the limits. */
    void whole(Object value) {
        int before = record.length();
        level = 0;
        start = before;
        try {
            any(value);
        } catch (Throwable changed) {
            // Another thread changed it meanwhile, a class would not load, or memory ran out.
            record.cut(before);
            if (changed instanceof VirtualMachineError) {
                record.put(0);
            } else {
                opaque(value, null);
            }
        } finally {
            for (int i = 0; i < PATH; i++) {
                path[i] = null;
            }
        }
    }

    private void any(Object value) {
        if (value == null) {
            record.put(0);
            return;
        }
        Class<?> type = value.getClass();
        if (type == String.class) {
            record.string((String) value, Channel.characters);
        } else if (type.isArray()) {
            array(value, type);
        } else if (type.getClassLoader() == null) {
            if (!scalar(value, type) && !library(value, type)) {
                opaque(value, null);
            }
        } else {
            own(value, type);
        }
    }

    private boolean scalar(Object value, Class<?> type) {
        if (type == Integer.class) {
            record.typed("Integer");
            record.integer((Integer) value);
        } else if (type == Long.class) {
            record.typed("Long");
            record.integer((Long) value);
        } else if (type == Double.class) {
            record.typed("Double");
            record.bare(Scalars.DOUBLE, Double.doubleToRawLongBits((Double) value));
        } else if (type == Boolean.class) {
            record.typed("Boolean");
            record.bare(Scalars.BOOLEAN, (Boolean) value ? 1 : 0);
        } else if (type == Character.class) {
            record.typed("Character");
            record.bare(Scalars.CHAR, (Character) value);
        } else if (type == Float.class) {
            record.typed("Float");
            record.bare(Scalars.FLOAT, Float.floatToRawIntBits((Float) value) & 0xffffffffL);
        } else if (type == Byte.class) {
            record.typed("Byte");
            record.integer((Byte) value);
        } else if (type == Short.class) {
            record.typed("Short");
            record.integer((Short) value);
        } else if (type == BigInteger.class) {
            BigInteger big = (BigInteger) value;
            if (big.bitLength() > 4000) {
                return false;
            }
            byte[] text = Text.utf8(big.toString(), 0, big.toString().length());
            record.typed("BigInteger");
            record.put(Record.BIG);
            record.varint(text.length);
            record.all(text);
        } else if (type == BigDecimal.class) {
            BigDecimal big = (BigDecimal) value;
            opaque(value, big.precision() > 200 ? null : big.toString());
        } else if (type == StringBuilder.class || type == StringBuffer.class) {
            record.typed(name(type));
            record.string((CharSequence) value, Channel.characters);
        } else {
            return false;
        }
        return true;
    }

    /** A value of a JDK class whose own methods say what is in it. */
    private boolean library(Object value, Class<?> type) {
        if (type == ArrayList.class || type == Vector.class || type == Stack.class
                || type == LinkedList.class || type == ArrayDeque.class
                || type == PriorityQueue.class || isFixedList(type)) {
            items(Record.SEQUENCE, (Collection<?>) value, type, false);
        } else if (type == HashSet.class) {
            items(Record.SET, (Collection<?>) value, type, true);
        } else if (type == LinkedHashSet.class || type == TreeSet.class) {
            items(Record.SET, (Collection<?>) value, type, false);
        } else if (type.getName().startsWith("java.util.ImmutableCollections$Set")) {
            items(Record.SET, (Collection<?>) value, type, true);
        } else if (type == HashMap.class || type == Hashtable.class
                || type == ConcurrentHashMap.class || type == IdentityHashMap.class
                || type.getName().startsWith("java.util.ImmutableCollections$Map")) {
            entries((Map<?, ?>) value, type, true);
        } else if (type == LinkedHashMap.class || type == TreeMap.class) {
            entries((Map<?, ?>) value, type, false);
        } else if (type == AtomicInteger.class) {
            record.typed("AtomicInteger");
            record.integer(((AtomicInteger) value).get());
        } else if (type == AtomicLong.class) {
            record.typed("AtomicLong");
            record.integer(((AtomicLong) value).get());
        } else if (type == AtomicBoolean.class) {
            record.typed("AtomicBoolean");
            record.bare(Scalars.BOOLEAN, ((AtomicBoolean) value).get() ? 1 : 0);
        } else if (value instanceof Enum) {
            constant((Enum<?>) value);
        } else if (value instanceof Throwable) {
            throwable((Throwable) value);
        } else if (type == Class.class) {
            opaque(value, ((Class<?>) value).getName());
        } else if (type == java.util.Optional.class) {
            begin(Record.FIELDS, value, type, 1, 1, false);
            record.varint(record.writer.intern("value"));
            inner(((java.util.Optional<?>) value).isPresent()
                    ? ((java.util.Optional<?>) value).get() : null);
            level--;
        } else {
            return false;
        }
        return true;
    }

    private static boolean isFixedList(Class<?> type) {
        String name = type.getName();
        return name.startsWith("java.util.ImmutableCollections$List")
                || name.equals("java.util.Arrays$ArrayList");
    }

    private boolean isOpen(Object value) {
        for (int i = 0; i < level && i < PATH; i++) {
            if (path[i] == value) {
                record.put(Record.REFERENCE);
                record.varint(Heap.number(value));
                return true;
            }
        }
        return false;
    }

    /** A part of the value being told. */
    private void inner(Object part) {
        if (record.length() - start > Channel.valueBytes) {
            record.put(Record.OPAQUE);
            record.varint(0);
            record.varint(0);
            record.varint(0);
            return;
        }
        any(part);
    }

    /** Begins a value with parts; they follow, then `level--`. */
    private void begin(int kind, Object value, Class<?> type, int size, int shown,
            boolean unordered) {
        level++;
        if (level <= PATH) {
            path[level - 1] = value;
        }
        record.put(kind);
        record.varint(record.writer.intern(name(type)));
        record.varint(Heap.number(value));
        record.varint(size);
        record.put((shown < size ? 1 : 0) | (unordered ? 2 : 0));
        if (shown < size) {
            record.fixed(0, 8);
        }
        record.varint(shown);
    }

    private void items(int kind, Collection<?> value, Class<?> type, boolean unordered) {
        if (isOpen(value)) {
            return;
        }
        int size = value.size();
        int shown = level >= Channel.depth ? 0 : Math.min(size, Channel.elements);
        Object[] chosen = Order.first(value.iterator(), size, shown, unordered);
        begin(kind, value, type, size, chosen.length, unordered);
        for (Object item : chosen) {
            inner(item);
        }
        level--;
    }

    private void entries(Map<?, ?> value, Class<?> type, boolean unordered) {
        if (isOpen(value)) {
            return;
        }
        int size = value.size();
        int shown = level >= Channel.depth ? 0 : Math.min(size, Channel.elements);
        Object[] chosen = Order.first(value.entrySet().iterator(), size, shown, unordered);
        begin(Record.MAP, value, type, size, chosen.length, unordered);
        for (Object entry : chosen) {
            inner(((Map.Entry<?, ?>) entry).getKey());
            inner(((Map.Entry<?, ?>) entry).getValue());
        }
        level--;
    }

    private void array(Object value, Class<?> type) {
        if (isOpen(value)) {
            return;
        }
        int size = java.lang.reflect.Array.getLength(value);
        int shown = level >= Channel.depth ? 0 : Math.min(size, Channel.elements);
        begin(Record.SEQUENCE, value, type, size, shown, false);
        Class<?> of = type.getComponentType();
        for (int i = 0; i < shown; i++) {
            if (of == int.class) {
                record.scalar(Scalars.INT, ((int[]) value)[i]);
            } else if (of == long.class) {
                record.scalar(Scalars.LONG, ((long[]) value)[i]);
            } else if (of == double.class) {
                record.scalar(Scalars.DOUBLE, Double.doubleToRawLongBits(((double[]) value)[i]));
            } else if (of == boolean.class) {
                record.scalar(Scalars.BOOLEAN, ((boolean[]) value)[i] ? 1 : 0);
            } else if (of == char.class) {
                record.scalar(Scalars.CHAR, ((char[]) value)[i]);
            } else if (of == byte.class) {
                record.scalar(Scalars.BYTE, ((byte[]) value)[i]);
            } else if (of == short.class) {
                record.scalar(Scalars.SHORT, ((short[]) value)[i]);
            } else if (of == float.class) {
                int bits = Float.floatToRawIntBits(((float[]) value)[i]);
                record.scalar(Scalars.FLOAT, bits & 0xffffffffL);
            } else {
                inner(((Object[]) value)[i]);
            }
        }
        level--;
    }

    private void constant(Enum<?> value) {
        record.put(Record.ENUM);
        record.varint(record.writer.intern(name(value.getDeclaringClass())));
        record.varint(record.writer.intern(value.name()));
        record.integer(value.ordinal());
    }

    private void throwable(Throwable value) {
        if (isOpen(value)) {
            return;
        }
        begin(Record.FIELDS, value, value.getClass(), 1, 1, false);
        record.varint(record.writer.intern("message"));
        String message = Errors.message(value);
        if (message == null) {
            record.put(0);
        } else {
            record.string(message, Channel.characters);
        }
        level--;
    }

    /** An object of the subject's own class, by its fields. */
    private void own(Object value, Class<?> type) {
        if (value instanceof Enum) {
            constant((Enum<?>) value);
            return;
        }
        if (type.isHidden() || type.isSynthetic()) {
            record.put(Record.FUNCTION);
            record.varint(record.writer.intern("lambda"));
            return;
        }
        if (isOpen(value)) {
            return;
        }
        Layout layout = Layout.of(type);
        int size = layout.names.length;
        int shown = level >= Channel.depth ? 0 : Math.min(size, Channel.elements);
        begin(Record.FIELDS, value, type, size, shown, false);
        for (int i = 0; i < shown; i++) {
            record.varint(record.writer.intern(layout.names[i]));
            if (layout.codes[i] != 0) {
                record.scalar(layout.codes[i], layout.bits(value, i));
            } else {
                inner(layout.reference(value, i));
            }
        }
        level--;
    }

    private void opaque(Object value, String text) {
        record.put(Record.OPAQUE);
        record.varint(record.writer.intern(name(value.getClass())));
        record.varint(text == null ? Heap.number(value) : 0);
        byte[] utf8 = text == null ? new byte[0] : Text.utf8(text, 0, Math.min(text.length(), 200));
        record.varint(utf8.length);
        record.all(utf8);
    }

    /** A class's name without its package, as it is written in the source. */
    static String name(Class<?> type) {
        if (type.isArray()) {
            return name(type.getComponentType()).concat("[]");
        }
        String name = type.getName();
        if (type.isHidden()) {
            return "lambda";
        }
        name = name.substring(name.lastIndexOf('.') + 1);
        return name.startsWith("ImmutableCollections$")
                ? name.substring("ImmutableCollections$".length()) : name.replace('$', '.');
    }
}
