<?php
// Calls into libraries. `cb` tells one whose arguments are read beside it; else `co` begins it, `ck`
// passes an argument on, and `ca` the last one, and tells it. `cr` passes the result on and tells it.

final class Trc0_Calls
{
    // Calls told of one site; later ones are only counted.
    const SHARE = 32;

    public static $told = [];
    // Calls under way, by fiber: number, site, depth, texts of arguments, or whether it was told.
    public static $open = [];
    public static $made = 0;

    // The entry of a site's call in the running frame, or -1.
    public static function underWay($i)
    {
        $open = &self::$open[Trc0_Frames::$current];
        // Sites are numbered from the outside in: what is not around this one was left by an error.
        for ($at = \count($open ?? []) - 1; $at >= 0; $at--) {
            if ($open[$at][2] === Trc0::$d && $open[$at][1] === $i) {
                return $at;
            }
            if ($open[$at][2] < Trc0::$d || ($open[$at][2] === Trc0::$d && $open[$at][1] < $i)) {
                return -1;
            }
            \array_pop($open);
        }
        return -1;
    }

    public static function tell($i, $texts)
    {
        if ((self::$told[$i] ?? 0) >= self::SHARE) {
            Trc0::count($i);
            return false;
        }
        Trc0::start(Trc0::CALL, $i, Trc0::$d, Trc0::$d);
        $left = Trc0::$left[$i];
        Trc0::$o .= "\0\0\0\0" . Trc0::varint(\count($texts)) . \implode('', $texts);
        Trc0::end($i, Trc0::$d);
        if (Trc0::$left[$i] !== $left) {
            return false;
        }
        self::$told[$i] = (self::$told[$i] ?? 0) + 1;
        return true;
    }
}

function trc0_cv($x)
{
    return Trc0_Value::of($x);
}

// What a place holds, where that can be found without running anything.
function trc0_cp(...$place)
{
    $text = trc0_at($place);
    return $text === '' ? Trc0_Value::unknown() : $text;
}

function trc0_cb($i, $texts)
{
    return Trc0_Calls::tell($i, $texts) ? $i + 1 : 0;
}

function trc0_co($i)
{
    if (($at = Trc0_Calls::underWay($i)) >= 0) {
        \array_splice(Trc0_Calls::$open[Trc0_Frames::$current], $at);
    }
    if (Trc0::$f[$i] > 0) {
        Trc0::$f[$i]--;
        return 0;
    }
    Trc0_Calls::$open[Trc0_Frames::$current][] = [--Trc0_Calls::$made, $i, Trc0::$d, []];
    return Trc0_Calls::$made;
}

function trc0_ck($i, $x)
{
    if (($at = Trc0_Calls::underWay($i)) >= 0) {
        Trc0_Calls::$open[Trc0_Frames::$current][$at][3][] = Trc0_Value::of($x);
    }
    return $x;
}

function trc0_ca($i, $x, $others)
{
    $at = Trc0_Calls::underWay($i);
    if ($at < 0) {
        return $x;
    }
    $texts = Trc0_Calls::$open[Trc0_Frames::$current][$at][3];
    $texts[] = Trc0_Value::of($x);
    \ksort($others);
    foreach ($others as $place => $text) {
        \array_splice($texts, $place, 0, [$text]);
    }
    Trc0_Calls::$open[Trc0_Frames::$current][$at][3] = Trc0_Calls::tell($i, $texts);
    return $x;
}

function trc0_cr($call, $x)
{
    if ($call === 0) {
        return $x;
    }
    if ($call < 0) {
        $open = &Trc0_Calls::$open[Trc0_Frames::$current];
        do {
            $own = \array_pop($open);
        } while ($own !== null && $own[0] !== $call);
        if ($own === null || $own[3] !== true) {
            return $x;
        }
        $call = $own[1] + 1;
    }
    Trc0::answer(Trc0::RETURNED . Trc0::varint($call - 1) . "\x01" . Trc0_Value::of($x));
    return $x;
}
