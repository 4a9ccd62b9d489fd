package trc$;

import java.util.HashMap;
import jdk.internal.vm.annotation.Hidden;
import sun.misc.Unsafe;

/**
 * One thread's writer: lays records into its segments, keeps the budget, mutes what would use it up.
 *
 * <p>Fields are only touched by the thread itself. Nothing here runs the subject's code.
 */
final class Writer {
    static final int STEP = 1;
    static final int VAR = 2;
    static final int IN = 3;
    static final int OUT = 4;
    static final int BRANCH = 5;
    static final int LOOP = 6;
    static final int ERR = 7;
    static final int TRANSFORM = 8;
    static final int STDOUT = 10;
    static final int TASK = 11;
    static final int ELIDE = 12;
    static final int DEPTH = 13;
    static final int INTERN = 14;
    static final int LIMIT = 15;

    static final int MAIN = 0;
    static final int THREAD = 1;

    static final int MUTE_NONE = 0;
    static final int MUTE_LOOP = 1;
    static final int MUTE_CALL = 2;
    static final int MUTE_ALL = 3;

    /** What becomes of a record. */
    static final int DROP = 0;
    static final int KEEP = 1;
    static final int COUNT = 2;

    /** Longest record without strings or containers, and what DEPTH may put before it. */
    static final int SMALL = 128;
    /** Bytes of a composed record at which further values are left out. */
    private static final int FULL = 40_000;

    static final Unsafe MEMORY = Channel.MEMORY;

    /** The thread whose records these are; null before its first. */
    Thread thread;
    boolean isVirtual;
    /** Where the record of the thread's end stands that may not have been its end; 0 if none. */
    private long endedAt;
    private long endedTo;
    /** Next byte of the segment; below the limit a small record fits and may be written. */
    long at;
    long limit;
    long end;
    private final Room room = new Room();
    int left;
    int scarce;
    int depth;

    int mute;
    int muteDepth;
    int muteSite;
    private byte[] seen;
    private int[] visited;
    private int visitedCount;
    /** What a site said last while it was only counted: bits, and what they are. */
    private long[] lastBits;
    private byte[] lastCode;

    private final Loops loops = new Loops();
    private int[] calls = new int[64];
    final Marks marks = new Marks();

    int stream;
    int parent;
    int origin;
    int ordinal;
    int parentSite;
    int children;
    /** The last site that reported; what a thread is made at. */
    int here;

    // The record being composed.
    final Record record = new Record(this);
    private final HashMap<String, Integer> names = new HashMap<>();
    /** Names of scalar types in this stream, by code. */
    private final int[] typeIds = new int[16];
    private int op;
    private int site;
    private int kept;

    final Changes changes = new Changes(this);
    final Returns returns = new Returns();

    // The switch that is about to jump.
    private int selectSite;
    private int selectCode;
    private long selectBits;
    private Object selectValue;

    Writer(int parent, int origin, int ordinal, int site) {
        this.parent = parent;
        this.origin = origin;
        this.ordinal = ordinal;
        this.parentSite = site;
        this.stream = Channel.takeStream();
    }

    void begin(Thread owner) {
        isVirtual = Threads.isVirtual(owner);
        int sites = Channel.slotCount;
        seen = new byte[sites];
        visited = new int[sites];
        lastBits = new long[sites];
        lastCode = new byte[sites];
        left = Math.max(Channel.events, 1);
        // Every stream has its own budget, so that one thread's does not hang on another's pace.
        if (origin != MAIN) {
            left = left / 4 + 1;
        }
        scarce = left / 4;
        if (!room.claim(this, SMALL)) {
            left = 0;
            mute = MUTE_ALL;
        }
        limit = openLimit();
        thread = owner;
    }

    // Segments.

    private long openLimit() {
        return mute != MUTE_NONE || left == 0 ? 0 : end - SMALL;
    }

    boolean room(int size) {
        return (at != 0 && at + size <= end) || room.claim(this, size);
    }

    /** Ends a small record that was written from {@code at + 1} to {@code to}. */
    void close(int code, long to) {
        MEMORY.storeFence();
        MEMORY.putByte(at, (byte) code);
        at = to;
        if (left > 0 && --left == 0) {
            limit = 0;
        }
    }

    // Muting.

    private void writeDepth() {
        if (at == 0 || at + 16 > end) {
            return;
        }
        long to = Channel.varint(at + 1, depth);
        MEMORY.storeFence();
        MEMORY.putByte(at, (byte) DEPTH);
        at = to;
    }

    private void mute(int why, int site) {
        mute = why;
        muteDepth = depth;
        muteSite = site;
        limit = 0;
    }

    /** Tells what was left out, and records again. */
    private void unmute() {
        for (int i = 0; i < visitedCount; i++) {
            int site = visited[i];
            seen[site] = 0;
            long slot = Channel.slot(site);
            long visits = MEMORY.getLong(slot);
            if (visits == 0) {
                continue;
            }
            remember(site);
            if (left == 0 || !room(SMALL)) {
                continue;
            }
            long to = Channel.varint(Channel.varint(at + 1, site), visits);
            // Only the last visit's record may stand for it.
            boolean last = MEMORY.getLong(slot + 8) == visits;
            int length = last ? MEMORY.getByte(slot + 16) & 0xff : 0;
            to = Channel.varint(to, length);
            MEMORY.copyMemory(slot + 17, to, length);
            close(ELIDE, to + length);
            MEMORY.putByte(slot + 16, (byte) 0);
            MEMORY.putLong(slot + 8, 0);
            MEMORY.putLong(slot, 0);
        }
        visitedCount = 0;
        mute = MUTE_NONE;
        if (room(SMALL)) {
            writeDepth();
        }
        limit = openLimit();
    }

    /** What was only counted says its last value when the program ends. */
    void finish() {
        if (mute == MUTE_NONE) {
            return;
        }
        for (int i = 0; i < visitedCount; i++) {
            if (Channel.visits(visited[i]) != 0) {
                remember(visited[i]);
            }
        }
    }

    /**
     * Whether a visit is only counted: then it must be quick. Probes ask it before anything else, in
     * methods so short that a compiler puts them in place; what records is called. `seen` says
     * nothing while nothing is muted.
     */
    boolean isCounted(int site) {
        return site < seen.length && seen[site] >= 2;
    }

    /** Counts a visit; whether what it says is to be kept, which the later visits rarely are. */
    private boolean count(int site) {
        here = site;
        long visits = Channel.countVisit(site);
        return (visits & (visits - 1)) == 0;
    }

    /** Where the fast way is closed: what to do with a visit of this site. */
    private int decide(int site) {
        goOn();
        if (site >= Channel.slotCount) {
            return DROP;
        }
        if (mute == MUTE_NONE && left == 0) {
            if (room(SMALL)) {
                MEMORY.putByte(at + 1, (byte) 0);
                close(LIMIT, at + 2);
            }
            mute(MUTE_ALL, site);
        }
        if (mute != MUTE_NONE) {
            if (seen[site] >= 2) {
                Channel.countVisit(site);
                return COUNT;
            }
            if (seen[site]++ == 0) {
                visited[visitedCount++] = site;
            }
            if (!room(SMALL)) {
                Channel.countVisit(site);
                return COUNT;
            }
            writeDepth();
            return KEEP;
        }
        if (!room(SMALL)) {
            mute(MUTE_ALL, site);
            Channel.countVisit(site);
            return COUNT;
        }
        limit = openLimit();
        return KEEP;
    }

    private int admit(int site) {
        if (at < limit) {
            return KEEP;
        }
        if (isCounted(site)) {
            Channel.countVisit(site);
            return COUNT;
        }
        return decide(site);
    }

    /** Counts a visit of a site that says a scalar, and keeps that. */
    private void countScalar(int site, int code, long bits) {
        lastBits[site] = bits;
        lastCode[site] = (byte) code;
        // A crash loses nothing that was recorded; of what is only counted, little.
        if (count(site)) {
            remember(site);
        }
    }

    /** Writes what a site said last into its slot. */
    private void remember(int site) {
        int code = lastCode[site];
        if (code == 0) {
            return;
        }
        lastCode[site] = 0;
        kept = COUNT;
        record.begin(site);
        if (code == Scalars.ARM) {
            record.varint(lastBits[site]);
            record.put(0);
        } else {
            record.put(1);
            record.scalar(code, lastBits[site]);
        }
        keepLast(site, code == Scalars.ARM ? BRANCH : VAR);
    }

    private void keepLast(int site, int code) {
        long slot = Channel.slot(site);
        int length = record.length();
        if (length + 1 > Channel.SLOT_RECORD) {
            return;
        }
        MEMORY.putByte(slot + 16, (byte) 0);
        MEMORY.storeFence();
        MEMORY.putByte(slot + 17, (byte) code);
        Channel.copy(record.bytes, 0, slot + 18, length);
        MEMORY.putLong(slot + 8, MEMORY.getLong(slot));
        MEMORY.storeFence();
        MEMORY.putByte(slot + 16, (byte) (length + 1));
    }

    // Records of values: open, the values into `record`, close.

    /** Begins a record; whether its values are wanted. If not, it is over. */
    boolean open(int site, int code) {
        if (isCounted(site)) {
            return count(site) && begin(site, code, COUNT);
        }
        here = site;
        return begin(site, code, admit(site));
    }

    private boolean begin(int site, int code, int how) {
        kept = how;
        if (how == DROP) {
            return false;
        }
        this.site = site;
        op = code;
        record.begin(site);
        return true;
    }

    void close() {
        if (kept == COUNT) {
            keepLast(site, op);
            return;
        }
        int length = record.length();
        if (length + 1 > Channel.segmentSize - Channel.SEGMENT_HEADER || !room(length + 1)) {
            return;
        }
        Channel.copy(record.bytes, 0, at + 1, length);
        close(op, at + 1 + length);
        if (limit != 0) {
            limit = openLimit();
        }
    }

    /** Whether the record has room for another value. */
    boolean hasRoom() {
        return record.length() < FULL;
    }

    /** The number of a name in this stream; 0 if it cannot be told. */
    int intern(String name) {
        Integer known = names.get(name);
        if (known != null) {
            return known;
        }
        byte[] bytes = Text.utf8(name, 0, Math.min(name.length(), 200));
        int number = names.size() + 1;
        if (!room(bytes.length + 24)) {
            return 0;
        }
        long to = Channel.varint(Channel.varint(at + 1, number), bytes.length);
        Channel.copy(bytes, 0, to, bytes.length);
        MEMORY.storeFence();
        MEMORY.putByte(at, (byte) INTERN);
        at = to + bytes.length;
        if (limit != 0) {
            limit = openLimit();
        }
        names.put(name, number);
        return number;
    }

    // What the probes say.

    @Hidden
    void step(int site) {
        if (isCounted(site)) {
            count(site);
        } else {
            tellStep(site);
        }
    }

    @Hidden
    private void tellStep(int site) {
        here = site;
        if (admit(site) == KEEP) {
            close(STEP, Channel.varint(at + 1, site));
        }
    }

    @Hidden
    void scalar(int site, int code, long bits) {
        if (isCounted(site)) {
            countScalar(site, code, bits);
        } else {
            tellScalar(site, code, bits);
        }
    }

    @Hidden
    private void tellScalar(int site, int code, long bits) {
        here = site;
        if (at < limit && (Scalars.NAMES[code] == null || typeIds[code] != 0)) {
            long to = Channel.varint(at + 1, site);
            MEMORY.putByte(to++, (byte) 1);
            close(VAR, Scalars.write(to, code, bits, typeIds[code]));
        } else if (open(site, VAR)) {
            record.put(1);
            value(code, bits);
            close();
        }
    }

    private void value(int code, long bits) {
        record.scalar(code, bits);
        if (Scalars.NAMES[code] != null && typeIds[code] == 0) {
            typeIds[code] = intern(Scalars.NAMES[code]);
        }
    }

    @Hidden
    void object(int site, Object value) {
        if (open(site, VAR)) {
            record.put(1);
            record.object(value);
            close();
        }
    }

    /** A return with a value: code 0 an object's, -1 none. */
    @Hidden
    void leave(int site, int code, long bits, Object value) {
        if (returns.isIdle() || !returns.hold(site, depth, code, bits, value)) {
            returned(site, code, bits, value);
        }
    }

    void returned(int site, int code, long bits, Object value) {
        beforeLeaving();
        if (open(site, OUT)) {
            putReturn(code, bits, value);
        }
        afterLeaving();
    }

    private void putReturn(int code, long bits, Object value) {
        record.put(code < 0 ? 0 : 1);
        if (code == 0) {
            record.object(value);
        } else if (code > 0) {
            value(code, bits);
        }
        close();
    }

    @Hidden
    void round(int site, int code, long bits) {
        if (!isCounted(site)) {
            tellRound(site, code, bits);
        } else if (open(site, LOOP)) {
            putRound(code, bits);
        }
    }

    @Hidden
    private void tellRound(int site, int code, long bits) {
        goRound(site);
        here = site;
        if (at < limit && (Scalars.NAMES[code] == null || typeIds[code] != 0)) {
            long to = Channel.varint(at + 1, site);
            MEMORY.putByte(to++, (byte) 1);
            MEMORY.putByte(to++, (byte) 1);
            close(LOOP, Scalars.write(to, code, bits, typeIds[code]));
        } else if (open(site, LOOP)) {
            putRound(code, bits);
        }
    }

    private void putRound(int code, long bits) {
        record.put(1);
        record.put(1);
        value(code, bits);
        close();
    }

    // Errors.

    void error(int site, int phase, Throwable error) {
        if (open(site, ERR)) {
            Errors.tell(record, phase, error, 1);
            close();
        }
    }

    void uncaught(int site, Throwable error) {
        // Only the outermost call of a thread: whoever called it otherwise may catch the error.
        int entry = marks.find(site, false);
        unwindTo(entry < 0 ? depth : entry);
        if (depth == 1) {
            error(site, 3, error);
            unwindTo(0);
        }
    }

    // Switches.

    /** A switch is about to jump; code -1: its value is not known. */
    void select(int site, int code, long bits, Object value) {
        marks.add(site, depth);
        selectCode = code;
        selectBits = bits;
        selectValue = code == 0 ? value : null;
        selectSite = site;
    }

    void selected(int site, int arm) {
        if (!marks.remove(site, depth)) {
            return;
        }
        boolean known = selectSite == site && selectCode >= 0;
        Object value = selectValue;
        selectValue = null;
        selectSite = 0;
        if (isCounted(site)) {
            countScalar(site, Scalars.ARM, arm);
        } else {
            tellSelected(site, arm, known, value);
        }
    }

    private void tellSelected(int site, int arm, boolean known, Object value) {
        if (open(site, BRANCH)) {
            record.varint(arm);
            record.put(known ? 1 : 0);
            if (known && selectCode == 0) {
                record.object(value);
            } else if (known) {
                value(selectCode, selectBits);
            }
            close();
        }
    }

    // Threads.

    /** The thread is over. */
    void ended() {
        if (origin == MAIN || !room(SMALL)) {
            return;
        }
        int what = intern(word(isVirtual));
        if (!room(SMALL)) {
            return;
        }
        long from = at;
        if (mute != MUTE_NONE) {
            writeDepth();
        }
        long to = at + 1;
        MEMORY.putByte(to, (byte) 2);
        to = Channel.varint(to + 1, what);
        close(TASK, Channel.varint(Channel.varint(to, 0), 0));
        if (isVirtual) {
            // No one says when it ends: it has, unless it says more.
            endedAt = from;
            endedTo = at;
        }
        room.release(this);
        limit = 0;
    }

    /** It was not the end: takes back the record that said so. */
    private void goOn() {
        if (endedAt != 0) {
            MEMORY.setMemory(endedAt, endedTo - endedAt, (byte) 0);
            // Elsewhere by now, or nowhere: its room is another's.
            if (at == endedTo) {
                at = endedAt;
            }
            endedAt = 0;
        }
    }

    private static String word(boolean virtual) {
        return virtual ? "virtual thread" : "thread";
    }

    /** The writer of a thread that this one makes. */
    Writer child(boolean virtual) {
        Writer child = new Writer(stream + 1, THREAD, ++children, here);
        goOn();
        if (mute == MUTE_NONE && left > 0 && room(SMALL)) {
            int what = intern(word(virtual));
            long to = at + 1;
            MEMORY.putByte(to, (byte) 0);
            to = Channel.varint(to + 1, what);
            to = Channel.varint(Channel.varint(to, child.stream), here);
            close(TASK, to);
            if (limit != 0) {
                limit = openLimit();
            }
        }
        return child;
    }

    // Output.

    void output(int stream, byte[] bytes, int from, int length) {
        int shown = Output.shown(length);
        goOn();
        if (mute != MUTE_NONE || left == 0 || !room(shown + SMALL)) {
            return;
        }
        long to = Channel.varint(at + 1, stream);
        to = Channel.varint(Channel.varint(to, length), shown);
        Channel.copy(bytes, from, to, shown);
        close(STDOUT, to + shown);
        if (limit != 0) {
            limit = openLimit();
        }
    }

    @Hidden
    void branch(int site, int arm) {
        if (isCounted(site)) {
            countScalar(site, Scalars.ARM, arm);
        } else {
            tellBranch(site, arm);
        }
    }

    @Hidden
    private void tellBranch(int site, int arm) {
        here = site;
        if (at < limit) {
            long to = Channel.varint(Channel.varint(at + 1, site), arm);
            MEMORY.putByte(to, (byte) 0);
            close(BRANCH, to + 1);
        } else if (open(site, BRANCH)) {
            record.varint(arm);
            record.put(0);
            close();
        }
    }

    /** A function is entered; whether the values of its arguments are wanted. */
    boolean enter(int site) {
        if (!isCounted(site) || depth == calls.length) {
            return tellEntered(site);
        }
        calls[depth++] = site;
        return open(site, IN);
    }

    private boolean tellEntered(int site) {
        if (mute == MUTE_NONE && left < scarce && left > 0 && site < Channel.slotCount
                && Channel.entered[site] >= 2) {
            mute(MUTE_CALL, site);
            muteDepth = depth + 1;
        }
        if (site < Channel.slotCount && Channel.entered[site] < 2) {
            Channel.entered[site]++;
        }
        boolean open = open(site, IN);
        if (depth == calls.length) {
            calls = java.util.Arrays.copyOf(calls, depth * 2);
        }
        calls[depth++] = site;
        return open;
    }

    private void beforeLeaving() {
        loops.drop(depth);
        marks.drop(depth);
        if (mute == MUTE_LOOP && depth <= muteDepth) {
            unmute();
        }
    }

    private void afterLeaving() {
        if (depth > 0) {
            depth--;
        }
        if (mute == MUTE_CALL && depth < muteDepth) {
            unmute();
        }
        if (depth == 0) {
            finish();
            if (isVirtual) {
                ended();
            }
        }
    }

    /** An error brought control back to a call at this depth: those above it are over. */
    void unwindTo(int target) {
        while (target >= 0 && depth > target) {
            returns.drop(depth);
            // The site behind a function's IN is its OUT.
            beforeLeaving();
            if (open(calls[depth - 1] + 1, OUT)) {
                record.put(2);
                close();
            }
            afterLeaving();
        }
    }

    // Loops.

    private void loopRecord(int site, int phase) {
        if (isCounted(site)) {
            count(site);
        } else {
            tellLoop(site, phase);
        }
    }

    private void tellLoop(int site, int phase) {
        here = site;
        if (at < limit) {
            long to = Channel.varint(at + 1, site);
            MEMORY.putByte(to, (byte) phase);
            MEMORY.putByte(to + 1, (byte) 0);
            close(LOOP, to + 2);
        } else if (open(site, LOOP)) {
            record.put(phase);
            record.put(0);
            close();
        }
    }

    @Hidden
    void loopEntered(int site) {
        if (mute != MUTE_NONE) {
            loopRecord(site, 0);
            return;
        }
        tellLoop(site, 0);
        loops.enter(site, depth, left);
    }

    private void goRound(int site) {
        if (mute != MUTE_NONE) {
            return;
        }
        if (loops.round(site, depth, left)) {
            mute(MUTE_LOOP, site);
        }
    }

    @Hidden
    void loopRound(int site) {
        goRound(site);
        loopRecord(site, 1);
    }

    /** A round whose variables are told; whether they are wanted. */
    boolean openRound(int site) {
        goRound(site);
        if (!open(site, LOOP)) {
            return false;
        }
        record.put(1);
        return true;
    }

    @Hidden
    void loopLeft(int site) {
        // The muted loop itself, or one around it that was left from within it.
        if (mute == MUTE_LOOP && depth == muteDepth && loops.isIn(site, depth)) {
            unmute();
        }
        if (mute == MUTE_NONE) {
            loops.leave(site, depth);
        }
        loopRecord(site, 2);
    }
}
