// Ranks the words of a text: classes, generators, maps, promises, errors, exact integers.
"use strict";

const TEXT = `the map and the plan: the plan is a map
of what to do, and the map is not the land`;

class Tally {
  #counts = new Map();

  add(word) {
    if (!/^\p{L}+$/u.test(word)) throw new RangeError(`no word: ${JSON.stringify(word)}`);
    this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
    return this;
  }

  *ranked() {
    const all = [...this.#counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    for (const [word, count] of all) yield { word, count };
  }
}

const tally = new Tally();
for (const word of TEXT.split(/[\s,:]+/)) tally.add(word);
for (const { word, count } of tally.ranked()) {
  if (count > 1) console.log(word.padEnd(5, ".") + String(count).padStart(3));
}
try {
  tally.add("4");
} catch (error) {
  console.log(error.name + ": " + error.message);
}

async function main() {
  const all = await Promise.allSettled([1, Promise.reject(new Error("no")), (async () => 2n ** 70n)()]);
  console.log(all.map(({ status, value, reason }) => `${status} ${value ?? reason.message}`).join("; "));
  return Object.fromEntries([1, 2, 3, 4].map((n) => [n, n % 2 ? "odd" : "even"]));
}

main().then((groups) => console.log(JSON.stringify(groups)));
console.log([3, 1, 2].toSorted().join(), new Date(0).toISOString(), (0.1 + 0.2).toFixed(3));
