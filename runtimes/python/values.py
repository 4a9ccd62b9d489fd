"""Captures values as bytes of the stream, without ever running the subject's code.

Only exact built-in types are read, and instances through C-level descriptors found in their types'
dictionaries. The work is bounded, not only the output. Nothing is kept after the call.
"""
import marshal
from _weakref import ref
from itertools import islice

_type_dict = type.__dict__["__dict__"].__get__
_type_mro = type.__dict__["__mro__"].__get__
_type_name = type.__dict__["__name__"].__get__
_type_qualname = type.__dict__["__qualname__"].__get__
_object_getattribute = object.__getattribute__
_exception_args = BaseException.__dict__["args"].__get__


def _function():
    pass


class _Slot:
    __slots__ = ("a",)


_Function = type(_function)
_Builtin = type(len)
_Method = type(_function.__get__(1))
_Getset = type(_Function.__dict__["__code__"])
_Member = type(_Slot.a)
_Module = type(marshal)
_code_qualname = _Function.__dict__["__qualname__"].__get__
SORT_LIMIT = 256
BITS = 1 << 14
FNV, PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


def varint(n):
    if n < 128:
        return bytes((n,))
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def digest(data):
    """FNV-1a 64 of up to 4 KiB; 0 where the whole is longer."""
    if len(data) > 4096:
        return bytes(8)
    h = FNV
    for byte in data:
        h = (h ^ byte) * PRIME & MASK
    return h.to_bytes(8, "little")


class Values:
    """Encoders by type. `intern` gives the id of a name, writing it to the stream on first use."""

    def __init__(self, intern, depth, elements, characters, size):
        id_ = id
        small = {n: b"\x03" + varint((n << 1) ^ (n >> 63)) for n in range(-128, 1024)}
        kinds = {}
        budget = [0]

        def none(x, d):
            return b"\0"

        def boolean(x, d):
            return b"\2" if x else b"\1"

        def integer(x, d):
            b = small.get(x)
            if b is not None:
                return b
            if -0x4000000000000000 <= x < 0x4000000000000000:
                n = x << 1 if x >= 0 else ~(x << 1)
                out = bytearray(b"\x03")
                while n > 127:
                    out.append(n & 127 | 128)
                    n >>= 7
                out.append(n)
                return bytes(out)
            bits = x.bit_length()
            if bits > BITS:
                # Decimal text costs quadratic time: only its size is told.
                text = b"%s2**%d" % (b"-" if x < 0 else b"", bits - 1)
                return b"\x16" + varint(intern("int")) + b"\0" + varint(len(text) + 1) + b"~" + text
            text = b"%d" % x if bits < 2100 else decimal(x)
            return b"\x04" + varint(len(text)) + text

        def decimal(x):
            # Above 4300 digits plain conversion is refused; pieces are not.
            sign, x = (b"-", -x) if x < 0 else (b"", x)
            parts, unit = [], 10 ** 600
            while x:
                x, low = divmod(x, unit)
                parts.append(b"%0600d" % low)
            return sign + b"".join(reversed(parts)).lstrip(b"0")

        def floating(x, d):
            return b"\5" + marshal.dumps(x)[1:9]

        def string(x, d):
            n = len(x)
            shown = x if n <= characters else x[:characters]
            try:
                data = shown.encode()
            except UnicodeEncodeError:
                data = shown.encode("utf-8", "backslashreplace")
            budget[0] -= len(data)
            size_ = len(data)
            if n <= characters:
                if size_ < 64 and n < 128:
                    return bytes((6, n, size_ * 2)) + data
                return b"\6" + varint(n) + varint(size_ * 2) + data
            whole = digest(x.encode("utf-8", "surrogatepass")) if n <= 4096 else bytes(8)
            return b"\6" + varint(n) + varint(size_ * 2 + 1) + data + whole

        def binary(x, d):
            n = len(x)
            shown = bytes(x[:characters])
            budget[0] -= len(shown)
            if n <= characters:
                return b"\7" + varint(n) + varint(n * 2) + shown
            return b"\7" + varint(n) + varint(len(shown) * 2 + 1) + shown + digest(x)

        def typed_binary(name):
            return lambda x, d: b"\x10" + varint(intern(name)) + binary(x, d)

        def container(op, name, n, x, items, count, flags, d):
            """Head and parts; `items` are encoded already or None where too deep."""
            head = op + varint(intern(name)) + varint(id_(x)) + varint(n)
            if count < n:
                return head + bytes((flags | 1,)) + bytes(8) + varint(count) + items
            return head + bytes((flags,)) + varint(count) + items

        def run(parts, d, limit):
            out, count = [], 0
            for item in parts:
                if count >= limit or budget[0] <= 0:
                    break
                b = kinds_get(type(item), other)(item, d)
                budget[0] -= len(b)
                out.append(b)
                count += 1
            return b"".join(out), count

        def sequence_body(name, x, n, parts, d):
            if d <= 0 or id_(x) in seen:
                return deep(b"\x11", name, x, n)
            seen.append(id_(x))
            items, count = run(islice(parts, elements), d - 1, elements)
            return container(b"\x11", name, n, x, items, count, 0, d)

        def deep(op, name, x, n, flags=0):
            if id_(x) in seen:
                return b"\x15" + varint(id_(x))
            head = op + varint(intern(name)) + varint(id_(x)) + varint(n)
            return head + (bytes((flags | 1,)) + bytes(8) if n else bytes((flags,))) + b"\0"

        seen = []

        def list_(x, d):
            if d <= 0 or id_(x) in seen:
                return deep(b"\x11", "list", x, len(x))
            seen.append(id_(x))
            items, count = run(x[:elements], d - 1, elements)
            return container(b"\x11", "list", len(x), x, items, count, 0, d)

        def tuple_(x, d):
            if d <= 0 or id_(x) in seen:
                return deep(b"\x11", "tuple", x, len(x))
            seen.append(id_(x))
            items, count = run(x[:elements], d - 1, elements)
            return container(b"\x11", "tuple", len(x), x, items, count, 0, d)

        def map_body(name, x, n, entries, d):
            if d <= 0 or id_(x) in seen:
                return deep(b"\x12", name, x, n)
            seen.append(id_(x))
            out, count = [], 0
            for key, value in islice(entries, elements):
                if budget[0] <= 0:
                    break
                b = kinds_get(type(key), other)(key, d - 1) + kinds_get(type(value), other)(value, d - 1)
                budget[0] -= len(b)
                out.append(b)
                count += 1
            return container(b"\x12", name, n, x, b"".join(out), count, 0, d)

        def dict_(x, d):
            return map_body("dict", x, len(x), x.items(), d)

        def set_body(name, x, n, parts, d):
            if d <= 0 or id_(x) in seen:
                return deep(b"\x13", name, x, n, 2)
            seen.append(id_(x))
            items = list(islice(parts, SORT_LIMIT))
            kinds_here = {type(item) for item in items}
            if len(kinds_here) == 1 and kinds_here <= ordered:
                items.sort()
            else:
                items = [b for _, b in sorted((_type_name(type(i)), kinds_get(type(i), other)(i, d - 1)) for i in items)]
                kept = items[:elements]
                return container(b"\x13", name, n, x, b"".join(kept), len(kept), 2, d)
            data, count = run(items, d - 1, elements)
            return container(b"\x13", name, n, x, data, count, 2, d)

        def set_(x, d):
            return set_body("set", x, len(x), x, d)

        def frozenset_(x, d):
            return set_body("frozenset", x, len(x), x, d)

        def opaque(name, x, text=b""):
            return b"\x16" + varint(intern(name)) + (varint(id_(x)) if x is not None else b"\0") + varint(len(text)) + text

        def function(x, d):
            return b"\x08" + varint(intern(_code_qualname(x)))

        def builtin(x, d):
            return b"\x08" + varint(intern(x.__qualname__ if type(x.__qualname__) is str else "builtin"))

        def method(x, d):
            inner = x.__func__
            if type(inner) is _Function:
                return b"\x08" + varint(intern(_code_qualname(inner)))
            return opaque("method", x)

        def module(x, d):
            name = _Module.__dict__["__dict__"].__get__(x).get("__name__") if "__dict__" in _Module.__dict__ else None
            return opaque("module", None, name.encode("utf-8", "replace") if type(name) is str else b"")

        def class_(x, d):
            return opaque("type", None, _type_qualname(x).encode("utf-8", "replace"))

        def ellipsis(x, d):
            return opaque("ellipsis", None, b"Ellipsis")

        def range_(x, d):
            return opaque("range", None, repr(x).encode())

        def complex_(x, d):
            return opaque("complex", None, repr(x).encode())

        def other(x, d):
            """Anything else: described once per type, then by that type's own encoder."""
            kind = type(x)
            known = classes.get(id_(kind))
            if known is not None and known[0]() is kind:
                return known[1](x, d)
            make = classify(kind)
            if len(classes) > 4096:
                classes.clear()
            try:
                classes[id_(kind)] = (ref(kind), make)
            except TypeError:
                pass
            return make(x, d)

        classes = {}

        def classify(kind):
            name = _type_name(kind)
            mro = _type_mro(kind)
            if type in mro:
                return class_
            meta = _type_mro(type(kind))
            for base in meta:
                if _type_name(base) in ("EnumMeta", "EnumType"):
                    return enum_of(name)
            for base in mro:
                if base in derived:
                    return derived[base](name, kind, mro)
            return record_of(name, kind, mro)

        def enum_of(name):
            def enum(x, d):
                try:
                    fields = _object_getattribute(x, "__dict__")
                    member, value = fields.get("_name_"), fields.get("_value_")
                except AttributeError:
                    return opaque(name, x)
                member = member if type(member) is str else "?"
                return b"\x17" + varint(intern(name)) + varint(intern(member)) + kinds_get(type(value), other)(value, d - 1)
            return enum

        def record_of(name, kind, mro):
            slots, has_dict = [], False
            for base in reversed(mro):
                space = _type_dict(base)
                for key, value in space.items():
                    if type(value) is _Member and base is not object and type(key) is str \
                            and type(space.get("__slots__")) is not type(None):
                        slots.append((key, value.__get__))
            for base in mro:
                value = _type_dict(base).get("__dict__")
                if value is not None:
                    has_dict = type(value) is _Getset
                    break
            if not slots and not has_dict:
                return lambda x, d: opaque(name, x)
            is_error = BaseException in mro

            def record(x, d):
                if d <= 0 or id_(x) in seen:
                    return deep(b"\x14", name, x, 1 if id_(x) not in seen else 0)
                seen.append(id_(x))
                out, n, count = [], 0, 0
                fields = []
                if is_error:
                    fields.append(("args", _exception_args(x)))
                if has_dict:
                    try:
                        found = _object_getattribute(x, "__dict__")
                    except AttributeError:
                        found = None
                    if type(found) is dict:
                        n += len(found)
                        fields += islice(found.items(), elements)
                for key, get in slots:
                    try:
                        fields.append((key, get(x)))
                    except AttributeError:
                        continue
                n = max(n, len(fields))
                for key, value in fields[:elements]:
                    if budget[0] <= 0:
                        break
                    if type(key) is not str:
                        key = "?"
                    b = varint(intern(key)) + kinds_get(type(value), other)(value, d - 1)
                    budget[0] -= len(b)
                    out.append(b)
                    count += 1
                return container(b"\x14", name, n, x, b"".join(out), count, 0, d)
            return record

        def named_tuple(name, kind, mro):
            names = _type_dict(kind).get("_fields")
            get, length = tuple.__getitem__, tuple.__len__
            if type(names) is tuple and all(type(key) is str for key in names):
                def record(x, d):
                    n = length(x)
                    if d <= 0 or id_(x) in seen:
                        return deep(b"\x14", name, x, n)
                    seen.append(id_(x))
                    out = []
                    for key, value in list(zip(names, get(x, slice(0, elements)))):
                        out.append(varint(intern(key)) + kinds_get(type(value), other)(value, d - 1))
                    return container(b"\x14", name, n, x, b"".join(out), len(out), 0, d)
                return record
            return lambda x, d: sequence_body(name, x, length(x), get(x, slice(0, elements)), d)

        def typed(encode, plain):
            def make(name, kind, mro):
                def encoder(x, d):
                    return b"\x10" + varint(intern(name)) + encode(plain(x), d)
                return encoder
            return make

        def derived_list(name, kind, mro):
            return lambda x, d: sequence_body(name, x, list.__len__(x), list.__getitem__(x, slice(0, elements)), d)

        def derived_dict(name, kind, mro):
            return lambda x, d: map_body(name, x, dict.__len__(x), dict.items(x), d)

        def derived_set(base):
            return lambda name, kind, mro: (
                lambda x, d: set_body(name, x, base.__len__(x), base.__iter__(x), d))

        derived = {
            int: typed(integer, int.__int__), float: typed(floating, float.__float__),
            str: typed(string, str.__str__), bytes: typed(binary, lambda x: bytes.__getitem__(x, slice(None))),
            list: derived_list, tuple: named_tuple, dict: derived_dict,
            set: derived_set(set), frozenset: derived_set(frozenset),
        }
        ordered = frozenset((int, float, str, bytes, bool))
        kinds.update({
            type(None): none, bool: boolean, int: integer, float: floating, str: string,
            bytes: binary, bytearray: typed_binary("bytearray"), list: list_, tuple: tuple_, dict: dict_,
            set: set_, frozenset: frozenset_, _Function: function, _Builtin: builtin, _Method: method,
            _Module: module, type: class_, type(...): ellipsis, range: range_, complex: complex_,
        })
        kinds_get = kinds.get
        try:
            from _collections import OrderedDict, deque
            kinds[OrderedDict] = lambda x, d: map_body("OrderedDict", x, len(x), x.items(), d)
            kinds[deque] = lambda x, d: sequence_body("deque", x, len(x), x, d)
        except ImportError:
            pass

        def capture(x):
            """The bytes of one value."""
            budget[0] = size
            try:
                return kinds_get(type(x), other)(x, depth)
            except Exception:
                return opaque("?", None)
            finally:
                if seen:
                    seen.clear()

        self.capture = capture
