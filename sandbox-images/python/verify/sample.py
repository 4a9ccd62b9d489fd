"""Evaluates a small expression language: tokens, a recursive-descent parser, closures, errors."""

import re
from collections import Counter, namedtuple
from dataclasses import dataclass, field
from decimal import Decimal, getcontext
from functools import lru_cache, reduce

getcontext().prec = 12
Token = namedtuple("Token", "kind text column")
PATTERN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[a-z]\w*)|(?P<op>[-+*/^(),=]))")


class Fault(Exception):
    def __init__(self, message, column):
        super().__init__(f"{message} at column {column}")
        self.column = column


def tokens(text):
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = PATTERN.match(text, position)
        if match is None:
            raise Fault(f"unexpected {text[position:].lstrip()[0]!r}", position + 1)
        yield Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1)
        position = match.end()
    yield Token("end", "", len(text) + 1)


@dataclass
class Parser:
    source: str
    names: dict
    queue: list = field(init=False)

    def __post_init__(self):
        self.queue = list(tokens(self.source))

    def take(self, *texts):
        if self.queue[0].text in texts:
            return self.queue.pop(0)
        return None

    def binary(self, operators, below):
        left = below()
        while token := self.take(*operators):
            right = below()
            try:
                left = operators[token.text](left, right)
            except ArithmeticError as error:
                raise Fault(type(error).__name__, token.column) from error
        return left

    def sum(self):
        return self.binary({"+": Decimal.__add__, "-": Decimal.__sub__}, self.product)

    def product(self):
        return self.binary({"*": Decimal.__mul__, "/": Decimal.__truediv__}, self.power)

    def power(self):
        base = self.atom()
        return base ** self.power() if self.take("^") else base

    def atom(self):
        token = self.queue.pop(0)
        if token.text == "-":
            return -self.atom()
        if token.text == "(":
            value = self.sum()
            if not self.take(")"):
                raise Fault("missing )", self.queue[0].column)
            return value
        if token.kind == "number":
            return Decimal(token.text)
        if token.kind == "name":
            return self.name(token)
        raise Fault("expected a value", token.column)

    def name(self, token):
        if self.take("("):
            arguments = [self.sum()]
            while self.take(","):
                arguments.append(self.sum())
            self.take(")")
            return FUNCTIONS[token.text](*arguments)
        try:
            return self.names[token.text]
        except KeyError:
            raise Fault(f"unknown name {token.text}", token.column) from None

    def statement(self):
        if len(self.queue) > 2 and self.queue[1].text == "=":
            target, _ = self.queue.pop(0), self.queue.pop(0)
            self.names[target.text] = self.sum()
            return self.names[target.text]
        return self.sum()


@lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


FUNCTIONS = {
    "max": max,
    "fib": lambda n: Decimal(fibonacci(int(n))),
    "mean": lambda *values: reduce(Decimal.__add__, values) / len(values),
}

names, results = {}, Counter()
for line in ("a = 3", "b = a ^ 2 ^ 2 - 1", "(b + 1) / a", "mean(1, 2, 4)", "fib(40)", "1 / (a - 3)", "2 * c", "4 $ 4", "(1"):
    try:
        print(f"{line:<20} {Parser(line, names).statement():>18}")
        results["good"] += 1
    except Fault as fault:
        print(f"{line:<20} {fault}")
        results["bad"] += 1

print(dict(sorted(results.items())), sum(sum(range(start, 1000, 4)) for start in range(4)))
