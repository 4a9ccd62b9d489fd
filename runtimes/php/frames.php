<?php
// Frames that are not simply entered and left: errors, `finally`, generators, fibers, processes.

final class Trc0_Frames
{
    public static $null = [];
    public static $operands = [];
    public static $armed = [];
    // Depth of included files' top-level code, by function.
    public static $files = [];
    // Returns that wait for a `finally`: site, depth, frame, value's text.
    public static $pending = [];
    // The last `throw`: object number, site, how deep PHP's own stack was.
    public static $thrown = [0, 0, 0];
    // Generators by number: depth, site, task, task before, suspended.
    public static $tasks = [];
    public static $next = 0;
    public static $made = 0;
    public static $current = 0;
    public static $forks = 0;
    // Whether the next call may be a fiber's first; the fiber that runs, as an object number.
    public static $starting = false;
    public static $base = 0;
}

// A return inside `try` takes effect after `finally`.
function trc0_rf($i, $frame, $x)
{
    trc0_pend($i, $frame, Trc0::$mute === 0 ? Trc0_Value::of($x) : "\x00");
    return $x;
}

function trc0_rf0($i, $frame)
{
    trc0_pend($i, $frame, null);
}

function trc0_pend($i, $frame, $text)
{
    $pending = &Trc0_Frames::$pending;
    while ($pending !== [] && $pending[\count($pending) - 1][1] >= Trc0::$d) {
        \array_pop($pending);
    }
    $pending[] = [$i, Trc0::$d, $frame, $text];
}

// A return inside `finally` takes the place of one that waits for it.
function trc0_fd()
{
    $pending = &Trc0_Frames::$pending;
    while ($pending !== [] && $pending[\count($pending) - 1][1] >= Trc0::$d) {
        \array_pop($pending);
    }
}

function trc0_fe($frame)
{
    $last = \count(Trc0_Frames::$pending) - 1;
    if ($last < 0 || Trc0_Frames::$pending[$last][2] !== $frame) {
        // A generator that is destroyed, or thrown into, is over behind its `finally`.
        if ($frame < 0 && (Trc0_Frames::$tasks[$frame][5] ?? false)) {
            trc0_over($frame);
        }
        return;
    }
    [$i, $depth, $own, $text] = Trc0_Frames::$pending[$last];
    if ($depth !== Trc0::$d) {
        return;
    }
    \array_pop(Trc0_Frames::$pending);
    if (Trc0::$d > 0) {
        Trc0::$d--;
    }
    if (--Trc0::$f[$i] < 0 || Trc0::$d < Trc0::$muteDepth) {
        trc0_left($i, $text === null ? "\x00" : "\x01$text");
    }
    if ($frame < 0) {
        trc0_over($frame);
    }
}

// Errors.
function trc0_frame_depth($i, $frame)
{
    if ($frame === null) {
        return \min(Trc0::$d, Trc0_Frames::$files[Trc0::$function[$i]] ?? 0);
    }
    return $frame < 0 ? Trc0_Frames::$tasks[$frame][0] ?? Trc0::$d : $frame;
}

// The frames an error left, innermost first, and the one it is caught in: names and lines.
function trc0_left_frames($trace, $line, $depth)
{
    $frames = '';
    $count = 0;
    $left = \max(\count($trace) - $depth, 0);
    for ($at = 0; $at <= $left && $count < 64; $at++) {
        $name = $trace[$at]['function'] ?? '<module>';
        if (\strpos($name, '{closure') !== false) {
            $name = '{closure}';
        } elseif (isset($trace[$at]['class'])) {
            $name = Trc0_Value::plain($trace[$at]['class']) . "::$name";
        }
        $frames .= Trc0_Value::intern($name) . Trc0::varint(\max((int) $line, 0));
        $line = $trace[$at]['line'] ?? 0;
        $count++;
    }
    return Trc0::varint($count) . $frames;
}

function trc0_failure($i, $phase, $x)
{
    $line = 0;
    $frames = "\x00";
    if (\is_object($x)) {
        $fields = (array) $x;
        $type = Trc0_Value::plain(\get_class($x));
        $message = $fields["\0*\0message"] ?? null;
        if ($phase !== "\x00") {
            $trace = $fields["\0Exception\0trace"] ?? $fields["\0Error\0trace"] ?? [];
            // This function, the probe's, and those of the program.
            $depth = \count(\debug_backtrace(\DEBUG_BACKTRACE_IGNORE_ARGS)) - 2;
            $from = $fields["\0*\0line"] ?? 0;
            if (\spl_object_id($x) === Trc0_Frames::$thrown[0]) {
                // It may have been made further in than it was thrown.
                $from = $line = Trc0::$line[Trc0_Frames::$thrown[1]];
                $trace = \array_slice($trace, \max(\count($trace) - Trc0_Frames::$thrown[2], 0));
            }
            $frames = trc0_left_frames($trace, $from, $depth);
        }
    } else {
        [$type, $message] = $x;
    }
    $depth = Trc0::$d;
    Trc0::start(Trc0::ERR, $i, $depth, $depth);
    Trc0::$o .= $phase . Trc0_Value::string($type)
        . (\is_string($message) ? Trc0_Value::string($message) : "\x00")
        . Trc0::varint($line) . $frames;
    Trc0::end($i, $depth);
}

function trc0_t($i, $x)
{
    if (\is_object($x)) {
        Trc0_Frames::$thrown = [\spl_object_id($x), $i,
            \count(\debug_backtrace(\DEBUG_BACKTRACE_IGNORE_ARGS)) - 1];
        if (--Trc0::$f[$i] < 0) {
            trc0_failure($i, "\x00", $x);
        }
    }
    return $x;
}

function trc0_c($i, $frame, $x = null)
{
    if ($frame < 0) {
        trc0_wake($i, $frame, "\x02");
    }
    Trc0::$d = trc0_frame_depth($i, $frame);
    $pending = &Trc0_Frames::$pending;
    while ($pending !== [] && $pending[\count($pending) - 1][1] >= Trc0::$d) {
        \array_pop($pending);
    }
    if (--Trc0::$f[$i] < 0 || Trc0::$d < Trc0::$muteDepth) {
        trc0_failure($i, "\x01", $x ?? ['Throwable', null]);
    }
    Trc0_Frames::$thrown = [0, 0, 0];
}

// A `finally` begins: an error passes if frames are gone or one was just thrown.
function trc0_f($i, $frame)
{
    if ($frame < 0 && (Trc0_Frames::$tasks[$frame][4] ?? false)) {
        trc0_wake($i, $frame, "\x02");
        Trc0_Frames::$tasks[$frame][5] = true;
    }
    $gone = Trc0::$d;
    Trc0::$d = trc0_frame_depth($i, $frame);
    if ($gone > Trc0::$d || Trc0_Frames::$thrown[0] !== 0) {
        trc0_failure($i, "\x02", ['Throwable', null]);
    }
}

// Generators: a frame that is left and taken up again, known by a number below 0.
function trc0_g($i, ...$xs)
{
    $frame = --Trc0_Frames::$next;
    Trc0_Frames::$tasks[$frame] = [++Trc0::$d, $i, 0, 0, false];
    if (--Trc0::$f[$i] < 0) {
        trc0_i($i, ...$xs);
    }
    return $frame;
}

function trc0_task($phase, $what, $id, $site)
{
    if (Trc0::$mute !== 0) {
        return;
    }
    $name = Trc0_Value::intern($id === 0 ? 'main' : $what);
    Trc0::$o = Trc0::TASK . $phase . $name . Trc0::varint($id) . Trc0::varint($site);
    Trc0::write();
}

function trc0_suspend($i, $frame, $rest)
{
    $task = &Trc0_Frames::$tasks[$frame];
    if ($task === null) {
        return;
    }
    $task[4] = true;
    $task[5] = false;
    if ($task[2] === 0) {
        $task[2] = ++Trc0_Frames::$made;
        trc0_task("\x00", 'generator', $task[2], $task[1]);
    }
    Trc0::$d = $task[0] - 1;
    if (--Trc0::$f[$i] < 0 || Trc0::$d < Trc0::$muteDepth) {
        $depth = Trc0::$d + 1;
        Trc0::start(Trc0::OUT, $i, $depth, $depth);
        Trc0::$o .= $rest;
        Trc0::end($i, $depth);
    }
    if (Trc0_Frames::$current === $task[2]) {
        Trc0_Frames::$current = $task[3];
        trc0_task("\x01", 'generator', $task[3], $task[1]);
    }
}

function trc0_y($i, $frame, $x)
{
    trc0_suspend($i, $frame, "\x05" . Trc0_Value::of($x));
    return $x;
}

function trc0_y0($i, $frame)
{
    trc0_suspend($i, $frame, "\x04");
    return 0;
}

function trc0_wake($i, $frame, $rest)
{
    $task = &Trc0_Frames::$tasks[$frame];
    if ($task === null || !$task[4]) {
        return;
    }
    $task[4] = false;
    // A generator goes on from whoever asked it to.
    $task[0] = ++Trc0::$d;
    $task[3] = Trc0_Frames::$current;
    Trc0_Frames::$current = $task[2];
    if (Trc0::$mute === Trc0::SPENT) {
        return;
    }
    $depth = Trc0::$d;
    Trc0::look($i, $depth, $depth - 1);
    // Left out along with the suspension before it, whose site it shares.
    if (Trc0::$mute !== 0) {
        return;
    }
    trc0_task("\x01", 'generator', $task[2], $task[1]);
    Trc0::start(Trc0::RESUME, $i, $depth, $depth - 1);
    Trc0::$visits[$i]--;
    Trc0::$o .= $rest;
    Trc0::end($i, $depth - 1);
}

function trc0_w($i, $frame, $asleep, $x)
{
    trc0_wake($i, $frame, "\x01" . Trc0_Value::of($x));
    return $x;
}

function trc0_over($frame)
{
    $task = Trc0_Frames::$tasks[$frame] ?? null;
    unset(Trc0_Frames::$tasks[$frame]);
    if ($task === null) {
        return;
    }
    Trc0::$d = $task[0] - 1;
    if ($task[2] !== 0) {
        trc0_task("\x02", 'generator', $task[2], $task[1]);
        if (Trc0_Frames::$current === $task[2]) {
            Trc0_Frames::$current = $task[3];
            trc0_task("\x01", 'generator', $task[3], $task[1]);
        }
    }
}

function trc0_gr($i, $frame, $x)
{
    Trc0::$d = (Trc0_Frames::$tasks[$frame][0] ?? 1) - 1;
    if (--Trc0::$f[$i] < 0 || Trc0::$d < Trc0::$muteDepth) {
        trc0_left($i, "\x01" . Trc0_Value::of($x));
    }
    trc0_over($frame);
    return $x;
}

function trc0_go($i, $frame)
{
    Trc0::$d = (Trc0_Frames::$tasks[$frame][0] ?? 1) - 1;
    if (--Trc0::$f[$i] < 0 || Trc0::$d < Trc0::$muteDepth) {
        trc0_left($i, "\x00");
    }
    trc0_over($frame);
}

// A call that another fiber may run in: what is open here is open again behind it.
function trc0_fa()
{
    Trc0_Frames::$starting = true;
    return [Trc0::$d, Trc0_Frames::$current, Trc0_Frames::$base];
}

function trc0_fb($before, $x)
{
    Trc0_Frames::$starting = false;
    [Trc0::$d, $current, Trc0_Frames::$base] = $before;
    trc0_switch($current);
    return $x;
}

function trc0_switch($to)
{
    if (Trc0_Frames::$current !== $to) {
        Trc0_Frames::$current = $to;
        trc0_task("\x01", $to === 0 ? 'main' : 'fiber', $to, 0);
    }
}

// The first call after one that may have started a fiber.
function trc0_begin($i)
{
    Trc0_Frames::$starting = false;
    $fiber = \class_exists('Fiber', false) ? \Fiber::getCurrent() : null;
    $number = $fiber === null ? 0 : \spl_object_id($fiber);
    if ($number === 0 || $number === Trc0_Frames::$base) {
        return;
    }
    Trc0_Frames::$base = $number;
    $id = ++Trc0_Frames::$made;
    trc0_task("\x00", 'fiber', $id, $i);
    trc0_switch($id);
    Trc0::$d = 1;
}

function trc0_fork($result)
{
    if ($result >= 0) {
        Trc0_Frames::$forks++;
        if ($result > 0) {
            Trc0_Region::share(true);
            trc0_task("\x00", 'process', Trc0_Frames::$forks, Trc0::$site);
        } else {
            Trc0::forked(Trc0_Frames::$forks, true);
            Trc0_Frames::$forks = 0;
        }
    }
    return $result;
}
