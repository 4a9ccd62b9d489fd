'use strict';
// The modules of node that are here, and the globals of the web that QuickJS lacks. Any other is
// refused by its name.

const MISSING = ['async_hooks', 'child_process', 'cluster', 'crypto', 'dgram', 'diagnostics_channel',
  'dns', 'domain', 'http', 'http2', 'https', 'inspector', 'module', 'net', 'punycode', 'querystring',
  'repl', 'stream', 'stream/promises', 'string_decoder', 'sys', 'test', 'tls', 'trace_events', 'tty', 'url',
  'v8', 'vm', 'wasi', 'worker_threads', 'zlib', 'readline/promises'];

module.exports = function makeLibrary({ Buffer, decode, types, inspect, format, process, path, fs }) {
  const EventEmitter = process.constructor;

  function isSame(a, b, strict, seen) {
    if (Object.is(a, b) || (!strict && a == b)) return true; // eslint-disable-line eqeqeq
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    if (seen.some(([x, y]) => x === a && y === b)) return true;
    const inner = [...seen, [a, b]];
    const same = (x, y) => isSame(x, y, strict, inner);
    if (types.isDate(a)) return types.isDate(b) && a.getTime() === b.getTime();
    if (types.isRegExp(a)) return types.isRegExp(b) && `${a}` === `${b}`;
    if (types.isBoxedPrimitive(a)) return types.isBoxedPrimitive(b) && Object.is(a.valueOf(), b.valueOf());
    if (types.isNativeError(a) && (!types.isNativeError(b) || a.message !== b.message || a.name !== b.name)) return false;
    if (types.isMap(a)) {
      if (!types.isMap(b) || a.size !== b.size) return false;
      for (const [key, value] of a) {
        if (b.has(key) ? !same(value, b.get(key))
          : ![...b].some(([other, its]) => same(key, other) && same(value, its))) return false;
      }
    } else if (types.isSet(a)) {
      if (!types.isSet(b) || a.size !== b.size) return false;
      for (const value of a) if (!b.has(value) && ![...b].some((other) => same(value, other))) return false;
    }
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
  }

  class AssertionError extends Error {
    constructor(options) {
      super(options.message ?? `${inspect(options.actual)} ${options.operator} ${inspect(options.expected)}`);
      Object.assign(this, {
        generatedMessage: options.message === undefined, code: 'ERR_ASSERTION',
        actual: options.actual, expected: options.expected, operator: options.operator,
      });
      Object.defineProperty(this, 'name', { value: 'AssertionError', enumerable: false });
    }
  }

  function makeAssert() {
    const fail = (message, actual, expected, operator) => {
      if (message instanceof Error) throw message;
      throw new AssertionError({ message, actual, expected, operator });
    };
    const assert = (value, message) => {
      if (!value) fail(message ?? 'The expression evaluated to a falsy value', value, true, '==');
    };
    const by = (test, operator) => (actual, expected, message) => {
      if (!test(actual, expected)) fail(message, actual, expected, operator);
    };
    const fits = (error, wanted) => {
      if (wanted === undefined) return true;
      if (types.isRegExp(wanted)) return wanted.test(String(error));
      if (typeof wanted !== 'function') {
        return Object.keys(wanted).every((key) => (types.isRegExp(wanted[key]) && typeof error[key] === 'string'
          ? wanted[key].test(error[key]) : isSame(error[key], wanted[key], true, [])));
      }
      if (wanted.prototype !== undefined && error instanceof wanted) return true;
      return !(wanted.prototype instanceof Error || wanted === Error) && wanted.call({}, error) === true;
    };
    Object.assign(assert, {
      ok: assert,
      equal: by((a, b) => a == b || (a !== a && b !== b), '=='), // eslint-disable-line eqeqeq
      notEqual: by((a, b) => a != b, '!='), // eslint-disable-line eqeqeq
      strictEqual: by(Object.is, 'strictEqual'),
      notStrictEqual: by((a, b) => !Object.is(a, b), 'notStrictEqual'),
      deepEqual: by((a, b) => isSame(a, b, false, []), 'deepEqual'),
      deepStrictEqual: by((a, b) => isSame(a, b, true, []), 'deepStrictEqual'),
      notDeepEqual: by((a, b) => !isSame(a, b, false, []), 'notDeepEqual'),
      notDeepStrictEqual: by((a, b) => !isSame(a, b, true, []), 'notDeepStrictEqual'),
      match: (text, pattern, message) => { if (!pattern.test(text)) fail(message, text, pattern, 'match'); },
      fail: (message = 'Failed') => fail(message, undefined, undefined, 'fail'),
      throws(action, wanted, message) {
        try {
          action();
        } catch (error) {
          if (typeof wanted === 'string' || fits(error, wanted)) return;
          throw error;
        }
        fail(message ?? 'Missing expected exception.', undefined, wanted, 'throws');
      },
      doesNotThrow(action) { action(); },
      async rejects(action, wanted, message) {
        try {
          await (typeof action === 'function' ? action() : action);
        } catch (error) {
          if (typeof wanted === 'string' || fits(error, wanted)) return;
          throw error;
        }
        fail(message ?? 'Missing expected rejection.', undefined, wanted, 'rejects');
      },
      AssertionError,
    });
    assert.strict = Object.assign((...given) => assert(...given), assert, {
      equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual,
      notDeepEqual: assert.notDeepStrictEqual,
    });
    return assert;
  }

  class Interface extends EventEmitter {
    constructor(options) {
      super();
      this.output = options.output;
      this.lines = [];
      this.asked = [];
      this.prompted = '> ';
      let rest = '';
      const { input } = options;
      this.closed = false;
      input.on('data', (chunk) => {
        const parts = (rest + chunk).split(/\r\n|\n|\r/);
        rest = parts.pop();
        for (const line of parts) this.take(line);
      });
      input.on('end', () => {
        if (rest !== '') this.take(rest);
        this.close();
      });
    }

    take(line) {
      if (this.closed) return;
      const answer = this.asked.shift();
      if (answer !== undefined) answer(line);
      else if (this.listenerCount('line') > 0) this.emit('line', line);
      else this.lines.push(line);
    }

    question(text, options, callback = options) {
      this.output?.write(text);
      const line = this.lines.shift();
      if (line !== undefined) callback(line);
      else this.asked.push(callback);
    }

    setPrompt(text) { this.prompted = text; }
    prompt() { this.output?.write(this.prompted); }
    write() {}
    pause() { return this; }
    resume() { return this; }

    close() {
      if (this.closed) return;
      this.closed = true;
      this.emit('close');
    }

    async* [Symbol.asyncIterator]() {
      const lines = this.lines.splice(0);
      let wake = () => undefined;
      this.on('line', (line) => {
        lines.push(line);
        wake();
      });
      this.on('close', () => wake());
      for (;;) {
        while (lines.length > 0) yield lines.shift();
        if (this.closed) return;
        await new Promise((resolve) => { wake = resolve; });
      }
    }
  }

  const promised = Symbol.for('nodejs.util.promisify.custom');
  const util = {
    inspect, format, types,
    promisify: (action) => action[promised] ?? function promisified(...given) {
      return new Promise((resolve, reject) => {
        Reflect.apply(action, this, [...given, (error, value) => (error ? reject(error) : resolve(value))]);
      });
    },
    callbackify: (action) => function callbackified(...given) {
      const callback = given.pop();
      Reflect.apply(action, this, given).then((value) => process.nextTick(callback, null, value),
        (error) => process.nextTick(callback, error));
    },
    inherits(child, parent) {
      Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true });
      Object.setPrototypeOf(child.prototype, parent.prototype);
    },
    deprecate: (action) => action,
    isDeepStrictEqual: (a, b) => isSame(a, b, true, []),
    isArray: Array.isArray,
    stripVTControlCharacters: (text) => text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, ''), // eslint-disable-line no-control-regex
  };
  util.promisify.custom = promised;

  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return new Uint8Array(Buffer.from(`${text}`)); }
  }
  class TextDecoder {
    get encoding() { return 'utf-8'; }
    decode(bytes = new Uint8Array(0)) {
      const view = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : new Uint8Array(bytes);
      return decode(view, 0, view.length);
    }
  }
  Object.assign(util, { TextEncoder, TextDecoder });

  function clone(value, seen = new Map()) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new DOMException(`${typeof value === 'function' ? value : String(value)} could not be cloned.`, 'DataCloneError');
    }
    if (typeof value !== 'object' || value === null) return value;
    const known = seen.get(value);
    if (known !== undefined) return known;
    const keep = (made) => {
      seen.set(value, made);
      return made;
    };
    if (types.isDate(value)) return keep(new Date(value.getTime()));
    if (types.isRegExp(value)) return keep(new RegExp(value.source, value.flags));
    if (types.isBoxedPrimitive(value)) return keep(Object(value.valueOf()));
    if (types.isArrayBuffer(value)) return keep(value.slice(0));
    if (types.isTypedArray(value)) return keep(value.slice());
    if (types.isMap(value)) {
      const made = keep(new Map());
      for (const [key, item] of value) made.set(clone(key, seen), clone(item, seen));
      return made;
    }
    if (types.isSet(value)) {
      const made = keep(new Set());
      for (const item of value) made.add(clone(item, seen));
      return made;
    }
    if (types.isNativeError(value)) {
      const made = keep(new (globalThis[value.name] ?? Error)(value.message));
      made.stack = value.stack;
      return made;
    }
    const made = keep(Array.isArray(value) ? new Array(value.length) : {});
    for (const key of Object.keys(value)) made[key] = clone(value[key], seen);
    return made;
  }

  const makers = {
    assert: makeAssert,
    'assert/strict': () => modules.get('assert').strict,
    buffer: () => ({ Buffer }),
    console: () => globalThis.console,
    constants: () => ({}),
    events: () => EventEmitter,
    fs: () => fs,
    'fs/promises': () => fs.promises,
    os: () => ({
      EOL: '\n', platform: () => 'wasi', type: () => 'WASI', arch: () => 'wasm32', cpus: () => [],
      tmpdir: () => '/tmp', homedir: () => process.env.HOME ?? '/', hostname: () => 'localhost',
      totalmem: () => 4294967296, freemem: () => 4294967296, endianness: () => 'LE', release: () => '',
    }),
    path: () => path,
    'path/posix': () => path,
    perf_hooks: () => ({ performance }),
    process: () => process,
    readline: () => ({ createInterface: (options, output) => new Interface(output ? { input: options, output } : options), Interface }),
    timers: () => ({ setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate }),
    'timers/promises': () => ({
      setTimeout: (after, value) => new Promise((resolve) => { setTimeout(resolve, after, value); }),
      setImmediate: (value) => new Promise((resolve) => { setImmediate(resolve, value); }),
    }),
    util: () => util,
    'util/types': () => types,
  };
  const made = new Map();
  const modules = {
    has: (name) => Object.hasOwn(makers, name),
    isMissing: (name) => MISSING.includes(name),
    get(name) {
      if (!Object.hasOwn(makers, name)) {
        const error = new Error(`Node.js's module '${name}' is not there in WebAssembly, where the program runs on QuickJS`);
        error.code = 'ERR_UNKNOWN_BUILTIN_MODULE';
        throw error;
      }
      if (!made.has(name)) made.set(name, makers[name]());
      return made.get(name);
    },
  };
  return {
    modules,
    globals: [['TextEncoder', TextEncoder], ['TextDecoder', TextDecoder],
      ['structuredClone', { structuredClone(value) { return clone(value); } }.structuredClone]],
  };
};
