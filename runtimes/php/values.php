<?php
// Describes values within fixed bounds of size and work, without running any code of the program:
// no magic method, iterator or hook is ever called, and nothing is kept.

final class Trc0_Value
{
    public static $depth = 3;
    public static $elements = 20;
    public static $characters = 100;
    public static $bytes = 1024;
    private static $names = [];
    private static $nextName = 1;
    private static $length = 0;
    private static $seen = [];
    private static $inner = [];
    public static $high = '';

    const DIGEST_LIMIT = 65536;
    // Classes of PHP itself whose state an array cast shows without running anything.
    const OPEN_CLASSES = ['stdClass' => 1, 'ArrayObject' => 1, 'ArrayIterator' => 1,
        'SplStack' => 1, 'SplQueue' => 1, 'SplDoublyLinkedList' => 1, 'SplObjectStorage' => 1,
        'SplFixedArray' => 1, 'DateTime' => 1, 'DateTimeImmutable' => 1, 'DateTimeZone' => 1];

    // The number of a name; a name met for the first time is announced to the reader.
    public static function intern($name)
    {
        $id = self::$names[$name] ?? 0;
        if ($id !== 0) {
            return $id < 128 ? Trc0::$B[$id] : Trc0::varint($id);
        }
        $id = self::$nextName++;
        self::$names[$name] = $id;
        $text = \strlen($name) > 200 ? \substr($name, 0, 200) : $name;
        Trc0::append(Trc0::INTERN . Trc0::varint($id) . Trc0::varint(\strlen($text)) . $text);
        return Trc0::varint($id);
    }

    // One whole value.
    public static function of($x)
    {
        if (\is_int($x)) {
            if ($x >= 0 && $x < 64) {
                return "\x03" . Trc0::$B[$x << 1];
            }
            return "\x03" . Trc0::varint(($x << 1) ^ ($x >> 63));
        }
        if (\is_string($x)) {
            return self::string($x);
        }
        if ($x === null) {
            return "\x00";
        }
        if (\is_bool($x)) {
            return $x ? "\x02" : "\x01";
        }
        if (\is_float($x)) {
            return "\x05" . \pack('e', $x);
        }
        self::$length = 0;
        self::$seen = [];
        return self::any($x, self::$depth);
    }

    private static function any($x, $depth)
    {
        if (\is_int($x)) {
            $text = "\x03" . Trc0::varint(($x << 1) ^ ($x >> 63));
        } elseif (\is_string($x)) {
            $text = self::string($x);
        } elseif ($x === null) {
            $text = "\x00";
        } elseif (\is_bool($x)) {
            $text = $x ? "\x02" : "\x01";
        } elseif (\is_float($x)) {
            $text = "\x05" . \pack('e', $x);
        } elseif (\is_array($x)) {
            return self::many($x, $depth);
        } elseif (\is_object($x)) {
            return self::object($x, $depth);
        } else {
            $type = \gettype($x);
            $name = $type === 'resource' ? \get_resource_type($x) : '';
            $text = self::opaque($type, 0, $name);
        }
        self::$length += \strlen($text);
        return $text;
    }

    public static function string($text)
    {
        $whole = \strlen($text);
        if ($whole <= self::$characters && \strcspn($text, self::$high) === $whole) {
            return "\x06" . ($whole < 64 ? Trc0::$B[$whole] . Trc0::$B[$whole << 1]
                : Trc0::varint($whole) . Trc0::varint($whole << 1)) . $text;
        }
        $shown = \substr($text, 0, self::$characters * 4);
        if (\strcspn($shown, self::$high) !== \strlen($shown)) {
            // Not through a character.
            if (\strlen($shown) < $whole) {
                for ($i = 0; $i < 3 && (\ord($text[\strlen($shown)]) & 0xc0) === 0x80; $i++) {
                    $shown = \substr($shown, 0, -1);
                }
            }
            if (\htmlspecialchars($shown, \ENT_NOQUOTES, 'UTF-8') === '') {
                return self::binary($text);
            }
            // Cut after so many characters.
            $at = 0;
            for ($count = 0; $count < self::$characters && $at < \strlen($shown); $count++) {
                $byte = \ord($shown[$at]);
                $at += $byte < 0x80 ? 1 : ($byte < 0xe0 ? 2 : ($byte < 0xf0 ? 3 : 4));
            }
            $shown = \substr($shown, 0, $at);
        } else {
            $shown = \substr($shown, 0, self::$characters);
        }
        $count = $whole;
        if ($whole <= self::DIGEST_LIMIT && \strcspn($text, self::$high) !== $whole) {
            foreach (\count_chars($text, 1) as $byte => $times) {
                if (($byte & 0xc0) === 0x80) {
                    $count -= $times;
                }
            }
        }
        return "\x06" . Trc0::varint($count) . self::cut($shown, $text);
    }

    private static function binary($text)
    {
        $shown = \substr($text, 0, self::$characters);
        return "\x07" . Trc0::varint(\strlen($text)) . self::cut($shown, $text);
    }

    private static function cut($shown, $text)
    {
        $n = \strlen($shown);
        if ($n === \strlen($text)) {
            return Trc0::varint($n << 1) . $shown;
        }
        $digest = \strlen($text) > self::DIGEST_LIMIT ? "\0\0\0\0\0\0\0\0"
            : \strrev(\hash('fnv1a64', $text, true));
        return Trc0::varint($n << 1 | 1) . $shown . $digest;
    }

    // What could not be read without running something.
    public static function unknown()
    {
        return self::opaque('mixed', 0, '');
    }

    private static function opaque($type, $heap, $text)
    {
        return "\x16" . self::intern($type) . Trc0::varint($heap) . Trc0::varint(\strlen($text))
            . $text;
    }

    private static function head($kind, $type, $heap, $length, $shown)
    {
        return $kind . self::intern($type) . Trc0::varint($heap) . Trc0::varint($length)
            . ($shown < $length ? "\x01\0\0\0\0\0\0\0\0" : "\x00") . Trc0::varint($shown);
    }

    // An array: a list where its keys count up from 0.
    private static function many($x, $depth)
    {
        $length = \count($x);
        $room = $depth > 0 && self::$length < self::$bytes ? self::$elements : 0;
        $list = true;
        $next = 0;
        foreach ($x as $key => $_) {
            if ($key !== $next++) {
                $list = false;
                break;
            }
        }
        $text = '';
        $shown = 0;
        if ($room > 0) {
            foreach ($x as $key => $item) {
                if ($shown >= $room || self::$length >= self::$bytes) {
                    break;
                }
                if (!$list) {
                    $text .= self::any($key, 0);
                }
                $text .= self::any($item, $depth - 1);
                $shown++;
            }
        }
        return self::head($list ? "\x11" : "\x12", 'array', 0, $length, $shown) . $text;
    }

    private static function object($x, $depth)
    {
        $class = \get_class($x);
        $heap = \spl_object_id($x);
        if (isset(self::$seen[$heap])) {
            return "\x15" . Trc0::varint($heap);
        }
        self::$seen[$heap] = true;
        self::$length += 8;
        $shown = self::plain($class);
        if ($x instanceof \Closure) {
            return "\x08" . self::intern('{closure}');
        }
        if ($x instanceof \UnitEnum) {
            $case = (array) $x;
            $value = isset($case['value']) ? self::any($case['value'], 0) : "\x00";
            return "\x17" . self::intern($shown) . self::intern($case['name']) . $value;
        }
        $root = self::root($class);
        if ($root !== '' && !isset(self::OPEN_CLASSES[$root])
            && !($x instanceof \Exception) && !($x instanceof \Error)) {
            if ($root === $class) {
                return self::opaque($shown, $heap, '');
            }
        }
        $fields = $root === '' || $root === $class || $root !== 'ArrayObject' ? (array) $x
            : \get_mangled_object_vars($x);
        if ($x instanceof \Throwable) {
            unset($fields["\0*\0file"], $fields["\0*\0line"], $fields["\0Exception\0string"],
                $fields["\0Exception\0trace"], $fields["\0Exception\0previous"],
                $fields["\0Error\0string"], $fields["\0Error\0trace"],
                $fields["\0Error\0previous"], $fields['xdebug_message']);
        }
        $length = \count($fields);
        $room = $depth > 0 && self::$length < self::$bytes ? self::$elements : 0;
        $text = '';
        $count = 0;
        if ($room > 0) {
            foreach ($fields as $key => $item) {
                if ($count >= $room || self::$length >= self::$bytes) {
                    break;
                }
                $key = (string) $key;
                $mark = \strrpos($key, "\0");
                $name = self::intern($mark === false ? $key : \substr($key, $mark + 1));
                self::$length += 2;
                $text .= $name . self::any($item, $depth - 1);
                $count++;
            }
        }
        return self::head("\x14", $shown, $heap, $length, $count) . $text;
    }

    // An anonymous class's name holds its file's.
    public static function plain($class)
    {
        $mark = \strpos($class, "\0");
        return $mark === false ? $class : \substr($class, 0, $mark);
    }

    // The class of PHP itself that a class is or extends; empty where there is none.
    private static function root($class)
    {
        if (isset(self::$inner[$class])) {
            return self::$inner[$class];
        }
        $root = $class;
        while ($root !== false && !(new \ReflectionClass($root))->isInternal()) {
            $root = \get_parent_class($root);
        }
        return self::$inner[$class] = $root === false ? '' : $root;
    }
}
