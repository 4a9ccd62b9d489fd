package trc$;

import java.util.Arrays;

/** Loops under way in the running calls. */
final class Loops {
    private static final int DEPTH = 1;
    private static final int ROUNDS = 2;
    /** What was left of the budget when it was entered. */
    private static final int LEFT = 3;
    private static final int SIZE = 4;

    /** Site, depth of its call, rounds and budget, by turns. */
    private int[] loops = new int[16 * SIZE];
    private int count;

    /** Where a loop of a call of this depth stands, -1 if nowhere; those within it are over. */
    private int find(int site, int depth) {
        for (int at = (count - 1) * SIZE; at >= 0 && loops[at + DEPTH] >= depth; at -= SIZE) {
            if (loops[at + DEPTH] == depth && loops[at] == site) {
                count = at / SIZE + 1;
                return at;
            }
        }
        return -1;
    }

    boolean isIn(int site, int depth) {
        return find(site, depth) >= 0;
    }

    void enter(int site, int depth, int left) {
        int at = find(site, depth);
        if (at < 0) {
            at = count++ * SIZE;
            if (at == loops.length) {
                loops = Arrays.copyOf(loops, at * 2);
            }
        }
        loops[at] = site;
        loops[at + DEPTH] = depth;
        loops[at + ROUNDS] = 0;
        loops[at + LEFT] = left;
    }

    /** A round begins; whether the loop has used more than its share of the budget. */
    boolean round(int site, int depth, int left) {
        int at = find(site, depth);
        if (at < 0 || ++loops[at + ROUNDS] <= 2) {
            return false;
        }
        int before = loops[at + LEFT];
        return before - left > Math.max(before / 4, 64);
    }

    void leave(int site, int depth) {
        if (find(site, depth) >= 0) {
            count--;
        }
    }

    /** Forgets the loops of calls of this depth and deeper. */
    void drop(int depth) {
        while (count > 0 && loops[(count - 1) * SIZE + DEPTH] >= depth) {
            count--;
        }
    }
}
