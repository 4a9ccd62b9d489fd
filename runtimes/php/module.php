<?php
// Run before a program in PHP that is a WebAssembly module, traced or not: what the command line's PHP
// gives its programs and that of web servers does not. A module cannot open a descriptor a second
// time, as `php://stdin` would; its machine opens the standard streams by name.

final class Trc0_Standard
{
    const NAMES = ['php://stdin' => 0, 'php://stdout' => 1, 'php://stderr' => 2];

    public $context;
    private $stream;

    public static function file($number)
    {
        return \fopen("/tmp/.tracer-stream-$number", $number === 0 ? 'rb' : 'ab');
    }

    public function stream_open($path, $mode, $options, &$opened)
    {
        $number = self::NAMES[\strtolower($path)] ?? -1;
        if ($number >= 0) {
            $this->stream = self::file($number);
        } else {
            // The others are PHP's own.
            \stream_wrapper_restore('php');
            $this->stream = \is_resource($this->context)
                ? \fopen($path, $mode, ($options & \STREAM_USE_PATH) !== 0, $this->context)
                : \fopen($path, $mode);
            self::stand();
        }
        return $this->stream !== false;
    }

    public static function stand()
    {
        \stream_wrapper_unregister('php');
        \stream_wrapper_register('php', self::class);
    }

    public function stream_read($count)
    {
        return \fread($this->stream, $count);
    }

    public function stream_write($bytes)
    {
        return \fwrite($this->stream, $bytes);
    }

    public function stream_eof()
    {
        return \feof($this->stream);
    }

    public function stream_flush()
    {
        return \fflush($this->stream);
    }

    public function stream_close()
    {
        \fclose($this->stream);
    }

    public function stream_seek($place, $whence)
    {
        return \fseek($this->stream, $place, $whence) === 0;
    }

    public function stream_tell()
    {
        return \ftell($this->stream);
    }

    public function stream_truncate($size)
    {
        return \ftruncate($this->stream, $size);
    }

    public function stream_stat()
    {
        return \fstat($this->stream);
    }

    public function stream_set_option($option, $first, $second)
    {
        return $option === \STREAM_OPTION_BLOCKING ? \stream_set_blocking($this->stream, (bool) $first) : false;
    }
}

function trc0_surround($folder, $given)
{
    \chdir($folder);
    $_SERVER['argv'][0] = $GLOBALS['argv'][0] = $given;
    foreach (['PHP_SELF', 'SCRIPT_NAME', 'SCRIPT_FILENAME', 'PATH_TRANSLATED'] as $key) {
        $_SERVER[$key] = $given;
    }
    \define('STDIN', Trc0_Standard::file(0));
    \define('STDOUT', Trc0_Standard::file(1));
    \define('STDERR', Trc0_Standard::file(2));
    Trc0_Standard::stand();
}
