<?php
// Decides which visits become records and lays them into segments: budgets, muting, slots.
// What a probe means is in `probes.php`; how a value looks is in `values.php`.
//
// The fast path of every probe is `--Trc0::$f[site]<0`: a site has no fuel while its visits are
// recorded, and is given some once they are only counted, so that a counted visit costs one
// decrement. What was burnt is added up when the fuel is gone, or taken back.
// Nothing here holds an object or array of the program, warns, or touches what a program can see.

final class Trc0
{
    const STEP = "\x01", VAR = "\x02", IN = "\x03", OUT = "\x04", BRANCH = "\x05", LOOP = "\x06",
        ERR = "\x07", TRANSFORM = "\x08", CALL = "\x09", STDOUT = "\x0a", TASK = "\x0b", ELIDE = "\x0c",
        DEPTH = "\x0d", INTERN = "\x0e", LIMIT = "\x0f", RESUME = "\x10",
        RETURNED = "\x11";
    // What a mute waits for.
    const OPEN = 0, IN_LOOP = 1, IN_CALL = 2, SPENT = 3;
    const FIRST_FUEL = 16, MOST_FUEL = 1048576, FLUSH_EVERY = 40000000;

    // What inserted code uses: fuel by site, how many calls are open.
    public static $f = [];
    public static $d = 0;

    // The region.
    private static $map = null;
    private static $nonce = '';
    private static $slotsAt = 0;
    private static $slotSize = 64;
    private static $slots = 0;
    private static $segments = 0;
    private static $segmentsAt = 0;
    private static $segmentSize = 0;
    private static $stream = 0;
    private static $position = 0;
    private static $end = 0;
    // Where records end that can be laid down without a further look: 0 where there is no mapping,
    // or code that may fork; else what the segment and the budget of bytes leave.
    private static $quickEnd = 0;
    private static $full = false;
    public static $bytes = 0;
    public static $budgetEvents = 0;
    public static $budgetBytes = 0;
    public static $detail = 2;

    // One byte for each small number; a varint's first.
    public static $B = [];

    // Of sites.
    public static $given = [];
    public static $visits = [];
    public static $left = [];
    private static $kept = [];
    private static $record = [];
    private static $seen = [];
    public static $function = [];
    public static $line = [];
    public static $loopEnd = [];
    public static $names = [];
    private static $touched = [];

    // The record in hand, and the state of muting.
    public static $o = '';
    public static $site = 0;
    public static $events = 0;
    public static $mute = 0;
    public static $muteDepth = -1;
    public static $muteFrom = 0;
    public static $muteTo = 0;
    public static $loops = [];
    private static $lastFlush = 0;
    private static $flushed = false;
    public static $endSite = 0;
    // Processes: whose stream this is, whether any code that may fork was met, and what this process
    // has told of each slot's count.
    private static $process = 0;
    private static $mayFork = false;
    private static $told = [];

    public static function open($descriptor)
    {
        for ($i = 0; $i < 128; $i++) {
            self::$B[$i] = \chr($i);
        }
        $head = Trc0_Region::open($descriptor);
        if ($head === '') {
            return false;
        }
        self::$nonce = \substr($head, 8, 8);
        [, self::$slotsAt, self::$slots, self::$slotSize, self::$segments, self::$segmentsAt,
            self::$segmentSize, self::$budgetEvents, self::$budgetBytes] =
            \array_values(\array_merge([0], \unpack('V8', \substr($head, 24, 32))));
        self::$detail = \ord($head[57]);
        Trc0_Value::$depth = \ord($head[56]);
        [, Trc0_Value::$elements, Trc0_Value::$characters, Trc0_Value::$bytes] =
            \array_merge([0], \array_values(\unpack('v3', \substr($head, 58, 6))));
        Trc0_Region::extend(self::$segmentsAt + self::$segments * self::$segmentSize);
        self::$map = Trc0_Region::$map;
        self::$process = \getmypid();
        self::$stream = self::take(68, 0x7fffffff);
        $none = self::$slots > 0 ? \array_fill(0, self::$slots, 0) : [0];
        self::$f = self::$given = self::$visits = self::$left = self::$told =
            self::$kept = self::$seen = self::$function = self::$line = self::$loopEnd = $none;
        self::$lastFlush = \hrtime(true);
        return true;
    }

    // The next of the numbers that all processes count up together; -1 if none is left.
    private static function take($at, $limit)
    {
        $next = Trc0_Region::exchange($at, 'V', static function ($next) use ($limit) {
            return $next < $limit ? $next + 1 : null;
        });
        return $next < $limit ? $next : -1;
    }

    private static function claim($head = '')
    {
        $segment = self::take(64, self::$segments);
        if ($segment < 0) {
            self::$full = true;
            return false;
        }
        $at = self::$segmentsAt + $segment * self::$segmentSize;
        Trc0_Region::put($at, 'SEG1' . \pack('V', self::$stream)
            . ($head === '' ? \pack('VV', 0, 0) . self::$nonce . \pack('VV', 0, 0) : $head));
        self::$position = $at + 32;
        self::$end = $at + self::$segmentSize;
        self::$quickEnd = self::$map === null || self::$mayFork ? 0
            : \min(self::$end, self::$position + self::$budgetBytes - self::$bytes);
        return true;
    }

    // Appends one record; false where there is no room left.
    public static function append($bytes)
    {
        if (self::$mayFork && \getmypid() !== self::$process) {
            self::forked(0, false);
        }
        $length = \strlen($bytes);
        if (self::$position + $length > self::$end) {
            if (self::$full || $length > self::$segmentSize - 32 || !self::claim()) {
                return false;
            }
        }
        if (self::$map !== null) {
            \FFI::memcpy(self::$map + self::$position, $bytes, $length);
        } elseif (!Trc0_Region::put(self::$position, $bytes)) {
            return false;
        }
        self::$position += $length;
        self::$bytes += $length;
        return true;
    }

    // What a file's sites are: its functions' names, the function and line of each site, and where
    // each loop's sites end.
    public static function learn($facts)
    {
        $base = \count(self::$names);
        foreach ($facts['functions'] as $name) {
            self::$names[] = $name;
        }
        if (self::$endSite === 0) {
            self::$endSite = $facts['end'];
        }
        $site = $facts['first'];
        $sites = $facts['sites'];
        for ($i = 0, $n = \count($sites); $i < $n; $i += 2, $site++) {
            self::$function[$site] = $base + $sites[$i];
            self::$line[$site] = $sites[$i + 1];
        }
        for ($i = 0, $n = \count($facts['loops']); $i < $n; $i += 2) {
            self::$loopEnd[$facts['loops'][$i]] = $facts['loops'][$i + 1];
        }
    }

    public static function nameOf($site)
    {
        return self::$names[self::$function[$site] ?? -1] ?? '<unknown>';
    }

    public static function varint($n)
    {
        if ($n >= 0 && $n < 128) {
            return self::$B[$n];
        }
        $text = '';
        do {
            $low = $n & 0x7f;
            $n = ($n >> 7) & (\PHP_INT_MAX >> 6);
            $text .= \chr($n ? $low | 0x80 : $low);
        } while ($n);
        return $text;
    }

    // Starts a visit that the caller fills in and ends with `end`. `own` is the depth of the call
    // that the probe belongs to, `before` how many calls are open just before the record.
    public static function start($op, $i, $own, $before)
    {
        if (self::$given[$i] !== 0) {
            self::settle($i);
        }
        self::$f[$i] = 0;
        if (self::$mute !== 0) {
            self::look($i, $own, $before);
        }
        self::$visits[$i]++;
        self::$site = $i;
        self::$o = $op . ($i < 128 ? self::$B[$i] : self::varint($i));
    }

    // Ends the mute if this probe lies outside it.
    public static function look($i, $own, $before)
    {
        if (self::$mute === self::IN_LOOP) {
            if ($own < self::$muteDepth || ($own === self::$muteDepth
                && ($i < self::$muteFrom || $i > self::$muteTo))) {
                self::unmute($before);
            }
        } elseif (self::$mute === self::IN_CALL && $own < self::$muteDepth) {
            self::unmute($before);
        }
    }

    public static function end($i, $depth)
    {
        if (self::$mute === 0) {
            $length = \strlen(self::$o);
            $next = self::$position + $length;
            if ($next <= self::$quickEnd && self::$events < self::$budgetEvents) {
                \FFI::memcpy(self::$map + self::$position, self::$o, $length);
                self::$position = $next;
                self::$bytes += $length;
                self::$events++;
                return;
            }
            self::write();
            return;
        }
        if (self::$seen[$i] < 2) {
            if (self::$seen[$i]++ === 0) {
                self::$touched[] = $i;
            }
            if (self::$mute !== self::SPENT ? self::affords() : self::$visits[$i] <= 2) {
                self::keep($depth);
                return;
            }
        }
        self::leave($i);
    }

    // Counts a visit instead of recording it, with its record as the last one.
    private static function leave($i)
    {
        $left = ++self::$left[$i];
        if (\strlen(self::$o) <= self::$slotSize - 17) {
            self::$record[$i] = self::$o;
            self::$kept[$i] = self::$visits[$i];
        } else {
            self::$record[$i] = '';
            self::$kept[$i] = 0;
        }
        if (self::$mute !== self::IN_LOOP || ($i >= self::$muteFrom && $i <= self::$muteTo)
            || self::$function[$i] !== self::$function[self::$muteFrom]) {
            $more = $left < self::FIRST_FUEL ? self::FIRST_FUEL
                : ($left > self::MOST_FUEL ? self::MOST_FUEL : $left);
            self::$given[$i] = $more;
            self::$f[$i] = $more;
        }
        if (\hrtime(true) - self::$lastFlush > self::FLUSH_EVERY) {
            self::flush();
        }
    }

    // Counts a visit of a site that has had its share, whether anything is muted or not.
    public static function count($i)
    {
        if (self::$given[$i] !== 0) {
            self::settle($i);
        }
        self::$f[$i] = 0;
        if (self::$mute !== 0) {
            self::look($i, self::$d, self::$d);
        }
        self::$visits[$i]++;
        self::$site = $i;
        if (self::$seen[$i] < 2) {
            self::$seen[$i] = 2;
            self::$touched[] = $i;
        }
        self::$o = '';
        self::leave($i);
        self::$kept[$i] = 0;
    }

    // The end of what was told already: it follows whatever the budget says.
    public static function answer($text)
    {
        if (self::$mute !== 0) {
            self::append(self::DEPTH . self::varint(\max(self::$d, 0)));
        }
        if (self::append($text)) {
            self::$events++;
        }
    }

    // Adds what a site burnt since it was given fuel.
    private static function settle($i)
    {
        $rest = self::$f[$i];
        $burnt = self::$given[$i] - ($rest < 0 ? 0 : $rest);
        self::$given[$i] = 0;
        self::$f[$i] = 0;
        if ($burnt === 0) {
            return;
        }
        self::$visits[$i] += $burnt;
        self::$left[$i] += $burnt;
        if ((self::$record[$i][0] ?? '') === self::STEP) {
            self::$kept[$i] = self::$visits[$i];
        }
    }

    public static function affords()
    {
        return self::$events < self::$budgetEvents && self::$bytes < self::$budgetBytes;
    }

    // Writes the record in hand.
    public static function write()
    {
        if (self::$events >= self::$budgetEvents || self::$bytes >= self::$budgetBytes) {
            self::spend(self::$events < self::$budgetEvents ? 1 : 0);
            return;
        }
        if (!self::append(self::$o)) {
            self::spend(2);
            return;
        }
        self::$events++;
    }

    // Writes it within a gap.
    private static function keep($depth)
    {
        self::append(self::DEPTH . self::varint($depth));
        self::append(self::$o);
        self::$events++;
    }

    private static function spend($which)
    {
        if (self::$mute === self::SPENT) {
            return;
        }
        self::$mute = self::SPENT;
        self::$muteDepth = -1;
        self::append(self::LIMIT . self::$B[$which]);
        // The record in hand is the first one left out.
        $op = self::$o[0] ?? '';
        if ($op !== '' && $op !== self::STDOUT && $op !== self::TASK) {
            $i = self::$site;
            self::$seen[$i] = 2;
            self::$touched[] = $i;
            if (self::$visits[$i] <= 2) {
                self::keep(self::$d);
            } else {
                self::leave($i);
            }
        }
    }

    public static function muteLoop($i)
    {
        self::$mute = self::IN_LOOP;
        self::$muteDepth = self::$d;
        self::$muteFrom = $i;
        self::$muteTo = self::$loopEnd[$i];
    }

    public static function muteCall()
    {
        self::$mute = self::IN_CALL;
        self::$muteDepth = self::$d;
    }

    // Ends a mute: says what was left out, and goes on recording.
    public static function unmute($depth)
    {
        self::$mute = self::OPEN;
        self::$muteDepth = -1;
        $touched = self::$touched;
        \sort($touched);
        foreach ($touched as $i) {
            if (self::$given[$i] !== 0) {
                self::settle($i);
            }
            self::$seen[$i] = 0;
            $count = self::$left[$i];
            if ($count === 0 || !self::affords()) {
                continue;
            }
            $record = self::$kept[$i] !== 0 ? self::$record[$i] : '';
            if (!self::append(self::ELIDE . self::varint($i) . self::varint($count)
                . self::varint(\strlen($record)) . $record)) {
                continue;
            }
            self::$events++;
            self::$left[$i] = 0;
            self::$kept[$i] = 0;
            self::$record[$i] = '';
            if (self::$flushed) {
                self::slot($i);
            }
        }
        self::$touched = [];
        self::append(self::DEPTH . self::varint($depth));
    }

    // Eight bytes; `pack` has no format for them where numbers have four.
    private static function long($n)
    {
        return \PHP_INT_SIZE === 8 ? \pack('P', $n) : \pack('VV', $n, 0);
    }

    // A slot's count is that of all processes together: each adds what it has not told yet.
    private static function slot($i)
    {
        $record = self::$kept[$i] !== 0 ? (self::$record[$i] ?? '') : '';
        $at = self::$slotsAt + $i * self::$slotSize;
        $rest = \str_pad(self::long(self::$kept[$i]) . \chr(\strlen($record)) . $record,
            self::$slotSize - 8, "\0");
        if (self::$mayFork) {
            $more = self::$left[$i] - self::$told[$i];
            Trc0_Region::exchange($at, 'P', static function ($count) use ($more) {
                return \max($count + $more, 0);
            });
            Trc0_Region::put($at + 8, $rest);
        } else {
            Trc0_Region::put($at, self::long(self::$left[$i]) . $rest);
        }
        self::$told[$i] = self::$left[$i];
    }

    // Writes the slots of everything that was left out so far.
    public static function flush()
    {
        if (self::$mayFork && \getmypid() !== self::$process) {
            self::forked(0, false);
        }
        self::$flushed = true;
        foreach (\array_unique(self::$touched) as $i) {
            if (self::$given[$i] !== 0 && self::$f[$i] !== self::$given[$i]) {
                $rest = self::$f[$i] < 0 ? 0 : self::$f[$i];
                self::settle($i);
                // No more than was left: when the next record comes must not hang on the clock.
                self::$given[$i] = self::$f[$i] = $rest;
            }
            self::slot($i);
        }
        self::$lastFlush = \hrtime(true);
    }

    // Loops that are running, innermost last: site, depth, count, events then, quarter of the
    // events left, bytes then, quarter of the bytes left.
    public static function enterLoop($i)
    {
        self::dropLoops($i);
        $events = (self::$budgetEvents - self::$events) >> 2;
        $bytes = (self::$budgetBytes - self::$bytes) >> 2;
        self::$loops[] = [$i, self::$d, 0, self::$events, $events < 64 ? 64 : $events,
            self::$bytes, $bytes < 4096 ? 4096 : $bytes];
    }

    // Forgets loops that were left by a return or an error.
    public static function dropLoops($i)
    {
        for ($at = \count(self::$loops) - 1; $at >= 0; $at--) {
            $top = self::$loops[$at];
            if ($top[1] < self::$d || ($top[1] === self::$d && $i > $top[0]
                && $i <= self::$loopEnd[$top[0]])) {
                return;
            }
            \array_pop(self::$loops);
        }
        self::$loops = [];
    }

    // Where the running loop of this site stands, after forgetting those inside it.
    public static function runningLoop($i)
    {
        for ($at = \count(self::$loops) - 1; $at >= 0; $at--) {
            if (self::$loops[$at][0] === $i && self::$loops[$at][1] === self::$d) {
                while (\count(self::$loops) > $at + 1) {
                    \array_pop(self::$loops);
                }
                return $at;
            }
            if (self::$loops[$at][1] < self::$d) {
                break;
            }
        }
        self::enterLoop($i);
        return \count(self::$loops) - 1;
    }

    // Code may run that forks: whose process this is must be asked from now on.
    public static function beware()
    {
        self::$mayFork = true;
        self::$quickEnd = 0;
    }

    // This is a forked child: it goes on in a stream and a segment of its own. `told` is whether its
    // parent knows of it.
    public static function forked($ordinal, $told)
    {
        self::$process = \getmypid();
        self::$position = self::$end = self::$quickEnd = 0;
        self::$full = !Trc0_Region::share($told);
        // What the parent left out, the parent tells.
        foreach (self::$touched as $i) {
            if (self::$given[$i] !== 0) {
                self::settle($i);
            }
            self::$left[$i] = self::$told[$i] = self::$kept[$i] = 0;
            self::$record[$i] = '';
        }
        $parent = self::$stream;
        self::$stream = self::take(68, 0x7fffffff);
        if (!self::$full) {
            self::claim(\pack('VV', $parent + 1, 2) . self::$nonce
                . \pack('VV', self::$site, $ordinal));
        }
    }
}
