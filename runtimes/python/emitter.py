"""Writes the trace stream. See `FORMAT.md` of the stream for records, budgets and muting.

Each probe is a closure of its own in `builtins`, so that a probe costs one call and no look-ups.
It stands there in one of three forms, swapped as recording goes on and off: *recording*; *first
visits* of a muted stretch, still recorded; *counting*, which only counts and keeps a scalar.
"""
import sys
import builtins


class Emitter:
    """The probes' common state. `register` adds probes by name."""

    def __init__(self, channel, plan, values, load):
        import atexit
        import posix
        from mmap import mmap, MAP_SHARED
        from _thread import get_ident

        fd = private_descriptor(channel)
        mm = mmap(fd, 0, MAP_SHARED)
        word = lambda at: int.from_bytes(mm[at:at + 4], "little")
        half = lambda at: int.from_bytes(mm[at:at + 2], "little")
        nonce = mm[8:16]
        slots_at, slot_count, slot_size = word(24), word(28), word(32)
        segments, first_segment, segment_size = word(36), word(40), word(44)
        total_events, total_bytes = word(48), word(52)
        varint, exc_info, getframe = values["varint"], sys.exc_info, sys._getframe
        space = builtins.__dict__

        # Where the next record goes; `end` is the segment's end.
        pos = end = 0
        left = total_events or 1 << 62
        bytes_left = total_bytes or 1 << 62
        depth = 0
        # Muting: the depth below which it ends; -1 while recording.
        floor = -1
        muted_loop = 0
        exhausted = False
        stream = 0
        names = {}
        recording, first, counting, outside = {}, {}, {}, {}
        kept = {}
        flushers = []
        began = []
        loop_ranges = {}
        emitter_file = Emitter.__init__.__code__.co_filename

        # Segments and records.

        def claim(what=None, parent=0):
            """Begins a new segment; without one left the rest is only counted."""
            nonlocal pos, end, stream
            lock(True)
            try:
                number = word(64)
                if number >= segments:
                    pos = end = 0
                    return False
                mm[64:68] = (number + 1).to_bytes(4, "little")
                if what is not None:
                    stream = word(68)
                    mm[68:72] = (stream + 1).to_bytes(4, "little")
            finally:
                lock(False)
            at = first_segment + number * segment_size
            head = stream.to_bytes(4, "little") + parent.to_bytes(4, "little") \
                + (what or 0).to_bytes(4, "little") + nonce + bytes(8)
            mm[at + 4:at + 32] = head
            mm[at:at + 4] = b"SEG1"
            pos, end = at + 32, at + segment_size
            return True

        def lock(on):
            try:
                from fcntl import lockf, LOCK_EX, LOCK_UN
                lockf(fd, LOCK_EX if on else LOCK_UN)
            except (ImportError, OSError):
                pass

        def raw(data):
            """Writes a record that is no event."""
            nonlocal pos
            after = pos + len(data)
            if after > end:
                if not pos or len(data) > segment_size - 32 or not claim():
                    return False
                after = pos + len(data)
            mm[pos:after] = data
            pos = after
            return True

        def record(data):
            """Writes an event."""
            nonlocal pos, left, bytes_left
            after = pos + len(data)
            if after > end:
                if not raw(data):
                    if not exhausted:
                        exhaust(2)
                    return
            else:
                mm[pos:after] = data
                pos = after
            left -= 1
            bytes_left -= len(data)
            if left <= 0 or bytes_left <= 0:
                if not exhausted and floor < 0:
                    exhaust(0 if left <= 0 else 1)

        interned = {}

        def intern(name):
            number = interned.get(name)
            if number is None:
                number = len(interned) + 1
                interned[name] = number
                data = name.encode("utf-8", "backslashreplace")[:1024]
                raw(b"\x0e" + varint(number) + varint(len(data)) + data)
            return number

        capturer = values["Values"](intern, mm[56], half(58), half(60), half(62))
        capture, scalars = capturer.capture, capturer.scalars

        # Muting.

        def mute(limit, loop):
            """Goes over to counting until the depth falls below `limit` or the loop is left."""
            nonlocal floor, muted_loop
            floor, muted_loop = limit, loop
            space.update(first)
            if loop:
                low, high = loop_ranges.get(loop, (loop, loop))
                for name, number in outside_names(low, high):
                    space[name] = outside[name]

        def outside_names(low, high):
            return [(name, number) for name, number in names.items()
                    if not low <= number <= high and name[4] not in "io" and name in outside]

        def unmute():
            """Ends a muted stretch: what was left out is told, and recording resumes."""
            nonlocal floor, muted_loop
            if exhausted:
                return
            floor, muted_loop = -1, 0
            for flush in flushers:
                flush(True)
            raw(b"\x0d" + varint(max(depth, 0)))
            space.update(recording)
            if left <= 0 or bytes_left <= 0:
                exhaust(0 if left <= 0 else 1)

        def exhaust(which):
            nonlocal exhausted, floor
            exhausted = True
            floor = -1
            raw(b"\x0f" + varint(which))
            space.update(first)

        def refresh_all():
            for flush in flushers:
                flush(False)

        def still_first(name, limit=2):
            """Whether a muted visit is still recorded; afterwards the counting form stands."""
            count = kept.get(name, 0) + 1
            kept[name] = count
            if count >= limit:
                space[name] = counting[name]
            raw(b"\x0d" + varint(max(depth, 0)))

        def true_depth():
            """Counts the frames of instrumented code; for when returns may have gone unseen."""
            frame, count = getframe(2), -1
            while frame is not None:
                if frame.f_code in codes:
                    count += 1
                frame = frame.f_back
            return max(count, 0)

        codes = ()

        def slot(number):
            """A writer of the site's slot, and of its ELIDE when a muted stretch ends."""
            at = slots_at + number * slot_size
            fits = number < slot_count
            head = varint(number)

            def write(count, last, elide):
                if elide:
                    if count:
                        raw(b"\x0c" + head + varint(count) + varint(len(last)) + last)
                    if fits:
                        mm[at:at + 17] = bytes(17)
                elif fits and count:
                    if len(last) > slot_size - 17:
                        last = b""
                    mm[at:at + 17 + len(last)] = count.to_bytes(8, "little") \
                        + (count if last else 0).to_bytes(8, "little") + bytes((len(last),)) + last
            return write

        # The recursion limit: the interpreter's is raised by what probes need; the subject's own is
        # enforced where a function begins. `near` is the depth at which it must be looked at again.
        headroom = 120
        limit = sys.getrecursionlimit()
        raise_limit = sys.setrecursionlimit
        near = 50
        overflow = [None]

        def real_depth():
            try:
                raise_limit(1)
            except RecursionError as error:
                text = str(error).partition("at the recursion depth ")[2].partition(":")[0]
                return int(text)
            return 0

        def check_depth():
            """Raises as the interpreter would have on calling the function that now began."""
            nonlocal near, depth
            # Two frames of ours, and before 3.12 the call of the built-in, count as well.
            at = real_depth() - own_frames
            if at > limit:
                depth -= 1
                near = depth
                error = RecursionError("maximum recursion depth exceeded")
                overflow[0] = id(error)
                raise error
            near = depth + max(1, (limit - at) // 4)

        def get_limit():
            return limit

        def set_limit(n, /):
            nonlocal limit, near
            if type(n) is int and 0 < n < 1 << 30:
                raise_limit(n + headroom)
                limit = n
                near = depth
            else:
                raise_limit(n)

        own_frames = 2

        def trim():
            """Takes frames of ours out of the traceback of the exception in flight."""
            error = exc_info()[1]
            place = error.__traceback__ if error is not None else None
            if place is None:
                return error
            following = place.tb_next
            while following is not None and following.tb_frame.f_code.co_filename == emitter_file:
                following = following.tb_next
            if overflow[0] == id(error):
                overflow[0] = None
                following = None
            if following is not place.tb_next:
                place.tb_next = following
            return error

        # Errors.

        def message(error):
            args = BaseException.args.__get__(error)
            if type(args) is tuple and len(args) == 1 and type(args[0]) is str:
                return capture(args[0])
            if type(args) is tuple and args:
                return capture(args)
            return b"\0"

        def type_name(error):
            return capture(type.__dict__["__name__"].__get__(type(error)))

        def frames_of(error):
            """Function and line of each frame left, innermost first."""
            found = []
            place = error.__traceback__
            while place is not None:
                code = place.tb_frame.f_code
                if code.co_filename != emitter_file:
                    found.append(varint(intern(code.co_name)) + varint(place.tb_lineno or 0))
                place = place.tb_next
            found.reverse()
            return found[:64]

        def error_record(head, phase, error, frames):
            line = 0
            place = error.__traceback__
            while place is not None:
                line = place.tb_lineno or line
                place = place.tb_next
            found = frames_of(error) if frames else []
            return head + phase + type_name(error) + message(error) + varint(line) \
                + varint(len(found)) + b"".join(found)

        # Probes by letter. Each makes (recording form, counting form).

        def make_s(name, number):
            data = b"\x01" + varint(number)
            size = len(data)
            n = 0
            write = slot(number)

            def step():
                nonlocal pos, left, bytes_left
                after = pos + size
                if after > end or left < 2 or bytes_left < 64:
                    return record(data)
                mm[pos:after] = data
                pos = after
                left -= 1
                bytes_left -= size

            def count():
                nonlocal n
                n += 1
                if not n & 0xFFF:
                    write(n, data, False)

            def flush(elide):
                nonlocal n
                if n:
                    write(n, data, elide)
                    if elide:
                        n = 0
            flushers.append(flush)
            return step, count

        def values_probe(op, passing):
            def make(name, number):
                head = op + varint(number)
                one = head + b"\1"
                n = 0
                last = scalars
                write = slot(number)

                if passing:
                    def probe(x):
                        record(one + capture(x))
                        return x

                    def count(x):
                        nonlocal n, last
                        n += 1
                        if type(x) in scalars:
                            last = x
                        if not n & 0xFFF:
                            refresh(x)
                        return x
                else:
                    def probe(*xs):
                        if len(xs) == 1:
                            return record(one + capture(xs[0]))
                        record(head + varint(len(xs)) + b"".join([capture(x) for x in xs]))

                    def count(x=scalars, *xs):
                        nonlocal n, last
                        n += 1
                        if type(x) in scalars:
                            last = x
                        if not n & 0xFFF:
                            refresh(x)

                def refresh(x):
                    write(n, kept_record(), False)

                def kept_record():
                    return one + capture(last) if last is not scalars else b""

                def flush(elide):
                    nonlocal n, last
                    if n:
                        write(n, kept_record(), elide)
                        if elide:
                            n = 0
                            last = scalars
                flushers.append(flush)
                return probe, count
            return make

        def make_i(name, number):
            head = b"\x03" + varint(number)
            n = visits = 0
            write = slot(number)

            def enter(*xs):
                nonlocal depth, visits
                visits += 1
                if depth >= near:
                    depth += 1
                    check_depth()
                    depth -= 1
                record(head + varint(len(xs)) + b"".join([capture(x) for x in xs]))
                depth += 1
                if visits > 2 and floor < 0 and not exhausted and left * 4 < total_events:
                    mute(depth, 0)

            def count(*xs):
                nonlocal n, depth
                depth += 1
                n += 1
                if depth >= near:
                    check_depth()
                if not n & 0xFFF:
                    write(n, b"", False)

            def flush(elide):
                nonlocal n
                if n:
                    write(n, b"", elide)
                    if elide:
                        n = 0
            flushers.append(flush)
            return enter, count

        def make_m(name, number):
            enter, count = make_i(name, number)

            def begin():
                while began:
                    began.pop()()
                enter()
            return begin, begin

        def leaving(number, flags, passing):
            head = b"\x04" + varint(number)
            n = 0
            last = scalars
            write = slot(number)
            valued, bare = head + b"\1", head + flags

            def leave(x=None):
                nonlocal depth
                record(valued + capture(x) if passing else bare)
                depth -= 1
                return x

            def count(x=scalars):
                nonlocal n, depth, last
                n += 1
                depth -= 1
                if type(x) in scalars:
                    last = x
                if depth < floor:
                    below()
                elif not n & 0xFFF:
                    write(n, kept_record(), False)
                if passing:
                    return x

            def kept_record():
                return valued + capture(last) if passing and last is not scalars else (b"" if passing else bare)

            def flush(elide):
                nonlocal n, last
                if n:
                    write(n, kept_record(), elide)
                    if elide:
                        n = 0
                        last = scalars
            flushers.append(flush)
            return leave, count

        def below():
            unmute()

        def make_r(name, number):
            return leaving(number, b"", True)

        def make_o(name, number):
            leave, count = leaving(number, b"", True)
            return (lambda: leave(None) and None), (lambda: count(None) and None)

        def make_x(name, number):
            leave, count = leaving(number, b"\2", False)

            def unwind():
                error = trim()
                leave()

            def quiet():
                trim()
                count()
            return unwind, quiet

        def make_truth(arm, op):
            """A branch's or loop's arm; both arms of a site share their count."""
            def make(name, number):
                shared = pairs.get(number)
                if shared is None:
                    shared = pairs[number] = make_pair(number)
                return shared[arm]
            return make

        pairs = {}

        def make_pair(number):
            head = varint(number)
            n = 0
            last = False
            write = slot(number)
            yes, no = b"\x05" + head + b"\1\0", b"\x05" + head + b"\0\0"

            def true():
                record(yes)
                return True

            def false():
                record(no)
                return False

            def count_true():
                nonlocal n, last
                n += 1
                last = True
                if not n & 0xFFF:
                    write(n, yes, False)
                return True

            def count_false():
                nonlocal n, last
                n += 1
                last = False
                if not n & 0xFFF:
                    write(n, no, False)
                return False

            def flush(elide):
                nonlocal n
                if n:
                    write(n, yes if last else no, elide)
                    if elide:
                        n = 0
            flushers.append(flush)
            return (false, count_false), (true, count_true)

        def make_arm(name, number):
            arm = int(name.rpartition("_")[2])
            data = b"\x05" + varint(number) + varint(arm) + b"\0"
            n = 0
            write = slot(number)

            def taken():
                record(data)

            def count():
                nonlocal n
                n += 1
                if not n & 0xFFF:
                    write(n, data, False)

            def flush(elide):
                nonlocal n
                if n:
                    write(n, data, elide)
                    if elide:
                        n = 0
            flushers.append(flush)
            return taken, count

        loops = {}

        def loop_of(number):
            parts = loops.get(number)
            if parts is None:
                parts = loops[number] = make_loop(number)
            return parts

        def make_loop(number):
            head = b"\x06" + varint(number)
            entered, left_, around = head + b"\0\0", head + b"\2\0", head + b"\1"
            bare, one = around + b"\0", around + b"\1"
            n = k = 0
            started = quota = 0
            last = scalars
            write = slot(number)

            def begin():
                nonlocal k, started, quota
                k = 0
                started, quota = left, max(64, left >> 2)
                record(entered)

            def enter(x):
                begin()
                return x

            def enter_count(x):
                return x

            def begin_count():
                pass

            def iterate(*xs):
                nonlocal k
                k += 1
                if k > 2 and started - left > quota and floor < 0 and not exhausted:
                    mute(depth, number)
                    return space[own](*xs)
                if not xs:
                    record(bare)
                elif len(xs) == 1:
                    record(one + capture(xs[0]))
                else:
                    record(around + varint(len(xs)) + b"".join([capture(x) for x in xs]))

            def count(x=scalars, *xs):
                nonlocal n, last
                n += 1
                if type(x) in scalars:
                    last = x
                if not n & 0xFFF:
                    write(n, kept_record(), False)

            def iterate_true():
                iterate()
                return True

            def count_true():
                nonlocal n
                n += 1
                if not n & 0xFFF:
                    write(n, bare, False)
                return True

            def kept_record():
                return one + capture(last) if last is not scalars else b""

            def leave(x=None):
                record(left_)
                return x

            def leave_count(x=None):
                if muted_loop == number and depth <= floor:
                    unmute()
                    record(left_)
                return x

            def leave_false():
                record(left_)
                return False

            def leave_false_count():
                leave_count()
                return False

            def flush(elide):
                nonlocal n, last
                if n:
                    write(n, kept_record() if last is not scalars else bare, elide)
                    if elide:
                        n = 0
                        last = scalars
            flushers.append(flush)
            own = "_tr_l%d" % number
            if own not in names:
                own = "_tr_t%d" % number
            return {"e": (enter, enter_count), "w": (begin, begin_count), "l": (iterate, count),
                    "z": (leave, leave_count), "t": (iterate_true, count_true),
                    "f": (leave_false, leave_false_count), "y": (leave, leave_count)}

        def make_loop_part(letter):
            return lambda name, number: loop_of(number)[letter]

        def make_h(name, number):
            """A handler begins: the error was caught here."""
            head = b"\x07" + varint(number)
            n = 0
            write = slot(number)

            def caught():
                nonlocal depth
                error = trim()
                depth = true_depth() or depth
                if error is not None:
                    record(error_record(head, b"\1", error, True))

            def count():
                nonlocal n, depth
                trim()
                n += 1

            def flush(elide):
                nonlocal n
                if n:
                    write(n, b"", elide)
                    if elide:
                        n = 0
            flushers.append(flush)
            return caught, count

        def make_g(name, number):
            """`raise`: passes the exception (or its class) through."""
            head = b"\x07" + varint(number)
            n = 0
            write = slot(number)

            def describe(x):
                if isinstance_exact(x):
                    return head + b"\0" + type_name(x) + message(x) + b"\0\0"
                kind = x if type_is_error(x) else None
                if kind is not None:
                    return head + b"\0" + capture(type.__dict__["__name__"].__get__(kind)) + b"\0\0\0"
                return head + b"\0" + capture("?") + b"\0\0\0"

            def raised(x=None):
                error = x if x is not None else exc_info()[1]
                record(describe(error))
                return x

            def count(x=None):
                nonlocal n
                n += 1
                return x

            def flush(elide):
                nonlocal n
                if n:
                    write(n, b"", elide)
                    if elide:
                        n = 0
            flushers.append(flush)
            return raised, count

        def isinstance_exact(x):
            return BaseException in type.__dict__["__mro__"].__get__(type(x))

        def type_is_error(x):
            mro = type.__dict__["__mro__"].__get__(type(x))
            return type in mro and BaseException in type.__dict__["__mro__"].__get__(x)

        def make_n(name, number):
            """`del`: the names are unbound now."""
            data = b"\x02" + varint(number)

            def unbound(k=1):
                record(data + varint(k) + b"\x09" * k)

            def count(k=1):
                pass
            return unbound, count

        # Places read again, safely.

        missing = object()
        type_mro = type.__dict__["__mro__"].__get__
        type_dict = type.__dict__["__dict__"].__get__
        object_get = object.__getattribute__
        getset = type(type(make_n).__dict__["__code__"])
        keys = frozenset((int, str, bool, float, bytes, type(None)))

        def plain_dict(x):
            """The object's own attributes, if reading them runs no code of the subject."""
            for base in type_mro(type(x)):
                found = type_dict(base).get("__dict__")
                if found is not None:
                    return object_get(x, "__dict__") if type(found) is getset else None
            return None

        def attribute(x, name):
            kind = type(x)
            if kind is module_type:
                return object_get(x, "__dict__").get(name, missing)
            for base in type_mro(kind):
                found = type_dict(base).get(name)
                if found is not None:
                    if type(found) is member_type:
                        return found.__get__(x)
                    if hasattr_data(found):
                        return missing
                    break
            space_ = plain_dict(x)
            return space_.get(name, missing) if type(space_) is dict else missing

        def hasattr_data(found):
            """Whether a class attribute takes precedence over the instance's."""
            return any("__set__" in type_dict(base) for base in type_mro(type(found)))

        member_type = type(values["_Slot"].a)
        module_type = type(sys)

        def place(x, steps):
            """Follows attribute names and (index,) tuples from an object."""
            try:
                for way in steps:
                    if type(way) is str:
                        x = attribute(x, way)
                        if x is missing:
                            return missing
                    else:
                        key = way[0]
                        kind = type(x)
                        if type(key) not in keys:
                            return missing
                        if kind is list or kind is tuple or kind is bytearray:
                            if type(key) is not int:
                                return missing
                            x = x[key]
                        elif kind is dict:
                            x = x[key]
                        else:
                            base = derived_dict(kind)
                            if base is None:
                                return missing
                            x = dict.__getitem__(x, key) if dict.__contains__(x, key) else missing
                            if x is missing:
                                return missing
                return x
            except Exception:
                return missing

        def derived_dict(kind):
            """`defaultdict` and `Counter` store plainly."""
            return dict if type(type_name_of(kind)) is str and type_name_of(kind) in ("defaultdict", "Counter", "OrderedDict") \
                and dict in type_mro(kind) else None

        type_name_of = type.__dict__["__name__"].__get__

        def make_k(name, number):
            """An augmented write to an attribute or element: the value there now."""
            full, short = letters["v"](name, number)

            def probe(x, *steps):
                value = place(x, steps)
                if value is not missing:
                    full(value)

            def count(x, *steps):
                short()
            return probe, count

        # Containers changed in place: `b` before the call, `j` behind it.

        before = {}
        containers = frozenset((list, dict, set, bytearray)) | {type_ for type_ in (deque_type(),) if type_}

        def make_b(name, number):
            def probe(x, *steps):
                if steps:
                    x = place(x, steps)
                before[number] = capture(x) if type(x) in containers else None

            def count(x, *steps):
                pass
            return probe, count

        def make_j(name, number):
            head = b"\x08" + varint(number)
            n = 0
            write = slot(number)

            def probe(x, *steps):
                was = before.get(number)
                if was is None:
                    return
                before[number] = None
                if steps:
                    x = place(x, steps)
                if type(x) in containers:
                    record(head + was + capture(x))

            def count(x, *steps):
                nonlocal n
                n += 1
                if not n & 0xFFF:
                    write(n, b"", False)

            def flush(elide):
                nonlocal n
                if n:
                    write(n, b"", elide)
                    if elide:
                        n = 0
            flushers.append(flush)
            return probe, count

        # Suspension.

        def make_d(name, number):
            """`yield` or `await`: out, but not left."""
            head = b"\x04" + varint(number) + b"\5"
            n = 0
            last = scalars
            write = slot(number)

            def suspend(x):
                nonlocal depth
                record(head + capture(x))
                depth -= 1
                return x

            def count(x):
                nonlocal n, depth, last
                n += 1
                depth -= 1
                if type(x) in scalars:
                    last = x
                if depth < floor:
                    unmute()
                return x

            def flush(elide):
                nonlocal n, last
                if n:
                    write(n, head + capture(last) if last is not scalars else b"", elide)
                    if elide:
                        n = 0
                        last = scalars
            flushers.append(flush)
            return suspend, count

        def make_c(name, number):
            """Resumed, with the value sent in."""
            head = b"\x10" + varint(number) + b"\1"
            n = 0
            write = slot(number)

            def resume(x):
                nonlocal depth
                record(head + capture(x))
                depth += 1
                return x

            def count(x):
                nonlocal n, depth
                n += 1
                depth += 1
                return x

            def flush(elide):
                nonlocal n
                if n:
                    write(n, b"", elide)
                    if elide:
                        n = 0
            flushers.append(flush)
            return resume, count

        def make_G(name, number):
            """`finally` begins: what is in flight, if it is this frame's."""
            head = b"\x07" + varint(number)

            def passing():
                error = exc_info()[1]
                if error is None:
                    return
                tb = error.__traceback__
                if tb is not None and tb.tb_frame is getframe(1):
                    trim()
                    record(error_record(head, b"\2", error, True))

            def count():
                pass
            return passing, count

        letters = {
            "k": make_k, "b": make_b, "j": make_j, "d": make_d, "c": make_c, "G": make_G,
            "s": make_s, "v": values_probe(b"\2", False), "u": values_probe(b"\2", True), "i": make_i,
            "m": make_m, "r": make_r, "o": make_o, "x": make_x, "a": make_arm, "h": make_h, "g": make_g,
            "n": make_n,
        }
        for letter in "elwzy":
            letters[letter] = make_loop_part(letter)

        def truth(arm):
            make = make_truth(arm, b"\5")
            letter = "tf"[1 - arm]

            def choose(name, number):
                if "_tr_w%d" % number in names:
                    return loop_of(number)[letter]
                return make(name, number)
            return choose

        letters["t"], letters["f"] = truth(1), truth(0)

        def register(found):
            """Makes the probes of these names."""
            for name in found:
                names[name] = int(name[5:].partition("_")[0])
            for name in found:
                number = names[name]
                full, short = letters[name[4]](name, number)
                recording[name], counting[name] = full, short
                first[name] = first_form(name, full)
                if name[4] in "svut":
                    outside[name] = outside_form(name, full)
            space.update({name: recording[name] for name in found} if floor < 0 and not exhausted
                         else {name: first[name] for name in found})

        def first_form(name, full):
            def visit(*xs):
                still_first(name)
                return full(*xs)
            if name[4] in "ewyzm":
                return counting[name]
            return visit

        def outside_form(name, full):
            def visit(*xs):
                nonlocal depth
                if depth <= floor:
                    unmute()
                    return full(*xs)
                return counting[name](*xs)
            return visit

        self.register = register
        self.when_main_begins = began.append
        claim(0)
        raise_limit(limit + headroom)
        sys.getrecursionlimit, sys.setrecursionlimit = get_limit, set_limit
        atexit.register(refresh_all)


def deque_type():
    try:
        from _collections import deque
    except ImportError:
        return None
    return deque


def private_descriptor(channel):
    """The channel under a high number, out of the way of the program's own descriptors."""
    import fcntl
    import posix

    for lowest in (200, 60, 10):
        try:
            fd = fcntl.fcntl(channel, fcntl.F_DUPFD_CLOEXEC, lowest)
        except OSError:
            continue
        posix.close(channel)
        return fd
    return channel
