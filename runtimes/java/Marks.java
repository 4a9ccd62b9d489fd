package trc$;

import java.util.Arrays;

/** Places in running calls that control may come back to: tries, and switches about to jump. */
final class Marks {
    /** A site and the depth of its call, by turns. */
    private int[] marks = new int[32];
    private int count;

    void add(int site, int depth) {
        for (int from = count; from > 0 && marks[from * 2 - 1] >= depth; from--) {
            boolean again = marks[from * 2 - 1] == depth && marks[from * 2 - 2] == site;
            if (again || marks[from * 2 - 1] > depth) {
                count = from - 1;
            }
            if (again) {
                break;
            }
        }
        if (count * 2 == marks.length) {
            marks = Arrays.copyOf(marks, count * 4);
        }
        marks[count * 2] = site;
        marks[count * 2 + 1] = depth;
        count++;
    }

    /** The depth at which a place was marked last; -1 if it was not. The mark stays if asked. */
    int find(int site, boolean stay) {
        for (int at = count; at > 0; at--) {
            if (marks[at * 2 - 2] == site) {
                count = stay ? at : at - 1;
                return marks[at * 2 - 1];
            }
        }
        return -1;
    }

    /** Takes a mark of a call away; whether it was there. */
    boolean remove(int site, int depth) {
        for (int at = count; at > 0 && marks[at * 2 - 1] >= depth; at--) {
            if (marks[at * 2 - 2] == site && marks[at * 2 - 1] == depth) {
                count = at - 1;
                return true;
            }
        }
        return false;
    }

    /** Forgets the marks of calls of this depth and deeper. */
    void drop(int depth) {
        while (count > 0 && marks[count * 2 - 1] >= depth) {
            count--;
        }
    }
}
