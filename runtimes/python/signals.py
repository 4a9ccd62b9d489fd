"""Handlers of signals run as in the plain program: never inside a probe.

A handler that runs there would see a frame of ours, its own probes would write between the parts of
a record, and what it raises could end inside the emitter. Where a signal comes inside a probe, the
handler waits until the probe returns; a profile function, set for that moment, tells when. While a
handler that waited runs, the interpreter calls no profile function: another signal's handler runs
at once.
"""
import posix
import sys
import _signal

SIGNALS = hasattr(_signal, "signal")


def install(ours, outside, replace, undo, shown):
    """`ours`: the file of probes; `outside`: code there that runs the program's or waits for it.
    `shown()` is called when a frame of ours may come to stand between others of a traceback."""
    if not SIGNALS:
        return
    install_handler, find_handler = _signal.signal, _signal.getsignal
    set_profile, profile = sys.setprofile, sys.getprofile
    kill, process = getattr(posix, "kill", None), posix.getpid
    handlers, waiting = {}, []
    running = False

    def is_ours(frame):
        return frame is not None and frame.f_code.co_filename == ours

    def asked(frame):
        """The frame of the program that was interrupted."""
        while is_ours(frame):
            frame = frame.f_back
        return frame

    def deliver(number, frame):
        if is_ours(frame) and frame.f_code not in outside and not running \
                and (profile() is None or waiting):
            waiting.append(number)
            set_profile(leaving)
            return
        shown()
        handlers[number](number, asked(frame))

    def leaving(frame, event, argument):
        """The profile function: the last frame of ours returns."""
        nonlocal running
        if event != "return" or not is_ours(frame) or is_ours(frame.f_back):
            return
        set_profile(None)
        shown()
        running = True
        try:
            while waiting:
                number = waiting.pop(0)
                handlers[number](number, frame.f_back)
        finally:
            running = False
            # One raised: the others come anew.
            while waiting:
                kill(process(), waiting.pop())

    outside.update((deliver.__code__, leaving.__code__))

    def signal(number, handler, /):
        shown()
        known = handlers.get(number)
        if callable(handler):
            handlers[number] = handler
            try:
                was = install_handler(number, deliver)
            except BaseException:
                if known is None:
                    handlers.pop(number, None)
                else:
                    handlers[number] = known
                raise
        else:
            was = install_handler(number, handler)
        return known if was is deliver else was

    def getsignal(number, /):
        found = find_handler(number)
        return handlers[number] if found is deliver else found

    def bring_back():
        for number, handler in handlers.items():
            try:
                if find_handler(number) is deliver:
                    install_handler(number, handler)
            except ValueError:
                return

    replace(_signal, "signal", signal)
    replace(_signal, "getsignal", getsignal)
    undo.append(bring_back)
    try:
        if find_handler(_signal.SIGINT) is _signal.default_int_handler:
            signal(_signal.SIGINT, _signal.default_int_handler)
    except (AttributeError, OSError, ValueError):
        pass
