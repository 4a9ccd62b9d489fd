package trc$;

/** Scalars of at most 64 bits: their bits can be kept and told later. */
final class Scalars {
    static final int ARM = 1;
    static final int BOOLEAN = 2;
    static final int BYTE = 3;
    static final int SHORT = 4;
    static final int CHAR = 5;
    static final int INT = 6;
    static final int LONG = 7;
    static final int FLOAT = 8;
    static final int DOUBLE = 9;

    /** Type names of those that the reader does not name itself. */
    static final String[] NAMES = {null, null, null, "byte", "short", null, null, "long", null, null};

    private Scalars() {}

    static void load() {}

    /** Writes one in place; gives the address behind it. */
    static long write(long to, int code, long bits, int type) {
        if (NAMES[code] != null) {
            Channel.MEMORY.putByte(to, (byte) Record.TYPED);
            to = Channel.varint(to + 1, type);
        }
        switch (code) {
            case BOOLEAN:
                Channel.MEMORY.putByte(to, (byte) (bits != 0 ? Record.TRUE : Record.FALSE));
                return to + 1;
            case CHAR:
                Channel.MEMORY.putByte(to, (byte) Record.CHARACTER);
                return Channel.varint(to + 1, bits);
            case FLOAT:
                Channel.MEMORY.putByte(to, (byte) Record.FLOAT32);
                Channel.MEMORY.putInt(to + 1, (int) bits);
                return to + 5;
            case DOUBLE:
                Channel.MEMORY.putByte(to, (byte) Record.FLOAT64);
                Channel.MEMORY.putLong(to + 1, bits);
                return to + 9;
            default:
                Channel.MEMORY.putByte(to, (byte) Record.INTEGER);
                return Channel.varint(to + 1, bits << 1 ^ bits >> 63);
        }
    }
}
