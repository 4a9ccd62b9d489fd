package trc$;

/** Arithmetic of boxed numbers. */
final class Boxes {
    private Boxes() {}

    static Object plus(Object box, int step) {
        if (box instanceof Integer) {
            return (Integer) box + step;
        }
        if (box instanceof Long) {
            return (Long) box + step;
        }
        if (box instanceof Double) {
            return (Double) box + step;
        }
        if (box instanceof Float) {
            return (Float) box + step;
        }
        if (box instanceof Short) {
            return (short) ((Short) box + step);
        }
        if (box instanceof Byte) {
            return (byte) ((Byte) box + step);
        }
        return box instanceof Character ? (Object) (char) ((Character) box + step) : box;
    }
}
