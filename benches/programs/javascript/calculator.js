// A calculator: tokens, a recursive descent parser, an evaluator.
const operators = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

function* tokens(text) {
  const pattern = /\s*(?:(\d+\.?\d*)|([-+*\/()=])|([A-Za-z_]\w*))/y;
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) {
      throw new SyntaxError(`cannot read ${text.slice(start)}`);
    }
    const [, number, symbol, name] = match;
    if (number) yield { kind: 'number', value: Number(number) };
    else if (symbol) yield { kind: 'symbol', value: symbol };
    else yield { kind: 'name', value: name };
  }
  yield { kind: 'end', value: null };
}

class Parser {
  constructor(text) {
    this.tokens = [...tokens(text)];
    this.at = 0;
  }

  get here() {
    return this.tokens[this.at];
  }

  accept(...symbols) {
    const { kind, value } = this.here;
    if (kind === 'symbol' && symbols.includes(value)) {
      this.at++;
      return value;
    }
    return undefined;
  }

  statement() {
    if (this.tokens.length > 2 && this.tokens[1].value === '=') {
      const name = this.here.value;
      this.at += 2;
      return { kind: 'assign', name, value: this.sum() };
    }
    const tree = this.sum();
    if (this.here.kind !== 'end') {
      throw new SyntaxError(`unexpected ${this.here.value}`);
    }
    return tree;
  }

  sum() {
    let tree = this.product();
    for (let symbol; (symbol = this.accept('+', '-')); ) {
      tree = { kind: symbol, left: tree, right: this.product() };
    }
    return tree;
  }

  product() {
    let tree = this.factor();
    for (let symbol; (symbol = this.accept('*', '/')); ) {
      tree = { kind: symbol, left: tree, right: this.factor() };
    }
    return tree;
  }

  factor() {
    if (this.accept('-')) return { kind: 'negate', inner: this.factor() };
    if (this.accept('(')) {
      const tree = this.sum();
      if (!this.accept(')')) throw new SyntaxError('a parenthesis is missing');
      return tree;
    }
    const token = this.here;
    this.at++;
    if (token.kind === 'number' || token.kind === 'name') return token;
    throw new SyntaxError('a number or a name was expected');
  }
}

function evaluate(tree, names) {
  switch (tree.kind) {
    case 'number':
      return tree.value;
    case 'name':
      if (!(tree.value in names)) throw new ReferenceError(`${tree.value} has no value`);
      return names[tree.value];
    case 'negate':
      return -evaluate(tree.inner, names);
    case 'assign':
      return (names[tree.name] = evaluate(tree.value, names));
    default: {
      const { left, right } = tree;
      return operators[tree.kind](evaluate(left, names), evaluate(right, names));
    }
  }
}

const names = { pi: 3.14159 };
const lines = ['1 + 2 * 3', 'r = 2.5', 'pi * r * r', '(1 + 2) * -(3 - 5)', '8 / (4 - 4)', '2 +', 'x', '$'];
for (const line of lines) {
  try {
    console.log(line, '->', Math.round(evaluate(new Parser(line).statement(), names) * 1e4) / 1e4);
  } catch (error) {
    console.log(line, '-> error:', error.message);
  }
}
