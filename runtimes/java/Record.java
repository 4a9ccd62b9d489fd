package trc$;

/** The record being composed: everything behind its op byte. */
final class Record {
    static final int FALSE = 1;
    static final int TRUE = 2;
    static final int INTEGER = 3;
    static final int BIG = 4;
    static final int FLOAT64 = 5;
    static final int STRING = 6;
    static final int FUNCTION = 8;
    static final int FLOAT32 = 0x0b;
    static final int CHARACTER = 0x0d;
    static final int TYPED = 0x10;
    static final int SEQUENCE = 0x11;
    static final int MAP = 0x12;
    static final int SET = 0x13;
    static final int FIELDS = 0x14;
    static final int REFERENCE = 0x15;
    static final int OPAQUE = 0x16;
    static final int ENUM = 0x17;

    byte[] bytes = new byte[2048];
    private int length;
    final Writer writer;
    final Values values = new Values(this);

    Record(Writer writer) {
        this.writer = writer;
    }

    void begin(int site) {
        length = 0;
        varint(site);
    }

    void clear() {
        length = 0;
    }

    /** Whether it consists of just these bytes. */
    boolean holds(byte[] other) {
        return java.util.Arrays.equals(bytes, 0, length, other, 0, other.length);
    }

    int length() {
        return length;
    }

    /** Forgets what was composed behind this length. */
    void cut(int to) {
        length = to;
    }

    private void need(int more) {
        if (length + more > bytes.length) {
            bytes = java.util.Arrays.copyOf(bytes, Math.max(length + more, bytes.length * 2));
        }
    }

    void put(int value) {
        need(1);
        bytes[length++] = (byte) value;
    }

    void varint(long value) {
        need(10);
        while ((value & ~0x7fL) != 0) {
            bytes[length++] = (byte) (value | 0x80);
            value >>>= 7;
        }
        bytes[length++] = (byte) value;
    }

    void fixed(long value, int size) {
        need(8);
        for (int i = 0; i < size; i++) {
            bytes[length++] = (byte) (value >>> 8 * i);
        }
    }

    void all(byte[] from) {
        need(from.length);
        System.arraycopy(from, 0, bytes, length, from.length);
        length += from.length;
    }

    void typed(String name) {
        int number = writer.intern(name);
        if (number != 0) {
            put(TYPED);
            varint(number);
        }
    }

    void integer(long value) {
        put(INTEGER);
        varint(value << 1 ^ value >> 63);
    }

    void scalar(int code, long bits) {
        if (Scalars.NAMES[code] != null) {
            typed(Scalars.NAMES[code]);
        }
        bare(code, bits);
    }

    /** A scalar whose type is told, or is the usual one. */
    void bare(int code, long bits) {
        switch (code) {
            case Scalars.BOOLEAN:
                put(bits != 0 ? TRUE : FALSE);
                break;
            case Scalars.CHAR:
                put(CHARACTER);
                varint(bits);
                break;
            case Scalars.FLOAT:
                put(FLOAT32);
                fixed(bits, 4);
                break;
            case Scalars.DOUBLE:
                put(FLOAT64);
                fixed(bits, 8);
                break;
            default:
                integer(bits);
        }
    }

    /** A string of which at most so many characters are shown. */
    void string(CharSequence text, int shown) {
        int total = text.length();
        boolean cut = total > shown;
        byte[] utf8 = Text.utf8(text, 0, cut ? shown : total);
        put(STRING);
        varint(total);
        varint(utf8.length * 2L + (cut ? 1 : 0));
        all(utf8);
        if (cut) {
            fixed(total <= 10_000 ? Text.digest(Text.utf8(text, 0, total)) : 0, 8);
        }
    }

    void object(Object value) {
        if (!writer.hasRoom()) {
            put(OPAQUE);
            put(0);
            put(0);
            put(0);
            return;
        }
        long generator = Hashes.own();
        long low = Hashes.low(generator);
        long high = Hashes.high(generator);
        values.whole(value);
        Hashes.put(generator, low, high);
    }
}
