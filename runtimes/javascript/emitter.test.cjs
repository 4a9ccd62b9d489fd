'use strict';
// The emitter's own test: values are described without running them, and every visit is either a
// record or counted. Run with `node --test`; it needs no trace channel but a plain file.

const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const test = require('node:test');

const { Channel } = require('./channel.cjs');
const { Recorder } = require('./recorder.cjs');
const makeProbes = require('./probes.cjs');

const SLOTS = 64;
const SEGMENT = 65536;
const SEGMENTS = 8;
const FIRST = 4096 + SLOTS * 64;

function region(budget) {
  const bytes = Buffer.alloc(FIRST + SEGMENTS * SEGMENT);
  bytes.write('TRCS');
  bytes.writeUInt16LE(1, 4);
  [4096, SLOTS, 64, SEGMENTS, FIRST, SEGMENT, budget, 1 << 20]
    .forEach((word, i) => bytes.writeUInt32LE(word, 24 + 4 * i));
  bytes[56] = 3;
  bytes[57] = 2;
  bytes.writeUInt16LE(20, 58);
  bytes.writeUInt16LE(100, 60);
  bytes.writeUInt16LE(1024, 62);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'emitter-'));
  const file = path.join(folder, 'region');
  fs.writeFileSync(file, bytes);
  const fd = fs.openSync(file, 'r+');
  const recorder = new Recorder(new Channel(fd));
  return {
    recorder,
    ...makeProbes(recorder),
    read() {
      recorder.flush();
      const all = fs.readFileSync(file);
      fs.closeSync(fd);
      fs.rmSync(folder, { recursive: true });
      return all;
    },
  };
}

// Steps and left-out steps by site; enough of the format for what this test records.
function count(all) {
  const recorded = new Map();
  const add = (site, n) => recorded.set(site, (recorded.get(site) ?? 0) + n);
  const claimed = all.readUInt32LE(64);
  for (let segment = 0; segment < claimed; segment++) {
    let at = FIRST + segment * SEGMENT;
    assert.strictEqual(all.toString('latin1', at, at + 4), 'SEG1');
    const end = at + SEGMENT;
    at += 32;
    const varint = () => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = all[at++];
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
    };
    while (at < end && all[at] !== 0) {
      const op = all[at++];
      if (op === 0x01) add(varint(), 1);
      else if (op === 0x06) { varint(); at++; assert.strictEqual(all[at++], 0); }
      else if (op === 0x0c) { const site = varint(); const n = varint(); const skip = varint(); at += skip; if (site === 2) add(site, n); }
      else if (op === 0x0d || op === 0x0f) varint();
      else assert.fail(`op ${op} at ${at}`);
    }
  }
  const left = all.readUInt32LE(4096 + 2 * 64);
  add(2, left);
  return recorded;
}

for (const budget of [100000, 400, 10]) {
  test(`with a budget of ${budget}, no visit is lost`, () => {
    const { recorder, probes, read } = region(budget);
    recorder.learn({ first: 1, functions: ['<module>'], sites: [0, 1, 0, 2, 0, 3], loops: [1, 2] });
    for (let round = 0; round < 3; round++) {
      probes.le(1);
      for (let i = 0; i < 20000; i++) { probes.l(1); probes.s(2); }
      probes.x(1);
      probes.s(3);
    }
    assert.ok(recorder.events <= budget + 2 * SLOTS);
    assert.strictEqual(count(read()).get(2), 60000);
  });
}

test('what the slots hold at the end does not hang on when they were written before', () => {
  const image = (every) => {
    const { recorder, probes, read } = region(400);
    recorder.learn({ first: 1, functions: ['<module>'], sites: [0, 1, 0, 2, 0, 3], loops: [1, 3] });
    recorder.lastFlush = Infinity;
    let count = 0;
    const look = () => {
      if (++count % every === 0) recorder.glimpse();
      recorder.lastFlush = Infinity;
    };
    probes.le(1);
    for (let i = 0; i < 5000; i++) {
      probes.l(1);
      look();
      probes.v(2, i % 7 === 3 ? { i } : i);
      look();
      probes.s(3);
      look();
    }
    probes.v(2, { last: true });
    return read().subarray(4096);
  };
  const never = image(Infinity);
  for (const every of [1, 2, 3, 50]) assert.ok(image(every).equals(never), `every ${every}`);
});

test('describing a value runs none of it', () => {
  const { recorder, read } = region(100);
  const { out } = recorder;
  const trap = () => { throw new Error('ran'); };
  const handler = new Proxy({}, { get: () => trap });
  const values = [
    { get a() { return trap(); }, toString: trap, toJSON: trap, [Symbol.toPrimitive]: trap },
    new Proxy({}, handler), new Proxy(function () {}, handler), Object.create(new Proxy({}, handler)),
    [new Proxy([], handler)], new Map([[{ get k() { return trap(); } }, 1]]),
    Object.defineProperty([], 0, { get: trap }), new (class { get x() { return trap(); } })(),
    Object.assign(() => {}, { toString: trap }), new Date(NaN), 10n ** 3000n, Symbol('s'),
  ];
  for (const value of values) {
    out.length = 0;
    out.value(value);
    assert.ok(out.length > 0 && out.length < 1400);
  }
  read();
});

test('values have the bytes the format says', () => {
  const { recorder, read } = region(100);
  const { out } = recorder;
  const bytes = (value) => {
    out.length = 0;
    out.value(value);
    return [...out.bytes.subarray(0, out.length)];
  };
  assert.deepStrictEqual(bytes(null), [0x00]);
  assert.deepStrictEqual(bytes(undefined), [0x0a]);
  assert.deepStrictEqual(bytes(true), [0x02]);
  assert.deepStrictEqual(bytes(-3), [0x03, 5]);
  assert.deepStrictEqual(bytes(300), [0x03, 0xd8, 0x04]);
  assert.deepStrictEqual(bytes(-0), [0x05, 0, 0, 0, 0, 0, 0, 0, 0x80]);
  assert.deepStrictEqual(bytes('é'), [0x06, 1, 4, 0xc3, 0xa9]);
  assert.deepStrictEqual(bytes(12n), [0x04, 2, 0x31, 0x32]);
  const long = bytes('x'.repeat(101));
  assert.deepStrictEqual(long.slice(0, 4), [0x06, 101, (201 & 0x7f) | 0x80, 1]);
  assert.strictEqual(long.length, 4 + 100 + 8);
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < 101; i++) hash = BigInt.asUintN(64, (hash ^ 0x78n) * 0x100000001b3n);
  assert.strictEqual(Buffer.from(long.slice(-8)).readBigUInt64LE(), hash);
  const holes = bytes([1, , 2]);
  assert.deepStrictEqual(holes.slice(3), [3, 0, 0x83, 0, 0x03, 2, 0x09, 0x03, 4]);
  read();
});
