'use strict';
// Keeps the instrumentation out of stack traces: positions are those of the original, and the
// emitter's own frames are left out. Works on node's own hook below `Error.prepareStackTrace`,
// which stays as it was.

const {
  apply, defineProperty, hasOwn, indexOf, charCodeAt, slice, startsWith, weakGet, weakSet,
} = require('./primordials.cjs');

// Native functions whose SyntaxErrors V8 places in the text they were given.
const COMPILERS = [
  'parse', 'Function', 'GeneratorFunction', 'AsyncFunction', 'AsyncGeneratorFunction', 'eval',
];

module.exports = function installStacks(internals, sources, folder) {
  const { internalBinding, errors } = internals;
  const { fileURLToPath } = require('url');
  const original = errors.prepareStackTraceCallback ?? errors.prepareStackTrace;
  const shown = new WeakMap();
  const places = new WeakMap();
  let prototype = null;
  let busy = false;

  internalBinding('errors').setPrepareStackTraceCallback((realm, error, trace) => {
    let mapped = trace;
    if (!busy) {
      busy = true;
      try {
        mapped = map(trace, error);
        remember(error, trace);
      } catch {
        // Out of stack: an unmapped trace is better than none.
      }
      busy = false;
    }
    return original(realm, error, mapped);
  });

  function known(file) {
    if (typeof file !== 'string') return undefined;
    return sources.get(startsWith(file, 'file://') ? fileURLToPath(file) : file);
  }

  function isOwn(file) {
    return typeof file === 'string' && startsWith(file, folder);
  }

  function map(trace, error) {
    let mapped = null;
    let first = true;
    for (let i = 0; i < trace.length; i++) {
      const site = trace[i];
      const file = site.getFileName();
      const own = isOwn(file);
      if (own || site.isEval() || known(file) !== undefined) {
        if (mapped === null) {
          mapped = [];
          for (let k = 0; k < i; k++) append(mapped, trace[k]);
        }
        if (own) continue;
        if (prototype === null) prototype = build(site);
        const view = { __proto__: prototype };
        weakSet(shown, view, { site, moved: first ? moved(site, file, error) : undefined });
        append(mapped, view);
      } else if (mapped !== null) append(mapped, site);
      first = first && typeof file !== 'string';
    }
    if (mapped !== null && trace.length - mapped.length > 0 && errorName(error) === 'RangeError') {
      refill(mapped, trace.length);
    }
    return mapped ?? trace;
  }

  // V8 keeps a fixed number of frames. Where a stack overflowed in a probe, those of the emitter
  // took the place of more rounds of the same recursion.
  function refill(mapped, length) {
    for (let period = 1; period <= 3 && mapped.length >= 3 * period; period++) {
      let repeats = true;
      for (let i = mapped.length - 2 * period; repeats && i < mapped.length - period; i++) {
        repeats = `${mapped[i]}` === `${mapped[i + period]}`;
      }
      if (!repeats) continue;
      while (mapped.length < length) append(mapped, mapped[mapped.length - period]);
      return;
    }
  }

  // The original's position of the innermost frame, where a probe changed which code V8 was at.
  function moved(site, file, error) {
    const source = known(file);
    const line = site.getLineNumber();
    if (source === undefined || !line) return undefined;
    return movedIn(source, source.place(line, site.getColumnNumber()), error);
  }

  function position({ site, moved: instead }) {
    if (instead !== undefined) return instead;
    const line = site.getLineNumber();
    const source = known(site.getFileName());
    const column = site.getColumnNumber();
    return source && column ? source.place(line, column) : { line, column };
  }

  function build(sample) {
    const made = {};
    const native = Object.getPrototypeOf(sample);
    const define = (name, method) => defineProperty(made, name, {
      value: method, writable: true, enumerable: false, configurable: true,
    });
    for (const name of Object.getOwnPropertyNames(native)) {
      const method = native[name];
      if (name === 'constructor' || typeof method !== 'function') continue;
      define(name, { [name](...args) { return apply(method, weakGet(shown, this).site, args); } }[name]);
    }
    define('getLineNumber', function getLineNumber() { return position(weakGet(shown, this)).line; });
    define('getColumnNumber', function getColumnNumber() {
      return position(weakGet(shown, this)).column;
    });
    define('getEnclosingColumnNumber', function getEnclosingColumnNumber() {
      const { site } = weakGet(shown, this);
      const source = known(site.getFileName());
      const column = site.getEnclosingColumnNumber();
      return source && column ? source.place(site.getEnclosingLineNumber(), column).column : column;
    });
    define('getEvalOrigin', function getEvalOrigin() {
      const origin = weakGet(shown, this).site.getEvalOrigin();
      return typeof origin === 'string' ? rewrite(origin) : origin;
    });
    define('toString', function toString() {
      const view = weakGet(shown, this);
      return rewrite(view.site.toString(), view.moved);
    });
    return made;
  }

  // Restores the columns behind every known file's name in a text.
  function rewrite(text, instead) {
    const iterator = sources.values();
    for (let step = iterator.next(); !step.done; step = iterator.next()) {
      const source = step.value;
      let from = 0;
      for (;;) {
        const at = indexOf(text, `${source.tail}:`, from);
        if (at < 0) break;
        const lineAt = at + source.tail.length + 1;
        const line = digits(text, lineAt);
        const columnAt = lineAt + line.length + 1;
        const column = digits(text, columnAt);
        from = columnAt;
        if (line === '' || column === '') continue;
        const to = instead ?? source.place(+line, +column);
        const head = `${slice(text, 0, lineAt)}${to.line}:${to.column}`;
        text = `${head}${slice(text, columnAt + column.length)}`;
        from = head.length;
      }
    }
    return text;
  }

  // Where V8 says an error was thrown that no `throw` of the program raised.
  function remember(error, trace) {
    // Errors with a code are thrown by node's own library.
    if (hasOwn(error, 'code')) return;
    const isSyntax = errorName(error) === 'SyntaxError';
    let inside = false;
    for (let i = 0; i < trace.length; i++) {
      const site = trace[i];
      const file = site.getFileName();
      if (isOwn(file)) {
        inside = true;
        continue;
      }
      if (site.isEval()) return;
      if (typeof file !== 'string' || site.isNative()) {
        if (isSyntax && COMPILERS.includes(site.getFunctionName())) return;
        continue;
      }
      // The text of an `eval` is not ours to show.
      if (isSyntax && i === 0) return;
      const source = known(file);
      if (source !== undefined) {
        const place = source.place(site.getLineNumber(), site.getColumnNumber());
        const instead = movedIn(source, place, error);
        weakSet(places, error, {
          source, file, reported: isReported(trace), inside,
          ...(instead ?? place),
        });
      }
      return;
    }
  }

  function movedIn(source, { line, column }, error) {
    return source.moved(line, column, errorName(error));
  }

  // Whether node catches what the innermost callback throws, and reports it itself.
  function isReported(trace) {
    for (let i = 0; i < trace.length; i++) {
      if (trace[i].getFileName() === 'node:internal/process/task_queues' &&
          trace[i].getFunctionName() === 'runMicrotask') return true;
    }
    return false;
  }

  return { place: (error) => weakGet(places, error) };
};

function append(array, item) {
  defineProperty(array, array.length, {
    value: item, writable: true, enumerable: true, configurable: true,
  });
}

function digits(text, from) {
  let to = from;
  while (to < text.length && charCodeAt(text, to) >= 48 && charCodeAt(text, to) <= 57) to += 1;
  return slice(text, from, to);
}

function errorName(error) {
  if (error instanceof NativeReferenceError) return 'ReferenceError';
  if (error instanceof NativeRangeError) return 'RangeError';
  if (error instanceof NativeSyntaxError) return 'SyntaxError';
  return '';
}

const NativeReferenceError = ReferenceError;
const NativeRangeError = RangeError;
const NativeSyntaxError = SyntaxError;

