// A mixture of everyday work, repeated as often as the argument says.
'use strict';

class Account {
  constructor(owner, balance) {
    this.owner = owner;
    this.balance = balance;
    this.history = [];
  }

  deposit(amount) {
    if (amount <= 0) {
      throw new RangeError('nothing to deposit');
    }
    this.balance += amount;
    this.history.push(amount);
    return this.balance;
  }
}

function insertionSort(values) {
  for (let index = 1; index < values.length; index += 1) {
    const value = values[index];
    let place = index;
    while (place > 0 && values[place - 1] > value) {
      values[place] = values[place - 1];
      place -= 1;
    }
    values[place] = value;
  }
  return values;
}

function countWords(text) {
  const counts = {};
  for (const word of text.split(' ')) {
    const key = word.replace(/[.,]/g, '').toLowerCase();
    counts[key] = (counts[key] || 0) + 1;
  }
  return counts;
}

function fibonacci(n) {
  if (n < 2) {
    return n;
  }
  return fibonacci(n - 1) + fibonacci(n - 2);
}

function sieve(limit) {
  const prime = new Array(limit).fill(true);
  let found = 0;
  for (let number = 2; number < limit; number += 1) {
    if (!prime[number]) {
      continue;
    }
    found += 1;
    for (let multiple = number * number; multiple < limit; multiple += number) {
      prime[multiple] = false;
    }
  }
  return found;
}

function oneRound(seed) {
  let state = seed;
  const values = [];
  for (let i = 0; i < 40; i += 1) {
    state = (state * 110351 + 12345) % 2147483648;
    values.push(state % 1000);
  }
  const ordered = insertionSort(values);
  const counts = countWords('The cat saw the dog. The dog, seeing the cat, ran off.');
  const account = new Account('Ada', 100);
  for (const amount of [5, 20, -1, 7]) {
    try {
      account.deposit(amount);
    } catch (error) {
      counts[error.message] = amount;
    }
  }
  return ordered[0] + counts.the + account.balance + fibonacci(8) + sieve(120);
}

function main() {
  const rounds = process.argv.length > 2 ? Number(process.argv[2]) : 3;
  let total = 0;
  for (let seed = 0; seed < rounds; seed += 1) {
    total += oneRound(seed);
  }
  console.log('total', total);
}

main();
