"""Reads attributes and elements of the subject's objects without running its code.

Serves writes such as `a.b[i] += 1`, whose new value no expression has: the place is read again,
but only through plain instance dictionaries, slots and exact built-in containers.
"""
_type_mro = type.__dict__["__mro__"].__get__
_type_dict = type.__dict__["__dict__"].__get__
_type_name = type.__dict__["__name__"].__get__
_object_get = object.__getattribute__


class _Slot:
    __slots__ = ("a",)


_Member = type(_Slot.a)
_Module = type(__import__("sys"))
_Function = type(lambda: None)
_Getset = type(_Function.__dict__["__code__"])
KEYS = frozenset((int, str, bool, float, bytes, type(None)))
STANDARD_MAPS = frozenset(("defaultdict", "Counter", "OrderedDict"))
MISSING = object()


def attribute(x, name):
    """The attribute's stored value, or MISSING where only code could tell."""
    kind = type(x)
    if kind is _Module:
        return _object_get(x, "__dict__").get(name, MISSING)
    mro = _type_mro(kind)
    for base in mro:
        found = _type_dict(base).get(name)
        if found is not None:
            if type(found) is _Member:
                return found.__get__(x)
            if any("__set__" in _type_dict(part) for part in _type_mro(type(found))):
                return MISSING
            break
    for base in mro:
        found = _type_dict(base).get("__dict__")
        if found is not None:
            if type(found) is not _Getset:
                return MISSING
            space = _object_get(x, "__dict__")
            return space.get(name, MISSING) if type(space) is dict else MISSING
    return MISSING


def element(x, key):
    """The element of an exact built-in container, or MISSING."""
    kind = type(x)
    if type(key) not in KEYS:
        return MISSING
    if kind is list or kind is tuple or kind is bytearray:
        return x[key] if type(key) is int else MISSING
    if kind is dict:
        return x[key]
    if _type_name(kind) in STANDARD_MAPS and dict in _type_mro(kind) and dict.__contains__(x, key):
        return dict.__getitem__(x, key)
    return MISSING


def follow(x, steps):
    """Follows attribute names and (index,) tuples from an object."""
    try:
        for way in steps:
            x = attribute(x, way) if type(way) is str else element(x, way[0])
            if x is MISSING:
                return MISSING
        return x
    except Exception:
        return MISSING
