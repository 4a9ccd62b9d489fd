"""A calculator: tokens, a recursive descent parser, an evaluator."""
import operator
import re

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*)|(\*\*|[-+*/()=])|([A-Za-z_]\w*))")
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


class Problem(Exception):
    pass


def tokens(text):
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match or match.end() == position:
            raise Problem(f"cannot read {text[position:]!r}")
        position = match.end()
        number, symbol, name = match.groups()
        if number:
            yield "number", float(number)
        elif symbol:
            yield "symbol", symbol
        else:
            yield "name", name
    yield "end", None


class Parser:
    def __init__(self, text):
        self.tokens = list(tokens(text))
        self.at = 0

    @property
    def here(self):
        return self.tokens[self.at]

    def accept(self, *symbols):
        kind, value = self.here
        if kind == "symbol" and value in symbols:
            self.at += 1
            return value
        return None

    def statement(self):
        if len(self.tokens) > 2 and self.tokens[1] == ("symbol", "="):
            kind, name = self.here
            if kind != "name":
                raise Problem("only names can be assigned")
            self.at += 2
            return ("assign", name, self.sum())
        tree = self.sum()
        if self.here[0] != "end":
            raise Problem(f"unexpected {self.here[1]!r}")
        return tree

    def sum(self):
        tree = self.product()
        while symbol := self.accept("+", "-"):
            tree = (symbol, tree, self.product())
        return tree

    def product(self):
        tree = self.factor()
        while symbol := self.accept("*", "/"):
            tree = (symbol, tree, self.factor())
        return tree

    def factor(self):
        if self.accept("-"):
            return ("negate", self.factor())
        if self.accept("("):
            tree = self.sum()
            if not self.accept(")"):
                raise Problem("a parenthesis is missing")
            return tree
        kind, value = self.here
        self.at += 1
        if kind in ("number", "name"):
            return (kind, value)
        raise Problem("a number or a name was expected")


def evaluate(tree, names):
    match tree:
        case ("number", value):
            return value
        case ("name", name) if name in names:
            return names[name]
        case ("name", name):
            raise Problem(f"{name} has no value")
        case ("negate", inner):
            return -evaluate(inner, names)
        case ("assign", name, inner):
            names[name] = evaluate(inner, names)
            return names[name]
        case (symbol, left, right):
            return OPERATORS[symbol](evaluate(left, names), evaluate(right, names))


def main():
    names = {"pi": 3.14159}
    lines = ["1 + 2 * 3", "r = 2.5", "pi * r * r", "(1 + 2) * -(3 - 5)", "8 / (4 - 4)", "2 +", "x", "$"]
    for line in lines:
        try:
            print(line, "->", round(evaluate(Parser(line).statement(), names), 4))
        except (Problem, ZeroDivisionError) as error:
            print(line, "-> error:", error)


main()
