// Cooperative work: promises, async iteration, closures, a small event emitter.
class Emitter {
  constructor() {
    this.handlers = new Map();
  }

  on(name, handler) {
    const known = this.handlers.get(name) || [];
    this.handlers.set(name, [...known, handler]);
    return () => this.handlers.set(name, this.handlers.get(name).filter((other) => other !== handler));
  }

  emit(name, ...args) {
    for (const handler of this.handlers.get(name) ?? []) {
      handler.apply(this, args);
    }
  }
}

const counter = () => {
  let count = 0;
  return { up: (by = 1) => (count += by), get count() { return count; } };
};

async function* ticks(limit) {
  for (let i = 0; i < limit; i++) {
    await null;
    yield i;
  }
}

async function worker(name, queue, results) {
  while (queue.length > 0) {
    const item = queue.shift();
    await Promise.resolve();
    results.push(`${name}:${item * item}`);
  }
  return name;
}

function memo(compute) {
  const known = {};
  return function remembered(n) {
    if (!(n in known)) {
      known[n] = compute(n, remembered);
    }
    return known[n];
  };
}

async function main() {
  const emitter = new Emitter();
  const seen = counter();
  const stop = emitter.on('tick', (by) => seen.up(by));
  for await (const tick of ticks(5)) {
    emitter.emit('tick', tick);
    if (tick === 3) stop();
  }
  console.log('seen', seen.count);
  const queue = [1, 2, 3, 4, 5];
  const results = [];
  const names = await Promise.all([worker('one', queue, results), worker('two', queue, results)]);
  console.log(names.join(), results.join(' '));
  const { first, ...rest } = { first: 1, second: 2, third: 3 };
  console.log(first, Object.keys(rest).length, memo((n, self) => (n < 2 ? n : self(n - 1) + self(n - 2)))(20));
  try {
    await Promise.reject(new Error('on purpose'));
  } catch ({ message }) {
    console.log('caught', message);
  }
}

main().finally(() => console.log('done'));
