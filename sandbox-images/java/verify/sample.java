// A bank with rules: records, sealed types, streams, generics, exceptions, threads, text blocks.

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

sealed interface Command permits Deposit, Transfer, Close {}

record Deposit(String account, BigDecimal amount) implements Command {
    Deposit {
        if (amount.signum() <= 0) {
            throw new IllegalArgumentException("nothing to deposit: " + amount);
        }
    }
}

record Transfer(String from, String to, BigDecimal amount) implements Command {}

record Close(String account) implements Command {}

final class Overdrawn extends Exception {
    private final BigDecimal missing;

    Overdrawn(String account, BigDecimal missing) {
        super(account + " lacks " + missing);
        this.missing = missing;
    }

    BigDecimal missing() {
        return missing;
    }
}

class Main {
    private static final Pattern LINE = Pattern.compile("(?<verb>\\w+)\\s+(?<rest>.*)");
    private final Map<String, BigDecimal> accounts = new TreeMap<>();
    private final Deque<Command> done = new ArrayDeque<>();

    static Optional<Command> parse(String line) {
        var match = LINE.matcher(line.strip());
        if (!match.matches()) {
            return Optional.empty();
        }
        String[] words = match.group("rest").split("\\s+");
        return Optional.ofNullable(switch (match.group("verb")) {
            case "deposit" -> new Deposit(words[0], new BigDecimal(words[1]));
            case "transfer" -> new Transfer(words[0], words[1], new BigDecimal(words[2]));
            case "close" -> new Close(words[0]);
            default -> null;
        });
    }

    void apply(Command command) throws Overdrawn {
        switch (command) {
            case Deposit(var account, var amount) -> accounts.merge(account, amount, BigDecimal::add);
            case Transfer(var from, var to, var amount) when from.equals(to) -> { }
            case Transfer transfer -> {
                BigDecimal left = accounts.getOrDefault(transfer.from(), BigDecimal.ZERO).subtract(transfer.amount());
                if (left.signum() < 0) {
                    throw new Overdrawn(transfer.from(), left.negate());
                }
                accounts.put(transfer.from(), left);
                accounts.merge(transfer.to(), transfer.amount(), BigDecimal::add);
            }
            case Close close -> accounts.remove(close.account());
        }
        done.push(command);
    }

    static <A, R> R fold(Iterable<A> items, R start, BiFunction<R, ? super A, R> step) {
        R result = start;
        for (A item : items) {
            result = step.apply(result, item);
        }
        return result;
    }

    public static void main(String[] arguments) throws Exception {
        String script = """
            deposit ann 100.00
            deposit bob 20.5
            transfer ann bob 30.25
            transfer bob cem 99
            dance ann
            deposit cem -1
            deposit dan twelve
            close ann
            """;
        var bank = new Main();
        for (String line : script.lines().toList()) {
            try {
                Command command = parse(line).orElseThrow(() -> new UnsupportedOperationException(line));
                bank.apply(command);
            } catch (Overdrawn problem) {
                System.out.printf("%s (%s)%n", problem.getMessage(), problem.missing().setScale(1, RoundingMode.DOWN));
            } catch (NumberFormatException problem) {
                System.out.println("not a number: " + line);
            } catch (IllegalArgumentException | UnsupportedOperationException problem) {
                System.out.println(problem.getClass().getSimpleName() + ": " + problem.getMessage());
            }
        }
        System.out.println(bank.accounts + " " + fold(bank.accounts.values(), BigDecimal.ZERO, BigDecimal::add));
        System.out.println(bank.done.peek() + " after " + (bank.done.size() - 1));

        var counts = new ConcurrentHashMap<Integer, LongAdder>();
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            IntStream.range(0, 100).forEach(n ->
                pool.submit(() -> counts.computeIfAbsent(n * n % 7, key -> new LongAdder()).increment()));
        }
        System.out.println(counts.entrySet().stream()
            .sorted(Map.Entry.comparingByKey(Comparator.reverseOrder()))
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .collect(Collectors.joining(", ", "[", "]")));
        TreeMap<Integer, List<String>> lengths = List.of("pear", "fig", "apple", "plum").stream()
            .collect(Collectors.groupingBy(String::length, TreeMap::new, Collectors.toList()));
        System.out.println(lengths.descendingMap());
        System.out.println(String.format(Locale.ROOT, "%08.3f %x %,d", Math.E, 255, 1234567) + " "
            + ChronoUnit.DAYS.between(LocalDate.of(2024, 2, 1), LocalDate.of(2024, 3, 1)));
    }
}
