"""Probes for calls into libraries.

`K` passes an argument on, `A` the last one and tells the call, `B` tells a call without arguments,
`C` passes the result on and tells it. A call that was begun stands on a stack until its result comes;
one that was left by an error is found out of date there by its depth or its place.
"""
from _functools import partial
from _thread import get_ident

# Calls told of one site; later ones are only counted.
SHARE = 32


def makers(core):
    record, raw, capture, varint, slot = (core[name] for name in ("record", "raw", "capture", "varint", "slot"))
    at, muted, threaded, kept, always, nothing, settle = (
        core[name] for name in ("at", "muted", "threaded", "kept", "always", "nothing", "settle"))
    passing = partial({}.get, None)
    stack = []
    stacks = {}
    first_thread = get_ident()
    spent = set()

    def mine():
        """Calls under way in this thread: site, depth, and arguments so far or None."""
        if threaded():
            me = get_ident()
            return stacks.get(me) or stacks.setdefault(me, stack if me == first_thread else [])
        return stack

    def push(number, depth, parts):
        calls = mine()
        # Sites are numbered from the outside in: what is not around this call is out of date.
        while calls and (calls[-1][1] > depth or calls[-1][1] == depth and calls[-1][0] >= number):
            calls.pop()
        entry = [number, depth, parts]
        calls.append(entry)
        return entry

    def under_way(number):
        """The entry of a site's call in the running frame, if that was begun."""
        calls = mine()
        depth = at()
        while calls and (calls[-1][1] > depth or calls[-1][1] == depth and calls[-1][0] > number):
            calls.pop()
        if calls and calls[-1][0] == number and calls[-1][1] == depth:
            return calls[-1]
        return None

    def make_K(number, arity, index):
        def argument(x):
            if number in spent or muted() and kept.get(number, 0) >= 2:
                return x
            if index == 0:
                push(number, at(), [capture(x)])
            else:
                entry = under_way(number)
                if entry is not None and entry[2] is not None and len(entry[2]) == index:
                    entry[2].append(capture(x))
            return x
        return argument, always(argument), nothing

    def begins(number, before):
        """Forms of the probe that tells a call: of an argument, or None for a call without."""
        head = b"\x09" + varint(number) + b"\0\0\0\0"
        store = slot(number)
        n = visits = 0

        def begin(data, count):
            nonlocal visits, n
            visits += 1
            if visits > SHARE:
                spent.add(number)
                settle(number, count, passing, flush)
            elif not before:
                record(head + data)
                push(number, at(), None)
                return True
            else:
                entry = under_way(number)
                if entry is not None and entry[2] is not None and len(entry[2]) == before:
                    record(head + varint(before + 1) + b"".join(entry[2]) + data)
                    entry[2] = None
                    return True
            n += 1
            return False

        def flush(elide):
            nonlocal n
            store(n, b"", elide)
            if elide:
                n = 0

        def tick():
            nonlocal n
            n += 1
            if stack or stacks:
                entry = under_way(number)
                if entry is not None:
                    entry[2] = ()
            if not n & 1023 and number in spent:
                flush(False)
        return begin, tick, flush

    def make_A(number, arity, before):
        begin, tick, flush = begins(number, before)
        head = b"" if before else b"\1"

        def last(x):
            kept[number] = kept.get(number, 0) + muted()
            begin(head + capture(x), count)
            return x

        def count(x):
            tick()
            return x
        return last, always(count), flush

    def make_B(number, arity):
        begin, tick, flush = begins(number, 0)

        def call():
            begin(b"\0", count)
            return ()

        def count():
            tick()
            return ()
        return call, always(count), flush

    def make_C(number, arity):
        head = b"\x11" + varint(number) + b"\1"

        def result(x):
            if stack or stacks:
                entry = under_way(number)
                if entry is not None:
                    mine().pop()
                    if entry[2] is None:
                        if muted():
                            raw(b"\x0d" + varint(max(at(), 0)))
                        record(head + capture(x))
            return x
        return result, always(result), nothing

    return {"A": make_A, "B": make_B, "C": make_C, "K": make_K}
