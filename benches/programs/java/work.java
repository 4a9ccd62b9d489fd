// Everyday work of several kinds, as many rounds as the argument says.
import java.util.HashMap;
import java.util.Map;

class Work {
    static class Basket {
        private final Map<String, Integer> pieces = new HashMap<>();
        int weight;

        boolean put(String what, int count) {
            if (count <= 0) {
                return false;
            }
            pieces.merge(what, count, Integer::sum);
            weight += count * what.length();
            return true;
        }
    }

    static final String[] FRUITS = {"apple", "pear", "fig", "plum"};

    static int steps(long number) {
        int steps = 0;
        while (number != 1) {
            number = number % 2 == 0 ? number / 2 : 3 * number + 1;
            steps++;
        }
        return steps;
    }

    static void sort(int[] values) {
        for (int end = values.length; end > 1; end--) {
            for (int i = 1; i < end; i++) {
                if (values[i - 1] <= values[i]) {
                    continue;
                }
                int kept = values[i];
                values[i] = values[i - 1];
                values[i - 1] = kept;
            }
        }
    }

    static int ackermann(int m, int n) {
        if (m == 0) {
            return n + 1;
        }
        return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
    }

    static int vowels(String text) {
        int found = 0;
        for (char letter : text.toCharArray()) {
            switch (letter) {
                case 'a', 'e', 'i', 'o', 'u' -> found++;
                default -> { }
            }
        }
        return found;
    }

    static long round(int seed) {
        int[] values = new int[24];
        for (int i = 0; i < values.length; i++) {
            values[i] = (seed * 7 + i * 31) % 97;
        }
        sort(values);
        Basket basket = new Basket();
        int refused = 0;
        for (int i = 0; i < 8; i++) {
            if (!basket.put(FRUITS[i % FRUITS.length], i - 1)) {
                refused++;
            }
        }
        return values[3] + basket.weight + refused + steps(27 + seed % 5) + ackermann(2, 3)
                + vowels("a round of work, and another one");
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 3;
        long total = 0;
        for (int seed = 0; seed < rounds; seed++) {
            total += round(seed);
        }
        System.out.println("total " + total);
    }
}
