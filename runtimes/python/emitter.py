"""Writes the trace stream. See `FORMAT.md` of the stream for records, budgets and muting.

Each probe is a closure of its own in `builtins`, so that a probe costs one call and no look-ups.
It stands there in one of several forms, swapped as recording goes on and off: *recording*; *first*
visits of a muted stretch, still recorded; *counting*, which only counts and keeps a scalar;
*outside* a muted loop, which ends the stretch; *null*, in C, where probes must not be seen.

One function holds all of it, since its local variables are the state the closures share.
"""
import posix
import sys
import builtins

OURS = (lambda: 0).__code__.co_filename
# Visits between two refreshes of the slots, at least.
PERIOD = 512
# More visits than a process can make.
ENDLESS = min(1 << 62, sys.maxsize)


class Emitter:
    """`register` makes probes by name. `space` is where they stand."""

    def __init__(self, channel, plan, values, load):
        from _functools import partial
        from itertools import repeat
        from _thread import get_ident

        mm = region(channel)
        word = lambda at: int.from_bytes(mm[at:at + 4], "little")
        half = lambda at: int.from_bytes(mm[at:at + 2], "little")
        nonce = mm[8:16]
        slots_at, slot_count, slot_size = word(24), word(28), word(32)
        segments, first_segment, segment_size = word(36), word(40), word(44)
        total_events, total_bytes = word(48) or 1 << 60, word(52) or 1 << 60
        varint, exc_info, getframe = values["varint"], sys.exc_info, sys._getframe
        space = builtins.__dict__
        write, seek, tell = mm.write, mm.seek, mm.tell
        int_, str_, float_, bool_, none, type_ = int, str, float, bool, type(None), type
        unknown = object()

        # Bytes left in the segment, less a reserve: a probe that interrupts another between the
        # two halves of a record's accounting cannot overrun.
        room = -1
        reserve = 2048
        left = total_events
        depth = stream = claimed = children = 0
        # Muting: it ends below this depth; -1 while recording.
        floor, muted_loop, exhausted, threads = -1, 0, False, False
        # By name: forms, and how to bring the counts up to date.
        names, recording, first, counting, flushers = {}, {}, {}, {}, {}
        kept, active, began, spent = {}, {}, [], []
        # Visits of loops and calls until the slots are refreshed.
        due = PERIOD
        loop_ranges = {}
        suspended = {}
        interned = {}

        # Segments and records.

        def claim(what=None, parent=None, ordinal=0):
            """Begins a segment; `what` begins a stream. Without a segment visits are only counted."""
            nonlocal room, stream, claimed, children
            lock(channel, True)
            try:
                number = word(64)
                if number >= segments:
                    room = -1
                    return False
                mm[64:68] = (number + 1).to_bytes(4, "little")
                if what is not None:
                    stream = word(68)
                    mm[68:72] = (stream + 1).to_bytes(4, "little")
                    children = 0
            finally:
                lock(channel, False)
            at = first_segment + number * segment_size
            words = (stream, 0 if parent is None else parent + 1, what or 0)
            mm[at + 4:at + 32] = b"".join([n.to_bytes(4, "little") for n in words]) + nonce \
                + bytes(4) + ordinal.to_bytes(4, "little")
            mm[at:at + 4] = b"SEG1"
            seek(at + 32)
            room = segment_size - 32 - reserve
            claimed += segment_size
            return True

        def raw(data):
            """Writes a record that is no event. False if there is no room for it."""
            nonlocal room
            size = len(data)
            room -= size
            if room < 0:
                if size > segment_size - 32 - reserve or not claim():
                    return False
                room -= size
            write(data)
            return True

        def record(data):
            """Writes an event."""
            nonlocal left
            if exhausted and claimed > total_bytes:
                return
            if not raw(data):
                exhausted or exhaust(2)
                return
            left -= 1
            if floor < 0 and not exhausted:
                if left <= 0:
                    exhaust(0)
                elif claimed > total_bytes:
                    exhaust(1)

        def intern(name):
            number = interned.get(name)
            if number is None:
                number = interned[name] = len(interned) + 1
                data = name.encode("utf-8", "backslashreplace")[:1024]
                raw(b"\x0e" + varint(number) + varint(len(data)) + data)
            return number

        capture = values["Values"](intern, mm[56], half(58), half(60), half(62)).capture

        def joined(head, xs):
            return head + varint(len(xs)) + b"".join([capture(x) for x in xs])

        # Muting.

        def mute(limit, loop):
            """Goes over to counting until the depth falls below `limit` or the loop is left."""
            nonlocal floor, muted_loop
            if threads:
                return
            floor, muted_loop = limit, loop
            space.update(first)
            if loop:
                space.update({name: outside_form(name) for name in recording if is_outside(name)})

        def unmute():
            """Ends a muted stretch: what was left out is told, and recording resumes."""
            nonlocal floor, muted_loop
            floor, muted_loop = -1, 0
            for flush in active.values():
                flush(True)
            active.clear()
            raw(b"\x0d" + varint(max(depth, 0)))
            if left <= 0:
                exhaust(0)
            else:
                space.update(recording)

        def exhaust(which):
            nonlocal exhausted, floor
            exhausted, floor = True, -1
            raw(b"\x0f" + varint(which))
            space.update(first)

        def refresh():
            """Brings the slots up to date."""
            nonlocal due
            due = max(PERIOD, 32 * len(active))
            for flush in active.values():
                flush(False)
            for flush in spent:
                flush(False)

        def first_form(name):
            """Visits of a muted stretch: two are recorded still, then the counting form stands."""
            full = recording[name]

            def visit(*xs):
                seen = kept.get(name, 0)
                if seen < 2:
                    kept[name] = seen + 1
                    raw(b"\x0d" + varint(max(depth, 0)))
                    return full(*xs)
                active[name] = flushers[name]
                form = counting[name](*xs)
                space[name] = form if not threads or name[4] not in "iroxdcDF" else guarded(form)
                return form(*xs)
            return visit

        def slot(number):
            """Writes the site's slot, or its ELIDE when a muted stretch ends."""
            at = slots_at + number * slot_size
            fits = number < slot_count
            head = b"\x0c" + varint(number)

            def store(count, last, elide):
                if not count:
                    return
                if elide:
                    raw(head + varint(count) + varint(len(last)) + last)
                    if fits:
                        mm[at:at + 17] = bytes(17)
                elif fits:
                    if len(last) > slot_size - 17:
                        last = b""
                    mm[at:at + 17 + len(last)] = count.to_bytes(8, "little") \
                        + (count if last else 0).to_bytes(8, "little") + bytes((len(last),)) + last
            return store

        # The recursion limit: the interpreter's is raised by what probes need, the subject's own is
        # enforced where a function begins. `near` is the depth at which to look at it again.
        headroom = 120
        limit = sys.getrecursionlimit()
        set_real_limit = sys.setrecursionlimit
        near = 0
        # Before 3.12 the call of a built-in counts, too.
        own_calls = 0 if sys.version_info >= (3, 12) else 1
        recent = sys.version_info >= (3, 9)
        overflow = None

        def subject_depth():
            """Calls under way as the interpreter counts them, without our own."""
            at = 0
            try:
                set_real_limit(1)
            except RecursionError as error:
                at = int(str_(error).partition("at the recursion depth ")[2].partition(":")[0])
            at -= own_calls
            # Who asks, and the probe; at a site's first visit what makes the probe, too.
            frame = getframe(0)
            while frame is not None and frame.f_code.co_filename == OURS:
                at -= 1
                frame = frame.f_back
            return at

        def check_depth():
            """Raises as the interpreter would have on calling the function that now began."""
            nonlocal near, depth, overflow
            at = subject_depth()
            if at > limit:
                depth -= 1
                near = max(depth - 8, 0)
                error = RecursionError("maximum recursion depth exceeded")
                overflow = id(error)
                raise error
            near = depth + max(0, (limit - at - 1) // 4)

        def getrecursionlimit():
            return limit

        def setrecursionlimit(n, /):
            nonlocal limit, near
            if type_(n) is int_ and 0 < n < 1 << 30:
                at = subject_depth() + own_calls
                # Until 3.9 the limit had to be well above.
                above = n if recent else n - 50 if n > 200 else 3 * (n >> 2)
                if at >= above:
                    raise RecursionError("cannot set the recursion limit to %d at the recursion "
                                         "depth %d: the limit is too low" % (n, at))
                set_real_limit(n + headroom)
                limit, near = n, 0
            else:
                set_real_limit(n)

        # Whether a frame of ours may stand between others, as those of a signal's handler do.
        between = False

        def shown():
            nonlocal between
            between = True

        def trim():
            """Takes frames of ours out of the traceback of the exception in flight, and counts the
            frames that it left without their own probe."""
            nonlocal depth, overflow
            error = exc_info()[1]
            place = error.__traceback__ if error is not None else None
            if place is None:
                return error
            following = place.tb_next
            while following is not None and following.tb_frame.f_code.co_filename == OURS:
                following = following.tb_next
            if overflow == id(error):
                overflow = None
                following = None
            if following is not place.tb_next:
                place.tb_next = following
            while following is not None and following.tb_frame.f_code.co_name == "<lambda>" \
                    and following.tb_frame.f_code.co_filename in sources:
                depth -= 1
                following = following.tb_next
            if suspended:
                resumed_by_error(place.tb_frame)
            while between and place is not None:
                following = place.tb_next
                while following is not None and following.tb_frame.f_code.co_filename == OURS:
                    place.tb_next = following = following.tb_next
                place = following
            return error

        def caller():
            """The frame of the subject that called the probe which asks."""
            frame = getframe(2)
            while frame.f_code.co_filename == OURS:
                frame = frame.f_back
            return frame

        sources = self.sources = set()

        def resumed_by_error(frame):
            """A waiting generator goes on with an error thrown in."""
            nonlocal depth
            number = suspended.pop(id(frame), None)
            if number is not None:
                if floor < 0 and not exhausted:
                    record(b"\x10" + varint(number) + b"\2")
                depth += 1

        # Forms. A maker gives the recording form, what makes the counting form from the arguments of
        # the visit that it begins with, and what brings the count up to date.

        def always(form):
            return lambda *xs: form

        def fixed(number, data, result=None):
            """A record without values. Counted by a C iterator that gives `result` for ever."""
            size = len(data)
            store = slot(number)
            counter = None

            def told():
                nonlocal room, left
                room -= size
                left -= 1
                if room < 0 or left <= 0:
                    room += size
                    left += 1
                    record(data)
                else:
                    write(data)
                return result

            def begin():
                nonlocal counter
                counter = repeat(result, ENDLESS)
                return counter.__next__

            def flush(elide):
                nonlocal counter
                if counter is not None:
                    store(ENDLESS - counter.__length_hint__(), data, elide)
                    if elide:
                        counter = None
            return told, begin, flush

        def arms(number, yes, no):
            """Both arms of a condition, which share a slot: (true, false)."""
            store = slot(number)
            counters = {}
            seen = [0, 0]

            def form(arm, data):
                result = bool_(arm)

                def told():
                    record(data)
                    return result

                def begin():
                    counters[arm] = counter = repeat(result, ENDLESS)
                    return counter.__next__
                return told, begin, flush

            def flush(elide):
                now = [ENDLESS - counters[arm].__length_hint__() if arm in counters else 0
                       for arm in (0, 1)]
                # Which came last is known only if the other did not come since the last look.
                last = no if now[1] == seen[1] else yes if now[0] == seen[0] else b""
                seen[:] = now
                store(now[0] + now[1], last, elide)
                if elide:
                    counters.clear()
                    seen[:] = 0, 0
            return form(1, yes), form(0, no)

        # Forms that carry values.

        def counted(number, head, passing=True):
            """Counting form of one value, which it passes on or not, and its flush."""
            n = 0
            last = unknown
            store = slot(number)

            if passing:
                def count(x):
                    nonlocal n, last
                    n += 1
                    kind = type_(x)
                    if kind is int_ or kind is str_ or kind is float_ or kind is bool_ or kind is none:
                        last = x
                    else:
                        last = unknown
                    return x
            else:
                def count(x):
                    nonlocal n, last, due
                    n += 1
                    kind = type_(x)
                    if kind is int_ or kind is str_ or kind is float_ or kind is bool_ or kind is none:
                        last = x
                    else:
                        last = unknown
                    due -= 1
                    if due < 0:
                        refresh()

            def flush(elide):
                nonlocal n, last
                store(n, b"" if last is unknown else head + capture(last), elide)
                if elide:
                    n = 0
                    last = unknown
            return count, flush

        def bare_count(number, result=None, ticks=False):
            """Counting form that keeps no value, and its flush."""
            n = 0
            store = slot(number)

            if ticks:
                def count(*xs):
                    nonlocal n, due
                    n += 1
                    due -= 1
                    if due < 0:
                        refresh()
                    return result
            else:
                def count(*xs):
                    nonlocal n
                    n += 1
                    return xs[0] if xs else None

            def flush(elide):
                nonlocal n
                store(n, b"", elide)
                if elide:
                    n = 0
            return count, flush

        def make_s(number, arity):
            return fixed(number, b"\x01" + varint(number))

        def nothing(elide):
            pass

        # Functions.

        def make_i(number, arity):
            head = b"\x03" + varint(number)
            n = visits = 0
            store = slot(number)

            def enter(*xs):
                nonlocal depth, visits
                depth += 1
                if depth > near:
                    check_depth()
                visits += 1
                record(joined(head, xs))
                if visits > 2 and floor < 0 and left * 4 < total_events and not exhausted:
                    mute(depth, 0)

            if arity == 0:
                def count():
                    nonlocal n, depth
                    depth += 1
                    if depth > near:
                        check_depth()
                    n += 1
                    if not n & 1023:
                        refresh()
            elif arity == 1:
                def count(x):
                    nonlocal n, depth
                    depth += 1
                    if depth > near:
                        check_depth()
                    n += 1
                    if not n & 1023:
                        refresh()
            else:
                def count(*xs):
                    nonlocal n, depth
                    depth += 1
                    if depth > near:
                        check_depth()
                    n += 1
                    if not n & 1023:
                        refresh()

            def flush(elide):
                nonlocal n
                store(n, b"", elide)
                if elide:
                    n = 0
            return enter, always(count), flush

        def make_m(number, arity):
            """The program's first statement is about to run."""
            def begin():
                while began:
                    began.pop()()
            return begin, always(begin), nothing

        def leaving(number, valued, data):
            """(recording, counting) for the end of a call; without `valued` it tells `data`."""
            n = 0
            last = unknown
            store = slot(number)

            def leave(x=None):
                nonlocal depth
                record(valued + capture(x) if valued else data)
                depth -= 1
                if depth < floor:
                    unmute()
                return x

            def count(x=None):
                nonlocal n, depth, last
                n += 1
                depth -= 1
                kind = type_(x)
                if kind is int_ or kind is none or kind is bool_ or kind is str_ or kind is float_:
                    last = x
                else:
                    last = unknown
                if depth < floor:
                    unmute()
                return x

            def flush(elide):
                nonlocal n, last
                store(n, data if not valued else b"" if last is unknown else valued + capture(last), elide)
                if elide:
                    n = 0
                    last = unknown
            return leave, count, flush

        def make_r(number, arity):
            leave, count, flush = leaving(number, b"\x04" + varint(number) + b"\1", b"")
            return leave, always(count), flush

        pending = {}

        def make_D(number, arity):
            """A return that code may still come behind; `F` at the end of the frame tells it."""
            head = b"\x04" + varint(number) + b"\1"
            count_, flush = counted(number, head)

            def returning(x):
                pending[id(caller())] = head + capture(x)
                return x

            def count(x):
                pending[id(caller())] = b""
                return count_(x)
            return returning, always(count), flush

        def make_F(number, arity):
            def leave():
                nonlocal depth
                if suspended and id(caller()) in suspended:
                    resumed_by_error(caller())
                data = pending.pop(id(caller()), None) if pending else None
                if data is not None:
                    if data:
                        record(data)
                    depth -= 1
                    if depth < floor:
                        unmute()
            return leave, always(leave), nothing

        def make_x(number, arity):
            """A call is unwound."""
            leave, count, flush = leaving(number, b"", b"\x04" + varint(number) + b"\2")

            def unwind():
                trim()
                pending and pending.pop(id(caller()), None)
                leave()

            def unwind_count():
                trim()
                pending and pending.pop(id(caller()), None)
                count()
            return unwind, always(unwind_count), flush

        def make_d(number, arity):
            """`yield` or `await`: out, but not left. `c` comes when it goes on."""
            tell_, count_, flush = leaving(number, b"\x04" + varint(number) + b"\5", b"")

            def suspend(x):
                suspended[id(caller())] = number + 1
                return tell_(x)

            def count(x):
                suspended[id(caller())] = number + 1
                return count_(x)
            return suspend, always(count), flush

        def make_c(number, arity):
            head = b"\x10" + varint(number) + b"\1"
            count_, flush = counted(number, head)

            def resume(x):
                nonlocal depth
                suspended.pop(id(caller()), None)
                record(head + capture(x))
                depth += 1
                return x

            def count(x):
                nonlocal depth
                suspended.pop(id(caller()), None)
                depth += 1
                return count_(x)
            return resume, always(count), flush

        # Branches and loops.

        pairs, loops, operands = {}, {}, {}

        def make_Q(number, arity, index):
            """An operand of a condition, told with the arm that it leads to."""
            parts = operands.setdefault(number, [])

            def seen(x):
                del parts[index:]
                parts.append(capture(x))
                return x
            return seen, always(partial({}.get, None)), nothing

        def make_truth(arm):
            def make(number, arity):
                if "_tr_w%d" % number in names:
                    return loop_of(number)["tf"[arm]]
                pair = pairs.get(number)
                if pair is None:
                    head = b"\x05" + varint(number)
                    pair = pairs[number] = arms(number, head + b"\1\0", head + b"\0\0")
                full, begin, flush = pair[arm]
                parts = operands.get(number)
                if parts is None:
                    return pair[arm]
                head = b"\x05" + varint(number) + bytes((1 - arm,))

                def told():
                    record(head + varint(len(parts)) + b"".join(parts))
                    parts.clear()
                    return not arm
                return told, begin, flush
            return make

        def make_a(number, arity, arm):
            return fixed(number, b"\x05" + varint(number) + varint(arm) + b"\0")

        def loop_of(number):
            parts = loops.get(number)
            if parts is None:
                parts = loops[number] = make_loop(number)
            return parts

        def make_loop(number):
            head = b"\x06" + varint(number)
            around, entered, over = head + b"\1", head + b"\0\0", head + b"\2\0"
            one, bare = around + b"\1", around + b"\0"
            k = quota = started = 0

            def begin(x=None):
                nonlocal k, started, quota
                k, started, quota = 0, left, max(64, left >> 2)
                record(entered)
                return x

            def beyond():
                """Whether the loop has had its share; then the iteration is only counted."""
                if started - left > quota and floor < 0 and not exhausted and not threads:
                    mute(depth, number)
                    return True
                return False

            def iterate(x):
                nonlocal k
                k += 1
                if k > 2 and beyond():
                    space["_tr_l%d" % number](x)
                else:
                    record(one + capture(x))

            def iterate_many(*xs):
                nonlocal k
                k += 1
                if k > 2 and beyond():
                    space["_tr_l%d" % number](*xs)
                else:
                    record(joined(around, xs))

            def iterate_true():
                nonlocal k
                k += 1
                if k > 2 and beyond():
                    space["_tr_t%d" % number]()
                else:
                    record(bare)
                return True

            def leave(x=None):
                record(over)
                return x

            def leave_count(x=None):
                if muted_loop == number and depth <= floor:
                    unmute()
                    record(over)
                return x

            def leave_false():
                record(over)
                return False

            def leave_false_count():
                leave_count()
                return False

            def same(x=None):
                return x

            arity = names.get("_tr_l%d" % number, (0, 0))[1]
            if arity == 1:
                count, flush = counted(number, one, False)
                iteration = iterate, always(count), flush
            else:
                count, flush = bare_count(number, None, True)
                iteration = iterate_many, always(count), flush
            count, flush = bare_count(number, True, True)
            entry = begin, always(same), nothing
            exit_ = leave, always(leave_count), nothing
            return {"e": entry, "w": entry, "l": iteration, "z": exit_, "y": exit_,
                    "t": (iterate_true, always(count), flush),
                    "f": (leave_false, always(leave_false_count), nothing)}

        def settle(number, form, passing, flush):
            """The site of a call has had its share: from now on it is only counted."""
            for name in names:
                if names[name][0] == number and name[4] in "ABK":
                    recording[name] = first[name] = space[name] = passing if name[4] == "K" else form
            spent.append(flush)

        core = {"record": record, "capture": capture, "joined": joined, "varint": varint, "slot": slot,
                "counted": counted, "bare_count": bare_count, "always": always, "nothing": nothing,
                "space": space, "intern": intern, "trim": trim, "caller": caller, "raw": raw,
                "kept": kept, "settle": settle, "at": lambda: depth, "threaded": lambda: threads,
                "muted": lambda: floor >= 0 or exhausted}
        letters = {"s": make_s, "i": make_i, "m": make_m, "r": make_r, "o": make_r, "x": make_x,
                   "d": make_d, "c": make_c, "t": make_truth(0), "f": make_truth(1), "D": make_D,
                   "F": make_F, "a": make_a, "Q": make_Q}
        letters.update(load("writes.py")["makers"](core, load("places.py")))
        letters.update(load("calls.py")["makers"](core))
        letters.update(load("faults.py")["makers"](core, load("errors.py")))
        for letter in "elwzy":
            letters[letter] = lambda number, arity, part=letter: loop_of(number)[part]

        def register(found, ranges):
            """Announces probes by name, with the number of values each is given. A probe is made
            when it is first visited."""
            loop_ranges.update(ranges)
            for name, arity in found.items():
                names[name] = (int(name[5:].partition("_")[0]), arity)
                space[name] = partial(visit_first, name)

        def visit_first(name, *xs):
            number, arity = names[name]
            if name[4] in "aQKA":
                forms = letters[name[4]](number, arity, int(name.rpartition("_")[2]))
            else:
                forms = letters[name[4]](number, arity)
            recording[name], counting[name], flushers[name] = forms
            first[name] = first_form(name)
            if name[4] in "ewyzfmUbQFCK" and forms[2] is nothing:
                # What ends a muted stretch, or says nothing of its own.
                first[name] = forms[1]()
            if threads:
                multiple(name)
            if floor < 0 and not exhausted:
                form = recording[name]
            elif muted_loop and is_outside(name):
                form = outside_form(name)
            else:
                form = first[name]
            space[name] = form
            return form(*xs)

        def is_outside(name):
            """Whether a visit of this probe, in the frame of the muted loop, is behind the loop."""
            low, high = loop_ranges.get(muted_loop, (muted_loop, muted_loop))
            return name[4] in "svVukbjathGgnlfew" and not low <= names[name][0] <= high

        def outside_form(name):
            full = recording[name]

            def visit(*xs):
                if depth <= floor:
                    unmute()
                    return full(*xs)
                return first[name](*xs)
            return visit

        # What else the program does: output, threads, children, ends.

        def output(stream_number, data):
            if floor < 0 and not exhausted:
                shown = data[:1024]
                record(b"\x0a" + varint(stream_number) + varint(len(data)) + varint(len(shown)) + shown)

        def task(phase, what):
            if not exhausted:
                record(b"\x0b" + bytes((phase,)) + varint(intern(what)) + b"\0\0")

        # Threads: each has a stream of its own; what is shared is changed under a lock, and the
        # state is exchanged when another thread comes.
        current = get_ident()
        states = {}
        guard = None

        def multiple(name):
            """Wraps a probe's forms, once there are threads."""
            for forms in (recording, first):
                forms[name] = guarded(forms[name])

        def guarded(form):
            acquire, release = guard.acquire, guard.release

            def probe(*xs):
                acquire()
                try:
                    if get_ident() != current:
                        exchange(get_ident())
                    return form(*xs)
                finally:
                    release()
            return probe

        def exchange(me):
            nonlocal current, room, stream, depth, interned, children, near
            states[current] = (room, tell(), stream, depth, interned, children)
            current = me
            near = 0
            state = states.pop(me, None)
            if state is None:
                interned = dict(interned)
                depth = 0
                if not claim(1, stream):
                    room = -1
                return
            if len(state) == 3:
                interned, depth, room = state[0], 0, -1
                claim(1, state[1], state[2])
                return
            room, at, stream, depth, interned, children = state
            seek(at)

        def before_thread():
            """Takes the lock; `after_thread` registers the child and lets it go on."""
            nonlocal threads, guard
            if guard is None:
                from _thread import RLock

                guard = RLock()
                guard.acquire()
                if floor >= 0:
                    unmute()
                threads = True
                for name in recording:
                    multiple(name)
                space.update(first if exhausted else recording)
            else:
                guard.acquire()
                if get_ident() != current:
                    exchange(get_ident())

        def after_thread(ident):
            nonlocal children
            try:
                if ident is not None:
                    children += 1
                    task(0, "thread")
                    states[ident] = (dict(interned), stream, children)
            finally:
                guard.release()

        def forking():
            nonlocal children
            if threads:
                guard.acquire()
            children += 1
            task(0, "process")

        def forked_parent():
            if threads:
                guard.release()

        def forked_child():
            nonlocal current, guard
            current = get_ident()
            states.clear()
            if threads:
                guard.release()
            if not claim(2, stream, children):
                exhausted or exhaust(2)

        def last_words():
            """The interpreter is about to end. It puts back the built-ins it began with before it
            clears modules, and code of the program may still run then."""
            refresh()
            for reserve_space in spare:
                reserve_space.update({name: space[name] for name in names})

        spare = []

        def prepare():
            """Finds the interpreter's own copy of the built-ins."""
            import gc

            for found in gc.get_objects():
                if type_(found) is dict and "__build_class__" in found and found is not space \
                        and "__import__" in found:
                    spare.append(found)

        self.prepare_for_end = prepare

        def vanish():
            """Stands C functions in for all probes, which a trace function would see."""
            for name in names:
                space[name] = null_form(name)
            refresh()
            set_real_limit(limit)

        self.register = register
        self.when_main_begins = began.append
        claim(0)
        set_real_limit(limit + headroom)
        replace = load("process.py")["install"](
            output, refresh, last_words, before_thread, after_thread, (forking, forked_parent, forked_child), vanish,
            load("signals.py")["install"], shown)
        replace(sys, "getrecursionlimit", getrecursionlimit)
        replace(sys, "setrecursionlimit", setrecursionlimit)


def null_form(name):
    """A C function that does as the probe does, without telling."""
    from _functools import partial

    letter = name[4]
    if letter in "uredcgyQDAKC":
        return partial({}.get, None)
    if letter in "tf":
        return (letter == "t").__bool__
    return "".format


def lock(fd, on):
    """Keeps other processes from claiming at the same time."""
    try:
        posix.lockf(fd, posix.F_LOCK if on else posix.F_ULOCK, 0)
    except (OSError, AttributeError):
        pass


class Written:
    """The channel where nothing can be mapped: each change is a write at its place."""

    def __init__(self, channel):
        self.channel = channel
        self.place = 0

    def __getitem__(self, key):
        if type(key) is slice:
            return posix.pread(self.channel, key.stop - key.start, key.start)
        return posix.pread(self.channel, 1, key)[0]

    def __setitem__(self, key, data):
        posix.pwrite(self.channel, data, key.start)

    def seek(self, place):
        self.place = place

    def tell(self):
        return self.place

    def write(self, data):
        self.place += posix.pwrite(self.channel, data, self.place)


def region(channel):
    """The channel, mapped; descriptors low enough for the program to notice stay free."""
    try:
        from mmap import MAP_SHARED, mmap
    except ImportError:
        return Written(channel)
    posix.set_inheritable(channel, False)
    if sys.version_info >= (3, 13):
        return mmap(channel, 0, MAP_SHARED, trackfd=False)
    filled = []
    try:
        while True:
            fd = posix.dup(channel)
            filled.append(fd)
            if fd >= 100:
                break
    except OSError:
        pass
    if filled:
        posix.close(filled.pop())
    try:
        return mmap(channel, 0, MAP_SHARED)
    finally:
        for fd in filled:
            posix.close(fd)
