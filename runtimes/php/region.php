<?php
// The region that the runner shares: bytes at places, and numbers that all processes count up.
// Mapped where PHP has its foreign function interface: a write is then no system call, takes no
// resource number, and no two processes share a place in the file. Else a stream on the descriptor,
// whose place forked processes do share, so that they take a lock to write.
// What the bytes mean is the recorder's business.

final class Trc0_Region
{
    // A pointer to the region's first byte, where it is mapped.
    public static $map = null;
    private static $libc = null;
    private static $descriptor = -1;
    private static $stream = null;
    private static $place = -1;
    private static $lock = null;

    const HEADER = 4096, READ_WRITE = 3, SHARED = 1, LOCK = 1, UNLOCK = 0, SET_FLAGS = 2,
        CLOSE_ON_EXEC = 1;

    // The header's bytes, of a descriptor or of a file by its name; empty where there is no region.
    public static function open($descriptor)
    {
        self::$descriptor = $descriptor;
        $head = self::map(self::HEADER) ? self::get(0, 72) : '';
        if ($head === '') {
            self::$map = null;
            $stream = @\fopen(\is_int($descriptor) ? "php://fd/$descriptor" : $descriptor, 'r+b');
            if ($stream === false) {
                return '';
            }
            \stream_set_read_buffer($stream, 0);
            \stream_set_write_buffer($stream, 0);
            self::$stream = $stream;
            $head = self::get(0, 72);
        }
        return \strlen($head) === 72 && \substr($head, 0, 4) === 'TRCS' ? $head : '';
    }

    // Makes the whole region reachable.
    public static function extend($size)
    {
        return self::$map === null || self::map($size);
    }

    private static function map($size)
    {
        if (\PHP_INT_SIZE !== 8 || !\class_exists('FFI', false)) {
            return false;
        }
        try {
            if (self::$libc === null) {
                self::$libc = \FFI::cdef('size_t mmap(size_t, size_t, int, int, int, long);'
                    . 'int lockf(int, int, long); int fcntl(int, int, ...);');
                self::$libc->fcntl(self::$descriptor, self::SET_FLAGS, self::CLOSE_ON_EXEC);
            }
            $at = self::$libc->mmap(0, $size, self::READ_WRITE, self::SHARED, self::$descriptor, 0);
            if ($at === -1 || $at === 0) {
                return false;
            }
            self::$map = self::$libc->cast('char *', $at);
            return true;
        } catch (\Throwable $refused) {
            return false;
        }
    }

    public static function get($at, $length)
    {
        if (self::$map !== null) {
            return \FFI::string(self::$map + $at, $length);
        }
        if (self::$stream === null) {
            return '';
        }
        \fseek(self::$stream, $at);
        self::$place = -1;
        return (string) \fread(self::$stream, $length);
    }

    // False once the program has closed the stream: it goes on, the trace ends there.
    public static function put($at, $bytes)
    {
        if (self::$map !== null) {
            \FFI::memcpy(self::$map + $at, $bytes, \strlen($bytes));
            return true;
        }
        if (self::$stream === null) {
            return false;
        }
        self::hold();
        if (self::$place !== $at || self::$lock !== null) {
            \fseek(self::$stream, $at);
        }
        $written = @\fwrite(self::$stream, $bytes);
        self::$place = $at + \strlen($bytes);
        self::let();
        if ($written !== \strlen($bytes)) {
            self::$stream = null;
            return false;
        }
        return true;
    }

    // Reads a number of 4 or 8 bytes, and writes what `$change` makes of it, with no other process
    // between. The number as it was, or -1.
    public static function exchange($at, $format, $change)
    {
        $size = $format === 'V' ? 4 : 8;
        self::hold();
        $lock = self::$lock;
        self::$lock = null;
        $bytes = self::get($at, $size);
        $old = \strlen($bytes) === $size ? \unpack($format, $bytes)[1] : -1;
        $new = $old < 0 ? null : $change($old);
        if ($new !== null) {
            self::put($at, \pack($format, $new));
        }
        self::$lock = $lock;
        self::let();
        return $old;
    }

    private static function hold()
    {
        if (self::$map !== null) {
            // A signal may interrupt the wait.
            for ($i = 0; $i < 100 && self::$libc->lockf(self::$descriptor, self::LOCK, 0) !== 0; $i++);
        } elseif (self::$lock !== null) {
            \flock(self::$lock, \LOCK_EX);
        }
    }

    private static function let()
    {
        if (self::$map !== null) {
            self::$libc->lockf(self::$descriptor, self::UNLOCK, 0);
        } elseif (self::$lock !== null) {
            \flock(self::$lock, \LOCK_UN);
        }
    }

    // The program has forked. A stream's place is shared from now on: every process locks a file
    // of its own opening. False where this process must not write any more.
    public static function share($told)
    {
        if (self::$map !== null) {
            return true;
        }
        // A parent that does not know of the fork takes no lock.
        self::$lock = $told ? @\fopen(__FILE__, 'rb') : false;
        if (self::$lock === false) {
            self::$lock = self::$stream = null;
            return false;
        }
        return true;
    }
}
