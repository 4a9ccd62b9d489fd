package trc$;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashMap;

/** Where the fields of a class of the subject's lie in memory. */
final class Layout {
    private static final HashMap<String, Layout> KNOWN = new HashMap<>();

    private final Class<?> type;
    final String[] names;
    /** How each is read; 0 for references. */
    final int[] codes;
    private final long[] offsets;
    /** Fields that only reflection reads. */
    private final Field[] fields;

    private Layout(Class<?> type) {
        this.type = type;
        ArrayList<Field> found = new ArrayList<>();
        for (Class<?> c = type; c != null && c.getClassLoader() != null; c = c.getSuperclass()) {
            int at = 0;
            for (Field field : c.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers()) && !field.isSynthetic()) {
                    found.add(at++, field);
                }
            }
        }
        int count = found.size();
        names = new String[count];
        codes = new int[count];
        offsets = new long[count];
        fields = new Field[count];
        for (int i = 0; i < count; i++) {
            Field field = found.get(i);
            names[i] = field.getName();
            codes[i] = code(field.getType());
            // Of a record it would refuse, in words that method handles put together.
            if (type.getSuperclass().getName().equals("java.lang.Record")) {
                field.setAccessible(true);
                fields[i] = field;
            } else {
                offsets[i] = Channel.MEMORY.objectFieldOffset(field);
            }
        }
    }

    static void load() {}

    static synchronized Layout of(Class<?> type) {
        Layout known = KNOWN.get(type.getName());
        if (known == null || known.type != type) {
            known = new Layout(type);
            KNOWN.put(type.getName(), known);
        }
        return known;
    }

    static int code(Class<?> type) {
        if (!type.isPrimitive()) {
            return 0;
        }
        return type == int.class ? Scalars.INT
                : type == long.class ? Scalars.LONG
                : type == double.class ? Scalars.DOUBLE
                : type == boolean.class ? Scalars.BOOLEAN
                : type == char.class ? Scalars.CHAR
                : type == byte.class ? Scalars.BYTE
                : type == short.class ? Scalars.SHORT : Scalars.FLOAT;
    }

    long bits(Object object, int index) {
        if (fields[index] != null) {
            return bitsOf(reflect(object, index));
        }
        long offset = offsets[index];
        switch (codes[index]) {
            case Scalars.INT:
                return Channel.MEMORY.getInt(object, offset);
            case Scalars.LONG:
            case Scalars.DOUBLE:
                return Channel.MEMORY.getLong(object, offset);
            case Scalars.BOOLEAN:
            case Scalars.BYTE:
                return Channel.MEMORY.getByte(object, offset);
            case Scalars.CHAR:
                return Channel.MEMORY.getChar(object, offset);
            case Scalars.SHORT:
                return Channel.MEMORY.getShort(object, offset);
            default:
                return Channel.MEMORY.getInt(object, offset) & 0xffffffffL;
        }
    }

    Object reference(Object object, int index) {
        return fields[index] != null
                ? reflect(object, index)
                : Channel.MEMORY.getObject(object, offsets[index]);
    }

    private Object reflect(Object object, int index) {
        try {
            return fields[index].get(object);
        } catch (IllegalAccessException impossible) {
            return null;
        }
    }

    private static long bitsOf(Object boxed) {
        if (boxed instanceof Double) {
            return Double.doubleToRawLongBits((Double) boxed);
        }
        if (boxed instanceof Float) {
            return Float.floatToRawIntBits((Float) boxed) & 0xffffffffL;
        }
        if (boxed instanceof Boolean) {
            return (Boolean) boxed ? 1 : 0;
        }
        return boxed instanceof Character ? (Character) boxed : ((Number) boxed).longValue();
    }
}
