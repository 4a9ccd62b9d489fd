'use strict';
// `process`: arguments, environment, the standard streams, and the end.

module.exports = function makeProcess({ std, os, engine, load, cwd }, { Buffer, argv, environment }) {
  const EventEmitter = load('./quickjs-events.cjs');
  const flushers = [];
  let isLeaving = false;

  class Output extends EventEmitter {
    constructor(fd) {
      super();
      this.fd = fd;
      this.writable = true;
    }

    write(chunk, encoding, callback) {
      if (typeof chunk !== 'string' && !ArrayBuffer.isView(chunk)) {
        const error = new TypeError('The "chunk" argument must be of type string or an instance of Buffer, TypedArray, or DataView.');
        error.code = 'ERR_INVALID_ARG_TYPE';
        throw error;
      }
      const file = this.fd === 1 ? std.out : std.err;
      if (typeof chunk === 'string' && (typeof encoding !== 'string' || /^utf-?8$/i.test(encoding))) {
        file.puts(chunk.toWellFormed());
      } else {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
        file.write(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      }
      file.flush();
      const done = typeof encoding === 'function' ? encoding : callback;
      if (typeof done === 'function') process.nextTick(done);
      return true;
    }

    end(chunk, encoding) {
      if (chunk !== undefined) this.write(chunk, encoding);
      return this;
    }
  }

  // Reads when somebody listens and there is nothing else to do.
  class Input extends EventEmitter {
    constructor() {
      super();
      this.fd = 0;
      this.decoding = undefined;
      this.isOver = false;
    }

    setEncoding(encoding) {
      this.decoding = encoding;
      return this;
    }

    resume() { this.isOpen = true; return this; }
    pause() { this.isOpen = false; return this; }
    unref() { return this; }
    ref() { return this; }

    on(name, listener) {
      if (name === 'data' || name === 'readable') this.isOpen = true;
      return super.on(name, listener);
    }

    read() {
      const { held } = this;
      this.held = null;
      return held ?? null;
    }

    feed() {
      if (!this.isOpen || this.isOver) return false;
      const parts = [];
      for (;;) {
        const part = Buffer.alloc(1 << 16);
        const got = os.read(0, part.buffer, 0, part.length);
        if (got <= 0) break;
        parts.push(part.subarray(0, got));
      }
      this.isOver = true;
      const whole = Buffer.concat(parts);
      const chunk = this.decoding ? whole.toString(this.decoding) : whole;
      if (whole.length > 0) {
        this.held = chunk;
        this.emit('data', chunk);
        this.emit('readable');
      }
      if (this.listenerCount('readable') > 0 && this.held === null) this.emit('readable');
      this.emit('end');
      this.emit('close');
      return true;
    }

    async* [Symbol.asyncIterator]() {
      if (!this.isOver) {
        const parts = [];
        this.on('data', (chunk) => parts.push(chunk));
        await new Promise((resolve) => { this.on('end', resolve); });
        yield* parts;
      }
    }
  }

  const streams = {};
  const process = new EventEmitter();
  const stream = (name, make) => Object.defineProperty(process, name, {
    get: { [name]() { return (streams[name] ??= make()); } }[name],
    enumerable: true, configurable: true,
  });
  stream('stdout', () => new Output(1));
  stream('stderr', () => new Output(2));
  stream('stdin', () => new Input());
  const start = os.now();
  const hrtime = (earlier) => {
    const passed = (os.now() - start) * 1000;
    const now = [Math.floor(passed / 1e9), Math.floor(passed % 1e9)];
    if (earlier === undefined) return now;
    const seconds = now[0] - earlier[0];
    const rest = now[1] - earlier[1];
    return rest < 0 ? [seconds - 1, rest + 1e9] : [seconds, rest];
  };
  hrtime.bigint = () => BigInt(Math.floor((os.now() - start) * 1000));
  Object.assign(process, {
    argv: ['/usr/lib/wasm/quickjs.wasm', ...argv],
    argv0: 'quickjs.wasm',
    execArgv: [],
    execPath: '/usr/lib/wasm/quickjs.wasm',
    env: Object.fromEntries(Object.entries(std.getenviron()).filter(([name]) => environment === undefined || environment.includes(name))),
    exitCode: undefined,
    platform: 'wasi',
    arch: 'wasm32',
    version: `QuickJS-ng v${engine.version}`,
    versions: { quickjs: engine.version },
    release: { name: 'quickjs' },
    cwd,
    chdir(folder) {
      const whole = folder.startsWith('/') ? folder : `${process.cwd()}/${folder}`;
      if (os.chdir(whole) < 0) throw new Error(`ENOENT: no such file or directory, chdir '${folder}'`);
      process.cwd = () => whole;
    },
    uptime: () => (os.now() - start) / 1e6,
    hrtime,
    memoryUsage: engine.memory,
    emitWarning: (warning) => { process.stderr.write(`(quickjs) ${warning?.name ?? 'Warning'}: ${warning?.message ?? warning}\n`); },
    exit(code) {
      if (code !== undefined) process.exitCode = code;
      process.leave();
    },
    abort() {
      for (const flush of flushers) flush();
      engine.abort();
    },
  });
  process.memoryUsage.rss = () => engine.memory().rss;
  const own = (name, value) => Object.defineProperty(process, name, { value, enumerable: false });
  own('emitBeforeExit', () => process.emit('beforeExit', process.exitCode ?? 0));
  own('leave', () => {
    if (!isLeaving) {
      isLeaving = true;
      process.exitCode ??= 0;
      try {
        process.emit('exit', process.exitCode);
      } finally {
        for (const flush of flushers) flush();
        std.exit(Number(process.exitCode) & 0xff);
      }
    }
    std.exit(Number(process.exitCode) & 0xff);
  });
  return { process, flushed: (flush) => flushers.push(flush) };
};
