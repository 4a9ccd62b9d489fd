package trc$;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** Calls into the JDK that its modules do not offer. */
final class Inside {
    private Inside() {}

    /** Laid out as {@link AccessibleObject}, whose fields reflection hides. */
    private static final class Mirror {
        boolean override;
        volatile Object cache;
    }

    @SuppressWarnings("deprecation")
    static Object call(Method method, Object target, Object... with)
            throws ReflectiveOperationException {
        Channel.MEMORY.putBoolean(method, Channel.offset(Mirror.class, "override"), true);
        if (!method.isAccessible()) {
            throw new IllegalAccessException();
        }
        try {
            return method.invoke(target, with);
        } catch (InvocationTargetException failed) {
            throw new ReflectiveOperationException(failed);
        }
    }

    /** Lets the emitter's own classes see a package of the JDK's. */
    static void open(String name) throws ReflectiveOperationException {
        Method export =
                Module.class.getDeclaredMethod("implAddExports", String.class, Module.class);
        call(export, Object.class.getModule(), name, Inside.class.getModule());
    }
}
