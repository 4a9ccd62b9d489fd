"""Completes the instrumented program where Python has no place for an expression.

Works on the syntax tree of the instrumented text: lifts markers out of the first block of a
compound statement to the place before or behind it, ends functions and loops with the probes that
report their end, makes probe names global (so that class bodies and module code look them up as
functions do), and moves columns back to the original's.

Markers, at the head of a block: `_tr_p(probe)` becomes `probe` before the statement, and `_tr_q6`
becomes `_tr_v6(name)` behind it. Ends: `_tr_i9`/`_tr_m9` add `_tr_o10`/`_tr_x10`, `_tr_l8` adds `_tr_z8`,
`_tr_t8 if … else _tr_f8` as a `while` condition adds `_tr_w8`, `_tr_a7_k` as the first statement of
a `case` adds an arm 0.
"""
import sys
from _ast import (AST, AsyncFor, AsyncWith, Call, ClassDef, Constant, ExceptHandler, Expr, For,
                  AsyncFunctionDef, FunctionDef, Global, If, IfExp, ImportFrom, Lambda, Load, Name,
                  Pass, Raise, Try, While)

try:
    from _ast import Match, MatchAs, match_case
except ImportError:
    Match = None
COLUMNS = sys.version_info >= (3, 11)


def complete(tree, file):
    """Changes the tree in place. Returns the probes' names, each with the number of values it is
    given, and the first and last site of each loop."""
    work = _File(file["columns"])
    work.run(tree)
    return work.names, work.ranges


class _File:
    def __init__(self, columns):
        self.columns = columns
        self.names = {}
        self.ranges = {}

    def run(self, tree):
        self.expressions(tree)
        self.block(tree, "body", None)
        body = tree.body
        at = 0
        if body and docstring(body[0]):
            at = 1
        while at < len(body) and type(body[at]) is ImportFrom and body[at].module == "__future__":
            at += 1
        inner = body[at:]
        if inner and starts(inner[0], "_tr_m"):
            number = inner[0].value.func.id[5:]
            body[at:] = self.frame(inner, number, inner[0], True)
        elif inner and starts(inner[0], "_tr_i"):
            body[at:] = self.frame(inner, ending(inner[0]), inner[0])
        if self.names:
            body.insert(at, locate(Global(list(self.names)), body[at] if body[at:] else None))

    # Statements.

    def block(self, owner, field, parent):
        """Lifts markers in a list of statements, innermost first."""
        body = getattr(owner, field)
        if not body:
            return
        result = []
        for statement in body:
            before, behind = self.statement(statement)
            result += before
            result.append(statement)
            result += behind
        setattr(owner, field, result)

    def statement(self, statement):
        before, behind = [], []
        kind = type(statement)
        if kind in SIMPLE:
            return before, behind
        if kind is If:
            # `elif` chains nest as deep as they are long.
            first, link = True, statement
            while True:
                self.block(link, "body", statement)
                if first:
                    self.lift(link.body, statement, before, behind)
                    first = False
                if len(link.orelse) == 1 and type(link.orelse[0]) is If and not lifted(link.orelse[0]):
                    link = link.orelse[0]
                    continue
                self.block(link, "orelse", statement)
                break
        else:
            for field in ("body", "orelse", "finalbody"):
                if getattr(statement, field, None):
                    self.block(statement, field, statement)
            for field in ("handlers", "cases"):
                for part in getattr(statement, field, ()):
                    self.block(part, "body", statement)
            body = statement.cases[0].body if kind is Match else getattr(statement, "body", None)
            if type(body) is list:
                self.lift(body, statement, before, behind)
        if kind is FunctionDef or kind is AsyncFunctionDef or kind is ClassDef:
            body = statement.body
            at = 1 if docstring(body[0]) else 0
            inner = body[at:]
            if inner and starts(inner[0], "_tr_i"):
                body[at:] = self.frame(inner, ending(inner[0]), inner[0])
                if kind is ClassDef:
                    names = {}
                    collect(body, names)
                    body.insert(at, locate(Global(list(names)), inner[0]))
        elif kind is AsyncWith and starts(statement.body[0], "_tr_c"):
            self.waiting(statement, behind)
        elif kind is AsyncFor and starts(statement.body[0], "_tr_c") \
                and starts(statement.body[1], "_tr_l"):
            resumed = statement.body[0].value.func.id
            number = statement.body[1].value.func.id[5:]
            self.range(number, statement)
            statement.body.append(self.waits(resumed, statement))
            statement.orelse[:0] = [self.resumes(resumed, statement), self.probe("z" + number, statement)]
        elif kind is For and starts(statement.body[0], "_tr_l"):
            number = statement.body[0].value.func.id[5:]
            self.range(number, statement)
            statement.orelse.insert(0, self.probe("z" + number, statement))
        elif kind is While and (starts(statement.body[0], "_tr_l")
                                or type(statement.test) is IfExp and called(statement.test.body, "_tr_t")):
            endless = starts(statement.body[0], "_tr_l")
            number = (statement.body[0].value if endless else statement.test.body).func.id[5:]
            self.range(number, statement)
            before.append(self.probe("w" + number, statement))
        elif kind is Match and statement.cases and starts(statement.cases[0].body[0], "_tr_a"):
            number = statement.cases[0].body[0].value.func.id[5:].partition("_")[0]
            last = statement.cases[-1]
            if not (type(last.pattern) is MatchAs and last.pattern.pattern is None and last.guard is None):
                arm = match_case(locate(MatchAs(), statement), None, [self.probe("a" + number + "_0", statement)])
                statement.cases.append(arm)
        return before, behind

    def waiting(self, statement, behind):
        """An `async with` waits again when its body is over."""
        resumed = statement.body[0].value.func.id
        over = [self.waits(resumed, statement)]
        statement.body = [statement.body[0], locate(Try(statement.body[1:], [], [], over), statement)]
        behind.append(self.resumes(resumed, statement))

    def waits(self, resumed, place):
        return self.probe("d%d" % (int(resumed[5:]) - 1), place, locate(Constant(None), place))

    def resumes(self, resumed, place):
        return self.probe(resumed[4:], place, locate(Constant(None), place))

    def range(self, number, statement):
        names = {}
        collect([statement], names)
        sites = [int(name[5:].partition("_")[0]) for name in names]
        self.ranges[int(number)] = (min(sites), max(sites))

    def lift(self, body, statement, before, behind):
        at = 1 if docstring(body[0]) else 0
        while at < len(body) and type(body[at]) is Expr:
            value = body[at].value
            if called(value, "_tr_p"):
                before.append(locate(Expr(moved(value.args[0], statement)), statement))
            elif type(value) is Name and value.id[:5] == "_tr_q":
                target = locate(Name(statement.name, Load()), statement)
                behind.append(self.probe("v" + value.id[5:], statement, target))
            else:
                break
            del body[at]

    def frame(self, body, number, place, main=False):
        """A body whose end, by falling off or by an exception, is reported."""
        first, rest = body[0], body[1:]
        unwound = self.probe(("U" if main else "x") + number, place)
        handler = locate(ExceptHandler(None, None, [unwound, locate(Raise(None, None), place)]), place)
        if not main:
            rest.append(self.probe("o" + number, place))
        elif not rest:
            rest = [locate(Pass(), place)]
        late = [self.probe("F" + number, place)] if within(rest, "_tr_D") else []
        return [first, locate(Try(rest, [handler], [], late), place)]

    def probe(self, name, place, *arguments):
        name = "_tr_" + name
        self.names[name] = len(arguments)
        function = locate(Name(name, Load()), place)
        return locate(Expr(locate(Call(function, list(arguments), []), place)), place)

    # Expressions: columns and names.

    def expressions(self, tree):
        columns = self.columns if COLUMNS else None
        names = self.names
        stack = [tree]
        while stack:
            node = stack.pop()
            if type(node) is not Name:
                if type(node) is Call and type(node.func) is Name and node.func.id[:4] == "_tr_" \
                        and node.func.id[4] != "p":
                    names[node.func.id] = len(node.args)
                for field in node._fields:
                    value = getattr(node, field, None)
                    if isinstance(value, AST):
                        stack.append(value)
                    elif type(value) is list:
                        for item in value:
                            if isinstance(item, AST):
                                stack.append(item)
            if columns:
                line = getattr(node, "lineno", None)
                if line is not None:
                    table = columns.get(line)
                    if table:
                        node.col_offset = shifted(table, node.col_offset)
                    if node.end_lineno != line:
                        table = columns.get(node.end_lineno)
                    if table:
                        node.end_col_offset = shifted(table, node.end_col_offset)


def shifted(table, column):
    """The original's column. The table has (column of an insertion, its length, lengths before)."""
    low, high = 0, len(table)
    while low < high:
        middle = (low + high) // 2
        if table[middle][0] < column:
            low = middle + 1
        else:
            high = middle
    if not low:
        return column
    start, length, before = table[low - 1]
    return column - before - min(length, column - start)


def docstring(statement):
    return (type(statement) is Expr and type(statement.value) is Constant
            and type(statement.value.value) is str)


def called(expression, prefix):
    return (type(expression) is Call and type(expression.func) is Name
            and expression.func.id.startswith(prefix))


def starts(statement, prefix):
    return type(statement) is Expr and called(statement.value, prefix)


def ending(begin):
    """The number of the site that stands for a frame's end: the one after its beginning's."""
    return str(int(begin.value.func.id[5:]) + 1)


def lifted(statement):
    return starts(statement.body[0], "_tr_p")


def locate(node, place):
    if place is None:
        node.lineno = node.end_lineno = 1
        node.col_offset = node.end_col_offset = 0
    else:
        node.lineno, node.end_lineno = place.lineno, place.lineno
        node.col_offset = node.end_col_offset = place.col_offset
    return node


def within(body, prefix):
    """Whether the body's own code, not that of functions inside, calls such a probe."""
    stack = list(body)
    while stack:
        node = stack.pop()
        if called(node, prefix):
            return True
        if type(node) not in SCOPES:
            for field in node._fields:
                value = getattr(node, field, None)
                parts = value if type(value) is list else (value,)
                stack += [part for part in parts if isinstance(part, AST)]
    return False


def moved(node, place):
    """A probe's call with all its parts at another place."""
    locate(node, place)
    for field in node._fields:
        value = getattr(node, field, None)
        for part in value if type(value) is list else (value,):
            if isinstance(part, AST) and hasattr(part, "lineno"):
                moved(part, place)
    return node


def collect(body, names):
    """Names of the probes that a class body itself may look up."""
    stack = list(body)
    while stack:
        node = stack.pop()
        if type(node) is Name:
            if node.id[:4] == "_tr_" and node.id[4] not in "pq":
                names[node.id] = None
            continue
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, AST):
                stack.append(value)
            elif type(value) is list:
                stack += [item for item in value if isinstance(item, AST)]


def _simple():
    import _ast

    return frozenset(getattr(_ast, name) for name in (
        "Expr", "Assign", "AugAssign", "AnnAssign", "Return", "Delete", "Raise", "Assert", "Import",
        "ImportFrom", "Global", "Nonlocal", "Pass", "Break", "Continue", "TypeAlias") if hasattr(_ast, name))


SIMPLE = _simple()
SCOPES = frozenset((FunctionDef, AsyncFunctionDef, ClassDef, Lambda))
