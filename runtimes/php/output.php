<?php
// Notes what is written to stdout and stderr, at the moment it is written. Bytes and results pass
// through untouched; what goes into an output buffer is not written yet.

function trc0_wrote($stream, $text, $length)
{
    if (Trc0::$mute !== 0) {
        return;
    }
    $shown = \strlen($text) > 1024 ? \substr($text, 0, 1024) : $text;
    Trc0::$o = Trc0::STDOUT . Trc0::$B[$stream] . Trc0::varint($length)
        . Trc0::varint(\strlen($shown)) . $shown;
    Trc0::write();
}

// `echo` and `print`. An object's text is its own affair.
function trc0_e($x)
{
    if (Trc0::$mute === 0 && \is_scalar($x) && \ob_get_level() === 0) {
        $text = (string) $x;
        if ($text !== '') {
            trc0_wrote(1, $text, \strlen($text));
        }
    }
    return $x;
}

function trc0_e1($step, $x)
{
    return trc0_e($x);
}

// Text outside of code.
function trc0_w1($shown, $length)
{
    if (Trc0::$mute === 0 && \ob_get_level() === 0) {
        trc0_wrote(1, $shown, $length);
    }
}

// `exit` writes a text, but not a number.
function trc0_ex($x)
{
    if (\is_string($x)) {
        trc0_e($x);
    }
    return $x;
}

function trc0_fw($stream, $x)
{
    if (Trc0::$mute === 0 && \is_string($x) && $x !== '') {
        trc0_wrote($stream, $x, \strlen($x));
    }
    return $x;
}

// `printf` says how much it wrote.
function trc0_pf($length)
{
    if (Trc0::$mute === 0 && \is_int($length) && $length > 0 && \ob_get_level() === 0) {
        trc0_wrote(1, '', $length);
    }
    return $length;
}

// `var_dump` and the like, of what can be printed twice without running anything.
function trc0_pr($name, $x)
{
    if (Trc0::$mute === 0 && \ob_get_level() === 0) {
        $left = 200;
        if (trc0_printable($x, $left)) {
            \ob_start();
            $name($x);
            $text = (string) \ob_get_clean();
            if ($text !== '') {
                trc0_wrote(1, $text, \strlen($text));
            }
        }
    }
    return $x;
}

function trc0_printable($x, &$left)
{
    if (--$left < 0 || \is_object($x)) {
        return false;
    }
    if (\is_array($x)) {
        foreach ($x as $item) {
            if (!trc0_printable($item, $left)) {
                return false;
            }
        }
    }
    return true;
}

// What the program is told of itself, without the emitter.
function trc0_tell($name, $x)
{
    // Facts of the main file, which PHP takes the emitter to be.
    $facts = ['getlastmod' => 'filemtime', 'getmyinode' => 'fileinode',
        'getmyuid' => 'fileowner', 'getmygid' => 'filegroup'];
    if (isset($facts[$name])) {
        return $facts[$name](Trc0_Sources::$list[0]['path']);
    }
    if (!\is_array($x)) {
        return $x;
    }
    $own = static fn($name) => \is_string($name) && \stripos($name, 'trc0') === 0;
    switch ($name) {
        case 'get_defined_vars':
            unset($x['trc0F']);
            break;
        case 'get_declared_classes':
        case 'stream_get_wrappers':
            return \array_values(\array_filter($x, static fn($name) => !$own($name)));
        case 'get_resources':
            [$from, $to] = Trc0_Sources::$resources;
            return \array_filter($x, static fn($id) => $id < $from || $id > $to,
                \ARRAY_FILTER_USE_KEY);
        case 'get_included_files':
        case 'get_required_files':
            $private = Trc0_Sources::$private;
            return \array_values(\array_filter($x, static fn($path) =>
                \strncmp($path, $private, \strlen($private)) !== 0));
        case 'get_defined_functions':
            $x['user'] = \array_values(\array_filter($x['user'], static fn($name) => !$own($name)));
            break;
        case 'ini_get_all':
            if (\is_array($x['auto_append_file'] ?? null)) {
                $x['auto_append_file']['global_value'] = null;
                $x['auto_append_file']['local_value'] = null;
            } elseif (isset($x['auto_append_file'])) {
                $x['auto_append_file'] = null;
            }
            break;
    }
    return $x;
}
