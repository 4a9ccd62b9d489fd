"""Probes for exceptions: raised, caught, passing through, uncaught.

They share no state but what `core` gives them. What a form is, the emitter says.
"""
import sys


def makers(core, errors):
    """Makers by letter."""
    record, capture, intern, varint = core["record"], core["capture"], core["intern"], core["varint"]
    bare_count, always, nothing = core["bare_count"], core["always"], core["nothing"]
    trim, caller = core["trim"], core["caller"]
    in_flight, raised = errors["in_flight"], errors["raised"]
    exc_info, type_, OURS = sys.exc_info, type, makers.__code__.co_filename

    def make_h(number, arity):
        """A handler begins: the error was caught here."""
        head = b"\x07" + varint(number) + b"\1"
        count_, flush = bare_count(number)

        def caught():
            error = trim()
            if error is not None:
                record(head + in_flight(error, capture, intern, varint, OURS))

        def count():
            trim()
            count_()
        return caught, always(count), flush

    def make_G(number, arity):
        """`finally` begins: what passes through, if anything of this frame's does."""
        head = b"\x07" + varint(number) + b"\2"

        def passing():
            error = exc_info()[1]
            place = error.__traceback__ if error is not None else None
            if place is not None and place.tb_frame is caller():
                trim()
                record(head + in_flight(error, capture, intern, varint, OURS))

        def count():
            error = exc_info()[1]
            place = error.__traceback__ if error is not None else None
            if place is not None and place.tb_frame is caller():
                trim()
        return passing, always(count), nothing

    def make_g(number, arity):
        """`raise`: passes the exception or its class through."""
        head = b"\x07" + varint(number) + b"\0"
        count, flush = bare_count(number)

        def thrown(x=None):
            record(head + raised(exc_info()[1] if x is None else x, capture) + b"\0\0")
            return x

        return thrown, always(count), flush

    def make_U(number, arity):
        """The error leaves the main module."""
        head = b"\x07" + varint(number) + b"\3"

        def uncaught():
            error = trim()
            if error is not None and type_(error) is not SystemExit:
                record(head + in_flight(error, capture, intern, varint, OURS))
        return uncaught, always(uncaught), nothing

    return {"h": make_h, "G": make_G, "g": make_g, "U": make_U}
