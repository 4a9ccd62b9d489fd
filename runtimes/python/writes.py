"""Probes for writes: names, attributes, elements, and containers changed in place.

They share no state but what `core` gives them. What a form is, the emitter says.
"""
SMALL = 1 << 64


def deque_type():
    try:
        from _collections import deque
    except ImportError:
        return list
    return deque


def makers(core, places):
    """Makers by letter."""
    record, capture, joined, varint = core["record"], core["capture"], core["joined"], core["varint"]
    counted, bare_count, slot = core["counted"], core["bare_count"], core["slot"]
    always, nothing, space = core["always"], core["nothing"], core["space"]
    follow, missing = places["follow"], places["MISSING"]
    containers = frozenset((list, dict, set, bytearray, deque_type()))
    before = {}
    int_, float_, bool_, type_, unknown = int, float, bool, type, object()

    def make_v(number, arity):
        """A write; `u` is the same on the way to its place."""
        head = b"\x02" + varint(number)
        one = head + b"\1"

        def wrote(x):
            record(one + capture(x))
            return x

        def wrote_many(*xs):
            record(joined(head, xs))

        if arity == 1:
            count, flush = counted(number, one)
            return wrote, always(count), flush
        count, flush = bare_count(number)
        return wrote_many, always(count), flush

    def make_V(number, arity):
        """A write of what arithmetic gave: counted in C while that is a plain number."""
        head = b"\x02" + varint(number) + b"\1"
        name = "_tr_V%d" % number
        store = slot(number)
        values = None
        n = 0
        last = unknown

        def wrote(x):
            record(head + capture(x))

        def count(x):
            nonlocal n, last
            n += 1
            kind = type_(x)
            last = x if kind is int_ or kind is float_ or kind is bool_ else unknown

        def begin(x):
            nonlocal values
            if small(x):
                values = []
                return values.append
            return count

        def flush(elide):
            nonlocal values, n, last
            if values:
                n += len(values)
                last = values[-1]
                values.clear()
                if not small(last):
                    # From here on no object is kept until the next look.
                    values = None
                    last = unknown
                    space[name] = count
            store(n, b"" if last is unknown else head + capture(last), elide)
            if elide:
                n = 0
                values, last = None, unknown
        return wrote, begin, flush

    def small(x):
        kind = type_(x)
        return kind is float_ or kind is bool_ or kind is int_ and -SMALL < x < SMALL

    def make_n(number, arity):
        """`del`: the names are unbound now."""
        def unbound(k):
            record(b"\x02" + varint(number) + varint(k) + b"\x09" * k)

        count, flush = bare_count(number)
        return unbound, always(count), flush

    def make_k(number, arity):
        """An augmented write to an attribute or element: the value there now."""
        head = b"\x02" + varint(number) + b"\1"
        untold = head[:-1] + b"\0"

        def wrote(x, *steps):
            value = follow(x, steps)
            # Without a value it still stands for the steps that follow.
            record(untold if value is missing else head + capture(value))

        count, flush = bare_count(number)
        return wrote, always(count), flush

    def make_b(number, arity):
        """Before a call that may change a container; `j` behind it tells."""
        def seen(x, *steps):
            if steps:
                x = follow(x, steps)
            before[number] = capture(x) if type_(x) in containers else None

        return seen, always("".format), nothing

    def make_j(number, arity):
        head = b"\x08" + varint(number)
        count, flush = bare_count(number)

        def changed(x, *steps):
            was = before.pop(number, None)
            if was is not None:
                if steps:
                    x = follow(x, steps)
                if type_(x) in containers:
                    record(head + was + capture(x))
        return changed, always(count), flush

    return {"v": make_v, "V": make_V, "u": make_v, "n": make_n, "k": make_k, "b": make_b, "j": make_j}
