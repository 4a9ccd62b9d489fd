"""Describes exceptions as bytes of the stream, without running the subject's code."""
_type_mro = type.__dict__["__mro__"].__get__
_type_name = type.__dict__["__name__"].__get__
_args = BaseException.args.__get__
FRAMES = 64


def message(error, capture):
    """A lone argument as it is, several as a tuple."""
    args = _args(error)
    if type(args) is tuple and args:
        return capture(args[0] if len(args) == 1 else args)
    return b"\0"


def raised(x, capture):
    """Type and message of what `raise` was given: an exception or a class."""
    if BaseException in _type_mro(type(x)):
        return capture(_type_name(type(x))) + message(x, capture)
    if type in _type_mro(type(x)) and BaseException in _type_mro(x):
        return capture(_type_name(x)) + b"\0"
    return capture("?") + b"\0"


def in_flight(error, capture, intern, varint, ours):
    """Type, message, line and frames of an exception, innermost frame first."""
    line, found = 0, []
    place = error.__traceback__
    while place is not None:
        code = place.tb_frame.f_code
        if code.co_filename != ours:
            line = place.tb_lineno or 0
            found.append((code.co_name, line))
        place = place.tb_next
    found = found[-FRAMES:]
    found.reverse()
    frames = b"".join([varint(intern(name)) + varint(at) for name, at in found])
    return capture(_type_name(type(error))) + message(error, capture) + varint(line) \
        + varint(len(found)) + frames
