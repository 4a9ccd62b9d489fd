<?php
// A mixture of everyday work, repeated as often as the argument says.
// The tag at the end lets copies stand one behind the other.
final class Account
{
    private array $history = [];

    public function __construct(private string $owner, private int $balance)
    {
    }

    public function deposit(int $amount): int
    {
        if ($amount <= 0) {
            throw new RangeException('nothing to deposit');
        }
        $this->balance += $amount;
        $this->history[] = $amount;
        return $this->balance;
    }

    public function balance(): int
    {
        return $this->balance;
    }
}

function insertionSort(array $values): array
{
    for ($index = 1; $index < count($values); $index++) {
        $value = $values[$index];
        $place = $index;
        while ($place > 0 && $values[$place - 1] > $value) {
            $values[$place] = $values[$place - 1];
            $place--;
        }
        $values[$place] = $value;
    }
    return $values;
}

function countWords(string $text): array
{
    $counts = [];
    foreach (explode(' ', $text) as $word) {
        $key = strtolower(trim($word, '.,'));
        $counts[$key] = ($counts[$key] ?? 0) + 1;
    }
    return $counts;
}

function fibonacci(int $n): int
{
    if ($n < 2) {
        return $n;
    }
    return fibonacci($n - 1) + fibonacci($n - 2);
}

function sieve(int $limit): int
{
    $prime = array_fill(0, $limit, true);
    $found = 0;
    for ($number = 2; $number < $limit; $number++) {
        if (!$prime[$number]) {
            continue;
        }
        $found++;
        for ($multiple = $number * $number; $multiple < $limit; $multiple += $number) {
            $prime[$multiple] = false;
        }
    }
    return $found;
}

function oneRound(int $seed): int
{
    $state = $seed;
    $values = [];
    for ($i = 0; $i < 40; $i++) {
        $state = ($state * 110351 + 12345) % 2147483648;
        $values[] = $state % 1000;
    }
    $ordered = insertionSort($values);
    $counts = countWords('The cat saw the dog. The dog, seeing the cat, ran off.');
    $account = new Account('Ada', 100);
    foreach ([5, 20, -1, 7] as $amount) {
        try {
            $account->deposit($amount);
        } catch (RangeException $error) {
            $counts[$error->getMessage()] = $amount;
        }
    }
    return $ordered[0] + $counts['the'] + $account->balance() + fibonacci(8) + sieve(120);
}

$rounds = (int) ($argv[1] ?? 3);
$total = 0;
for ($seed = 0; $seed < $rounds; $seed++) {
    $total += oneRound($seed);
}
echo 'total ', $total, "\n";
?>
