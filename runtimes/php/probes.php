<?php
// The probes: what instrumented code calls. None runs code of the program, and none keeps one of
// its values.

// Statements.
function trc0_s($i)
{
    Trc0::start(Trc0::STEP, $i, Trc0::$d, Trc0::$d);
    Trc0::end($i, Trc0::$d);
}

function trc0_s1($i)
{
    if (--Trc0::$f[$i] < 0) {
        trc0_s($i);
    }
    return null;
}

// Writes.
function trc0_write($i, $x)
{
    Trc0::start(Trc0::VAR, $i, Trc0::$d, Trc0::$d);
    Trc0::$o .= "\x01" . Trc0_Value::of($x);
    Trc0::end($i, Trc0::$d);
}

function trc0_v($i, $x)
{
    if (Trc0::$f[$i] <= 0) {
        trc0_write($i, $x);
    } else {
        Trc0::$f[$i]--;
    }
    return $x;
}

function trc0_pi($i, $x)
{
    if (--Trc0::$f[$i] < 0) {
        $new = $x;
        if (\is_int($x) || \is_float($x) || $x === null) {
            $new++;
        } elseif (\is_string($x)) {
            if (\is_numeric($x)) {
                $new = $x + 1;
            } elseif (\PHP_VERSION_ID < 80300) {
                $new++;
            }
        }
        trc0_write($i, $new);
    }
    return $x;
}

function trc0_pd($i, $x)
{
    if (--Trc0::$f[$i] < 0) {
        $new = $x;
        if (\is_int($x) || \is_float($x)) {
            $new--;
        } elseif (\is_string($x) && \is_numeric($x)) {
            $new = $x - 1;
        }
        trc0_write($i, $new);
    }
    return $x;
}

function trc0_values($xs)
{
    $text = Trc0::varint(\count($xs));
    foreach ($xs as $x) {
        $text .= Trc0_Value::of($x);
    }
    return $text;
}

function trc0_vn($i, ...$xs)
{
    Trc0::start(Trc0::VAR, $i, Trc0::$d, Trc0::$d);
    Trc0::$o .= trc0_values($xs);
    Trc0::end($i, Trc0::$d);
}

// The names that an expression wrote, read once it is done.
function trc0_vd($i, $x, ...$xs)
{
    if (--Trc0::$f[$i] < 0) {
        trc0_vn($i, ...$xs);
    }
    return $x;
}

// What an element was bound to, found through arrays alone.
function trc0_vr($i, ...$place)
{
    $text = trc0_at($place);
    if ($text === '') {
        Trc0::$f[$i] = 0;
        return;
    }
    Trc0::start(Trc0::VAR, $i, Trc0::$d, Trc0::$d);
    Trc0::$o .= "\x01$text";
    Trc0::end($i, Trc0::$d);
}

// The text of what a variable's value holds under some keys; empty where that is not certain. A
// property's name begins with a zero byte.
function trc0_at($place)
{
    if ($place === []) {
        return '';
    }
    $x = \array_shift($place);
    foreach ($place as $key) {
        if (\is_object($x) && \is_string($key) && ($key[0] ?? "") === "\0") {
            $x = \get_mangled_object_vars($x);
            $name = \substr($key, 1);
            $key = \array_key_exists($name, $x) ? $name : "\0*\0$name";
        }
        if (!\is_array($x) || !(\is_int($key) || \is_string($key))
            || !\array_key_exists($key, $x)) {
            return '';
        }
        $x = $x[$key];
    }
    return Trc0_Value::of($x);
}

function trc0_d($i, $count)
{
    Trc0::start(Trc0::VAR, $i, Trc0::$d, Trc0::$d);
    Trc0::$o .= Trc0::varint($count) . \str_repeat("\x09", $count);
    Trc0::end($i, Trc0::$d);
}

// Branches.
function trc0_arm($i, $arm)
{
    Trc0::start(Trc0::BRANCH, $i, Trc0::$d, Trc0::$d);
    Trc0::$o .= Trc0::varint($arm) . "\x00";
    Trc0::end($i, Trc0::$d);
}

function trc0_bt($i)
{
    trc0_arm($i, 1);
    return true;
}

function trc0_bf($i)
{
    trc0_arm($i, 0);
    return false;
}

function trc0_b($i, $x)
{
    if (--Trc0::$f[$i] < 0) {
        trc0_arm($i, $x ? 1 : 0);
    }
    return $x;
}

// `??`: the right side is reached; and behind it, unless it was.
function trc0_na($i)
{
    if (--Trc0::$f[$i] < 0) {
        trc0_arm($i, 0);
    }
    Trc0_Frames::$null[$i . ' ' . Trc0::$d] = true;
    return false;
}

function trc0_nn($i, $x)
{
    if (Trc0_Frames::$null !== []) {
        $key = $i . ' ' . Trc0::$d;
        if (isset(Trc0_Frames::$null[$key])) {
            unset(Trc0_Frames::$null[$key]);
            return $x;
        }
    }
    if (--Trc0::$f[$i] < 0) {
        trc0_arm($i, 1);
    }
    return $x;
}

// Operands of a comparison: their texts, as they were when they were worked out.
function trc0_h($x)
{
    if (\count(Trc0_Frames::$operands) > 4096) {
        Trc0_Frames::$operands = [];
    }
    Trc0_Frames::$operands[] = Trc0::$mute === 0 ? Trc0_Value::of($x) : "\x00";
    return $x;
}

function trc0_bo($i, $count, $x)
{
    $held = \array_splice(Trc0_Frames::$operands, -$count);
    if (--Trc0::$f[$i] < 0) {
        Trc0::start(Trc0::BRANCH, $i, Trc0::$d, Trc0::$d);
        Trc0::$o .= ($x ? "\x01" : "\x00") . Trc0::varint(\count($held)) . \implode('', $held);
        Trc0::end($i, Trc0::$d);
    }
    return $x;
}

// `switch` and `match`.
function trc0_q($i, $x)
{
    Trc0_Frames::$armed[$i] = true;
    return $x;
}

function trc0_k($i, $arm)
{
    if (Trc0_Frames::$armed[$i] ?? false) {
        Trc0_Frames::$armed[$i] = false;
        if (--Trc0::$f[$i] < 0) {
            trc0_arm($i, $arm);
        }
    }
    return false;
}

// Loops. Only rounds count as visits of a loop.
function trc0_le($i)
{
    if (Trc0::$mute === Trc0::SPENT) {
        return;
    }
    Trc0::look($i, Trc0::$d, Trc0::$d);
    if (Trc0::$mute !== 0) {
        return;
    }
    Trc0::start(Trc0::LOOP, $i, Trc0::$d, Trc0::$d);
    Trc0::$visits[$i]--;
    Trc0::enterLoop($i);
    Trc0::$o .= "\x00\x00";
    Trc0::end($i, Trc0::$d);
}

function trc0_l($i, ...$xs)
{
    Trc0::start(Trc0::LOOP, $i, Trc0::$d, Trc0::$d);
    if (Trc0::$mute === 0) {
        $at = Trc0::runningLoop($i);
        [, , $count, $events, $quarter, $bytes, $byteQuarter] = Trc0::$loops[$at];
        Trc0::$loops[$at][2] = ++$count;
        if ($count > 2 && (Trc0::$events - $events > $quarter
            || Trc0::$bytes - $bytes > $byteQuarter)) {
            Trc0::muteLoop($i);
        }
    }
    Trc0::$o .= "\x01" . ($xs === [] ? "\x00" : trc0_values($xs));
    Trc0::end($i, Trc0::$d);
}

function trc0_x($i)
{
    if (Trc0::$mute !== 0 && Trc0::$muteFrom !== $i) {
        return;
    }
    Trc0::start(Trc0::LOOP, $i, Trc0::$d, Trc0::$d);
    if (Trc0::$mute === Trc0::IN_LOOP && Trc0::$muteFrom === $i
        && Trc0::$muteDepth === Trc0::$d) {
        Trc0::unmute(Trc0::$d);
    }
    Trc0::$visits[$i]--;
    if (Trc0::$mute === 0) {
        Trc0::dropLoops($i);
        Trc0::$o .= "\x02\x00";
        Trc0::write();
    }
}

// Calls. The one that is entered is counted already.
function trc0_i($i, ...$xs)
{
    if (Trc0_Frames::$starting) {
        trc0_begin($i);
    }
    $depth = Trc0::$d;
    Trc0::start(Trc0::IN, $i, $depth, $depth - 1);
    Trc0::$o .= $xs === [] ? "\x00" : trc0_values($xs);
    Trc0::end($i, $depth - 1);
    if (Trc0::$mute === 0 && Trc0::$visits[$i] > 2
        && Trc0::$events > Trc0::$budgetEvents * 0.75) {
        Trc0::muteCall();
    }
}

// An included file's top-level code: it has no local of its own for its depth.
function trc0_ii($i)
{
    Trc0_Frames::$files[Trc0::$function[$i]] = ++Trc0::$d;
    if (--Trc0::$f[$i] < 0) {
        trc0_i($i);
    }
}

function trc0_ia($i, ...$xs)
{
    ++Trc0::$d;
    if (--Trc0::$f[$i] < 0) {
        trc0_i($i, ...$xs);
    }
    return 0;
}

function trc0_left($i, $rest)
{
    // Fewer than none are open only where a way in or out was missed.
    $depth = Trc0::$d = \max(Trc0::$d, 0);
    Trc0::start(Trc0::OUT, $i, $depth + 1, $depth + 1);
    // A mute that this way out ends is over before the record; it still belongs to the call.
    if (Trc0::$mute !== 0 && Trc0::$mute !== Trc0::SPENT && $depth < Trc0::$muteDepth) {
        Trc0::unmute($depth + 1);
    }
    Trc0::$o .= $rest;
    Trc0::end($i, $depth + 1);
}

function trc0_r($i, $x)
{
    if (--Trc0::$d < Trc0::$muteDepth || Trc0::$f[$i] <= 0) {
        trc0_left($i, "\x01" . Trc0_Value::of($x));
    } else {
        --Trc0::$f[$i];
    }
    return $x;
}

// A place is left as a reference: told just before, from beside its last key.
function trc0_rb($i, $entered, $place, $x)
{
    if (--Trc0::$d < Trc0::$muteDepth || --Trc0::$f[$i] < 0) {
        $text = trc0_at($place);
        trc0_left($i, $text === '' ? "\x00" : "\x01$text");
    }
    return $x;
}

function trc0_ra($i, $entered, $x)
{
    return trc0_r($i, $x);
}

function trc0_o($i)
{
    if (--Trc0::$d < Trc0::$muteDepth || Trc0::$f[$i] <= 0) {
        trc0_left($i, "\x00");
    } else {
        --Trc0::$f[$i];
    }
}

// The main file's top-level code is over.
function trc0_z()
{
    Trc0::$d = 0;
    if (Trc0::$mute === Trc0::IN_LOOP && Trc0::$muteDepth === 0) {
        Trc0::unmute(0);
    }
}

// Containers changed in place: described before the call, and again behind it.
function trc0_tb($i, $x)
{
    if (!\is_array($x) || --Trc0::$f[$i] >= 0) {
        return '';
    }
    Trc0::$f[$i] = 0;
    return Trc0_Value::of($x);
}

function trc0_ta($i, $before, $result, $x)
{
    if ($before !== '') {
        Trc0::start(Trc0::TRANSFORM, $i, Trc0::$d, Trc0::$d);
        Trc0::$o .= $before . Trc0_Value::of($x);
        Trc0::end($i, Trc0::$d);
    }
    return $result;
}
