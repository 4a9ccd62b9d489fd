<?php
// Gives PHP the instrumented texts under the originals' paths, and starts recording. The program's
// files are opened through a stream wrapper of their own; all else reads the originals.

final class Trc0_Sources
{
    public static $private = '';
    public static $list = [];
    public static $byPath = [];
    public static $learned = [];
    // Objects that take up the first numbers until the program begins, so that it gets those.
    public static $spare = [];
    // The first and last number of the emitter's own resources; the last is the main file's.
    public static $resources = [0, 0];
    public $context;
    private $text = '';
    private $at = 0;

    public function stream_open($path, $mode, $options, &$opened)
    {
        $index = (int) \substr($path, \strlen('trc0://'));
        $source = self::$list[$index];
        $opened = $source['path'];
        $this->text = self::text($index);
        if ($index === 0) {
            $this->text = trc0_without_hash_bang($this->text);
            // The last one given back is the first one given out.
            for ($i = \count(self::$spare) - 1; $i >= 0; $i--) {
                unset(self::$spare[$i]);
            }
        }
        return true;
    }

    public function stream_read($count)
    {
        $piece = \substr($this->text, $this->at, $count);
        $this->at += \strlen($piece);
        return $piece;
    }

    public function stream_eof()
    {
        return $this->at >= \strlen($this->text);
    }

    public function stream_stat()
    {
        return ['size' => \strlen($this->text)];
    }

    public function stream_set_option($option, $first, $second)
    {
        return false;
    }

    public function stream_close()
    {
    }

    // The text to run: the instrumented one, unless PHP refuses the original, whose error it could
    // hide, or the instrumented one.
    private static function text($index)
    {
        $source = self::$list[$index];
        $facts = self::$learned[$index] ?? null;
        if ($facts === null) {
            $facts = \json_decode($source['facts'], true);
            self::$learned[$index] = $facts;
            Trc0::learn($facts);
        }
        if ($facts['short'] && !\ini_get('short_open_tag')) {
            return self::original($index);
        }
        if (!\function_exists('token_get_all')) {
            return $facts['broken'] ? self::original($index) : $source['code'];
        }
        if (!self::parses($source['code'])
            || ($facts['broken'] && !self::parses(self::original($index)))) {
            return self::original($index);
        }
        return $source['code'];
    }

    private static function parses($text)
    {
        // What it warns of, it warns of again when the text is run.
        $level = \error_reporting(0);
        \set_error_handler('trc0_quiet');
        try {
            \token_get_all($text, \TOKEN_PARSE);
            return true;
        } catch (\ParseError $error) {
            return false;
        } finally {
            \restore_error_handler();
            \error_reporting($level);
        }
    }

    // The original's bytes: the instrumented ones without the insertions.
    public static function original($index)
    {
        $source = self::$list[$index];
        $places = $source['places'] === '' ? [] : \explode(' ', $source['places']);
        $text = '';
        $read = 0;
        $done = 0;
        for ($i = 0; $i < \count($places); $i += 2) {
            $length = (int) $places[$i] - $done;
            $text .= \substr($source['code'], $read, $length);
            $done = (int) $places[$i];
            $read += $length + (int) $places[$i + 1];
        }
        return $text . \substr($source['code'], $read);
    }
}

// PHP passes over a script's first line if it begins with `#!`, but not over that of this file.
function trc0_without_hash_bang($text)
{
    if (\strncmp($text, '#!', 2) !== 0) {
        return $text;
    }
    $end = \strpos($text, "\n");
    if ($end === false) {
        return '';
    }
    $rest = \substr($text, $end + 1);
    // The line is kept, inside of code.
    return \strncasecmp($rest, '<?php', 5) === 0
        ? "<?php\n" . \substr($rest, 5) : "<?php\n?>" . $rest;
}

function trc0_quiet()
{
    return true;
}

// Which file an `include` takes: an instrumented text where there is one.
function trc0_inc($once, $folder, $path)
{
    if (!\is_string($path) || Trc0_Sources::$byPath === []) {
        Trc0::beware();
        return $path;
    }
    $real = trc0_resolve($path, $folder);
    $index = $real === null ? null : Trc0_Sources::$byPath[$real] ?? null;
    // What is not instrumented may fork unseen.
    if ($index === null) {
        Trc0::beware();
    }
    if ($index === null || ($once && \in_array($real, \get_included_files(), true))) {
        return $path;
    }
    return "trc0://$index";
}

function trc0_resolve($path, $folder)
{
    if ($path === '' || \strpos($path, '://') !== false || \strpos($path, "\0") !== false) {
        return null;
    }
    if ($path[0] === '/') {
        $tries = [$path];
    } elseif (\strncmp($path, './', 2) === 0 || \strncmp($path, '../', 3) === 0) {
        $tries = [\getcwd() . "/$path"];
    } else {
        $tries = [];
        foreach (\explode(':', \get_include_path()) as $base) {
            $tries[] = ($base === '' || $base[0] !== '/' ? \getcwd() . "/$base" : $base)
                . "/$path";
        }
        $tries[] = "$folder/$path";
    }
    foreach ($tries as $try) {
        $real = \realpath($try);
        if ($real !== false) {
            return $real;
        }
    }
    return null;
}

// `__COMPILER_HALT_OFFSET__` in the original.
function trc0_halt($file, $offset)
{
    foreach (Trc0_Sources::$learned as $index => $facts) {
        if ($index !== $file || !isset($facts['halt'])) {
            continue;
        }
        $original = Trc0_Sources::original($index);
        $moved = \strlen(Trc0_Sources::$list[$index]['code']) - \strlen($original);
        if ($offset - $moved >= $facts['halt']) {
            return $offset - $moved;
        }
    }
    return $offset;
}

// The path that `__FILE__` has in a script that is named so on the command line.
function trc0_absolute($path)
{
    $parts = [];
    foreach (\explode('/', $path[0] === '/' ? $path : \getcwd() . "/$path") as $part) {
        if ($part === '..') {
            \array_pop($parts);
        } elseif ($part !== '' && $part !== '.') {
            $parts[] = $part;
        }
    }
    return '/' . \implode('/', $parts);
}

// The end of the program, before its own shutdown functions.
function trc0_shutdown()
{
    $error = \error_get_last();
    $gone = Trc0::$d;
    Trc0::$d = 0;
    if (Trc0::$mute !== 0 && Trc0::$mute !== Trc0::SPENT) {
        Trc0::unmute(0);
    }
    if ($error !== null && ($error['type'] & (1 | 4 | 16 | 64 | 256 | 4096))) {
        trc0_fatal($error);
    }
    if ($gone > 0 && Trc0::$mute === 0) {
        Trc0::append(Trc0::DEPTH . "\x00");
    }
    Trc0::flush();
}

function trc0_fatal($error)
{
    $message = $error['message'];
    $type = $error['type'] === 4 ? 'ParseError' : 'Error';
    if (\strncmp($message, 'Uncaught ', 9) === 0) {
        $text = \substr($message, 9);
        $next = \strrpos($text, "\n\nNext ");
        if ($next !== false) {
            $text = \substr($text, $next + 7);
        }
        $place = \strpos($text, ' in ' . $error['file'] . ':' . $error['line']);
        $text = $place === false ? $text : \substr($text, 0, $place);
        $colon = \strpos($text, ': ');
        $type = $colon === false ? $text : \substr($text, 0, $colon);
        $message = $colon === false ? '' : \substr($text, $colon + 2);
        $type = Trc0_Value::plain($type);
    }
    $site = Trc0_Frames::$thrown[0] !== 0 ? Trc0_Frames::$thrown[1] : Trc0::$endSite;
    if ($site === 0) {
        return;
    }
    Trc0::start(Trc0::ERR, $site, 0, 0);
    Trc0::$o .= "\x03" . Trc0_Value::string($type) . Trc0_Value::string($message)
        . Trc0::varint($error['line'])
        . trc0_left_frames(trc0_printed_frames($error['message']), $error['line'], 0);
    Trc0::end($site, 0);
}

// The last stack trace in the text of a fatal error: `#0 /path(3): A->f()`.
function trc0_printed_frames($text)
{
    $start = \strrpos($text, "\nStack trace:\n");
    $trace = [];
    foreach ($start === false ? [] : \explode("\n", \substr($text, $start + 14)) as $line) {
        $place = \strpos($line, '): ');
        $open = $place === false ? false : \strpos($line, '(', $place);
        if ($open === false || $line[0] !== '#') {
            continue;
        }
        $name = \str_replace('->', '::', \substr($line, $place + 3, $open - $place - 3));
        $two = \strrpos($name, '::');
        $frame = ['function' => $two === false ? $name : \substr($name, $two + 2)];
        if ($two !== false) {
            $frame['class'] = \substr($name, 0, $two);
        }
        $from = \strrpos(\substr($line, 0, $place), '(');
        $frame['line'] = $from === false ? 0 : (int) \substr($line, $from + 1);
        $trace[] = $frame;
    }
    return $trace;
}

function trc0_start($plan)
{
    $first = 1 + (int) \array_key_last(\get_resources());
    \putenv('TRACER_CHANNEL');
    unset($_SERVER['TRACER_CHANNEL'], $_ENV['TRACER_CHANNEL']);
    $given = $plan['given'];
    $_SERVER['argv'][0] = $given;
    $GLOBALS['argv'][0] = $given;
    foreach (['PHP_SELF', 'SCRIPT_NAME', 'SCRIPT_FILENAME', 'PATH_TRANSLATED'] as $key) {
        if (isset($_SERVER[$key])) {
            $_SERVER[$key] = $given;
        }
    }
    for ($i = 128; $i < 256; $i++) {
        Trc0_Value::$high .= \chr($i);
    }
    Trc0_Sources::$private = $plan['private'];
    Trc0_Sources::$list = $plan['sources'];
    foreach ($plan['sources'] as $index => $source) {
        if (isset($source['code'])) {
            $real = \realpath($source['path']);
            Trc0_Sources::$byPath[$real === false ? $source['path'] : $real] = $index;
            Trc0_Sources::$list[$index]['path'] = $index === 0
                ? trc0_absolute($given) : ($real === false ? $source['path'] : $real);
            if (\stripos($source['code'], 'pcntl_') !== false) {
                Trc0::beware();
            }
        }
    }
    for ($i = 0; $i < 4096; $i++) {
        Trc0_Sources::$spare[] = new \stdClass;
    }
    Trc0::open($plan['channel']);
    \register_shutdown_function('trc0_shutdown');
    \stream_wrapper_register('trc0', 'Trc0_Sources');
    Trc0_Sources::$resources = [$first, 1 + (int) \array_key_last(\get_resources())];
}
