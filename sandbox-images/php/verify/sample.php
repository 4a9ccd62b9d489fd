<?php
// An inventory with events and reports: enums, interfaces, generators, closures, exceptions, formats.
declare(strict_types=1);

namespace Shop;

use DateTimeImmutable;
use DateTimeZone;
use InvalidArgumentException;
use JsonException;

enum Unit: string
{
    case Piece = 'pc';
    case Kilogram = 'kg';

    public function show(float $amount): string
    {
        return match ($this) {
            self::Piece => sprintf('%d %s', $amount, $this->value),
            self::Kilogram => number_format($amount, 2) . ' ' . $this->value,
        };
    }
}

final class Shortage extends \RuntimeException
{
    public function __construct(public readonly string $item, public readonly float $missing)
    {
        parent::__construct(sprintf('%s: %.1f missing', $item, $missing));
    }
}

interface Listener
{
    public function heard(string $what, mixed ...$details): void;
}

trait Journal
{
    private array $journal = [];

    public function heard(string $what, mixed ...$details): void
    {
        $this->journal[] = $what . ' ' . json_encode($details, JSON_THROW_ON_ERROR);
    }

    public function entries(): \Generator
    {
        foreach ($this->journal as $number => $entry) {
            yield $number + 1 => $entry;
        }
    }
}

final class Auditor implements Listener, \Countable
{
    use Journal;

    public function count(): int
    {
        return count($this->journal);
    }
}

final class Inventory
{
    /** @var array<string, array{amount: float, unit: Unit}> */
    private array $stock = [];

    public function __construct(private Listener $listener)
    {
    }

    public function add(string $item, float $amount, Unit $unit = Unit::Piece): static
    {
        if ($amount <= 0) {
            throw new InvalidArgumentException("cannot add $amount of $item");
        }
        $this->stock[$item] ??= ['amount' => 0.0, 'unit' => $unit];
        $this->stock[$item]['amount'] += $amount;
        $this->listener->heard('add', $item, $amount);
        return $this;
    }

    public function take(string $item, float $amount): void
    {
        $have = $this->stock[$item]['amount'] ?? 0.0;
        $have >= $amount ?: throw new Shortage($item, $amount - $have);
        $this->stock[$item]['amount'] -= $amount;
        $this->listener->heard('take', item: $item);
    }

    public function report(callable $order): iterable
    {
        uksort($this->stock, $order);
        foreach ($this->stock as $item => ['amount' => $amount, 'unit' => $unit]) {
            yield str_pad($item, 8, '.') . $unit->show($amount);
        }
    }
}

$inventory = new Inventory($auditor = new Auditor());
$inventory->add('nails', 500)->add('flour', 2.5, Unit::Kilogram)->add('äpfel', 1.25, Unit::Kilogram);
foreach ([['nails', 20], ['flour', 3], ['glue', 1]] as [$item, $amount]) {
    try {
        $inventory->take($item, $amount);
    } catch (Shortage $shortage) {
        echo $shortage->getMessage(), PHP_EOL;
    } finally {
        echo "asked for $item\n";
    }
}
foreach ($inventory->report(fn (string $a, string $b): int => strcmp($a, $b)) as $line) {
    echo $line, PHP_EOL;
}
foreach ($auditor->entries() as $number => $entry) {
    printf("%02d %s\n", $number, $entry);
}
$walk = function (array $tree, int $depth = 0) use (&$walk): int {
    return array_sum(array_map(fn ($node) => is_array($node) ? $walk($node, $depth + 1) : $node * 10 ** $depth, $tree));
};
echo $walk([1, [2, 3, [4]], 5]), ' ', fmod(7 ** 9, 1000), ' ', strtoupper('strasse'), ' ', count($auditor), "\n";
preg_match_all('/(?<key>\w+)=(?<value>\d+)/', 'a=1, bb=22; ccc=333', $found, PREG_SET_ORDER);
echo implode(' ', array_map(static fn (array $each): string => "{$each['key']}:{$each['value']}", $found)), "\n";
$day = new DateTimeImmutable('2024-01-31 23:30', new DateTimeZone('Europe/Paris'));
echo $day->modify('last day of next month')->setTimezone(new DateTimeZone('UTC'))->format(DATE_ATOM), "\n";
try {
    json_decode('{"open": ', flags: JSON_THROW_ON_ERROR);
} catch (JsonException $problem) {
    echo $problem::class, ' ', $problem->getMessage(), "\n";
}
$memory = new \PDO('sqlite::memory:');
echo $memory->query('SELECT group_concat(value) FROM json_each(\'[3,1,2]\') ORDER BY 1')->fetchColumn(), "\n";
