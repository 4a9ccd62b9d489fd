// Reads a log, groups and ranks what it says: parsing, classes, generators, promises, errors.
"use strict";
const assert = require("node:assert");
const crypto = require("node:crypto");
const { EventEmitter } = require("node:events");
const { Readable } = require("node:stream");
const readline = require("node:readline");

const LOG = `
2024-03-01T09:00:00Z GET /index.html 200 512
2024-03-01T09:00:01Z GET /style.css 200 2048
2024-03-01T09:00:03Z POST /login 302 0
2024-03-01T09:00:04Z GET /index.html 304 0
a broken line
2024-03-01T09:01:30Z GET /missing 404 128
2024-03-01T09:02:00Z GET /index.html 200 512
2024-03-01T09:02:59Z DELETE /users/7 500 64
2024-03-01T09:99:00Z GET /when 200 1
`;

class ParseError extends Error {
  constructor(line, reason) {
    super(`line ${line}: ${reason}`);
    this.name = "ParseError";
  }
}

class Entry {
  #bytes;
  static pattern = /^(?<time>\S+) (?<method>[A-Z]+) (?<path>\/\S*) (?<status>\d{3}) (?<bytes>\d+)$/u;

  constructor(text, line) {
    const groups = Entry.pattern.exec(text)?.groups;
    if (!groups) throw new ParseError(line, `cannot read ${JSON.stringify(text)}`);
    this.time = new Date(groups.time);
    if (Number.isNaN(this.time.getTime())) throw new ParseError(line, `no such time ${groups.time}`);
    Object.assign(this, { method: groups.method, path: groups.path, status: Number(groups.status) });
    this.#bytes = Number(groups.bytes);
  }

  get bytes() {
    return this.#bytes;
  }
}

async function* entries(lines, events) {
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text === "") continue;
    try {
      yield new Entry(text, line);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      events.emit("rejected", error);
    }
  }
}

function* windows(items, size) {
  for (let start = 0; start + size <= items.length; start += 1) yield items.slice(start, start + size);
}

const groupBy = (items, key) =>
  items.reduce((groups, item) => groups.set(key(item), [...(groups.get(key(item)) ?? []), item]), new Map());

const pause = (milliseconds, value) => new Promise((resolve) => setTimeout(resolve, milliseconds, value));

async function main() {
  const events = new EventEmitter();
  const rejected = [];
  events.on("rejected", (error) => rejected.push(`${error.name}: ${error.message}`));

  const lines = readline.createInterface({ input: Readable.from([LOG]), crlfDelay: Infinity });
  const all = [];
  for await (const entry of entries(lines, events)) all.push(entry);

  console.log("path            hits   bytes");
  const ranked = [...groupBy(all, (entry) => entry.path)]
    .map(([path, hits]) => ({ path, hits: hits.length, bytes: hits.reduce((sum, { bytes }) => sum + bytes, 0) }))
    .sort((a, b) => b.hits - a.hits || b.bytes - a.bytes || a.path.localeCompare(b.path));
  for (const { path, hits, bytes } of ranked) {
    console.log(`${path.padEnd(14)} ${String(hits).padStart(5)} ${bytes.toLocaleString("en-US").padStart(7)}`);
  }

  const classes = Object.fromEntries(
    [...groupBy(all, ({ status }) => `${Math.floor(status / 100)}xx`)].map(([name, { length }]) => [name, length]).sort(),
  );
  console.log(JSON.stringify(classes));
  rejected.forEach((text) => console.log(text));

  const gaps = [...windows(all, 2)].map(([first, second]) => (second.time - first.time) / 1000);
  console.log("gaps", gaps.join(" "), "longest", Math.max(...gaps));

  const order = await Promise.all([pause(3, "slow"), pause(1, "fast"), Promise.resolve("now")]);
  const settled = await Promise.allSettled([pause(1), Promise.reject(new RangeError("no"))]);
  console.log(order, settled.map(({ status, reason }) => reason?.message ?? status));
  console.log(crypto.createHash("sha256").update(LOG).digest("hex").slice(0, 16), 2n ** 70n);
  assert.throws(() => assert.strictEqual(all.length, 8), { code: "ERR_ASSERTION" });
}

main().finally(() => console.log("done"));
