'use strict';
// Keeps the instrumentation out of sight: stack traces, the line shown for an uncaught error, and
// the text of functions are those of the original. Works on node's own internal hooks, so that
// `Error.prepareStackTrace` and the list of listeners stay as they were.

const { apply, defineProperty, functionToString, indexOf, is, weakGet, weakSet } =
  require('./primordials.cjs');
const { types } = require('util');

const PREFIX = /\$t[0-3]_/;

// Call sites with the original's columns.
function makeMapper(sources, folder) {
  const shown = new WeakMap();
  let prototype = null;

  const known = (file) => (typeof file === 'string'
    ? sources.get(file.startsWith('file://') ? pathOf(file) : file) : undefined);

  function build(site) {
    prototype = {};
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(site))) {
      const method = site[name];
      if (name === 'constructor' || typeof method !== 'function') continue;
      defineProperty(prototype, name, {
        value: { [name](...args) { return apply(method, weakGet(shown, this), args); } }[name],
        writable: true, enumerable: false, configurable: true,
      });
    }
    const column = (getLine, getColumn) => function () {
      const site = weakGet(shown, this);
      const source = known(site.getFileName());
      const value = site[getColumn]();
      return source && value ? source.column(site[getLine](), value) : value;
    };
    prototype.getColumnNumber = column('getLineNumber', 'getColumnNumber');
    if (prototype.getEnclosingColumnNumber) {
      prototype.getEnclosingColumnNumber =
        column('getEnclosingLineNumber', 'getEnclosingColumnNumber');
    }
    prototype.getEvalOrigin = function () {
      const origin = weakGet(shown, this).getEvalOrigin();
      return typeof origin === 'string' ? evalOrigin(origin) : origin;
    };
    prototype.toString = function () {
      const site = weakGet(shown, this);
      let text = site.toString();
      const source = known(site.getFileName());
      if (source) {
        const line = site.getLineNumber();
        const from = `:${line}:${site.getColumnNumber()}`;
        const at = text.lastIndexOf(from);
        if (at >= 0) {
          text = `${text.slice(0, at)}:${line}:${this.getColumnNumber()}${text.slice(at + from.length)}`;
        }
      }
      return site.isEval() ? evalOrigin(text) : text;
    };
  }

  function evalOrigin(text) {
    return text.replace(/\(((?:file:\/\/)?\/[^()]*):(\d+):(\d+)\)/g, (all, file, line, column) => {
      const source = known(file);
      return source ? `(${file}:${line}:${source.column(+line, +column)})` : all;
    });
  }

  return {
    known,
    own: (site) => {
      const file = site.getFileName();
      return typeof file === 'string' && file.startsWith(folder);
    },
    // The trace with mapped sites, and without the emitter's own.
    map(trace) {
      let mapped = null;
      for (let i = 0; i < trace.length; i++) {
        const site = trace[i];
        const file = site.getFileName();
        const ours = typeof file === 'string' && file.startsWith(folder);
        if (ours || site.isEval() || known(file)) {
          if (mapped === null) mapped = trace.slice(0, i);
          if (ours) continue;
          if (prototype === null) build(site);
          const view = Object.create(prototype);
          weakSet(shown, view, site);
          mapped.push(view);
        } else if (mapped !== null) mapped.push(site);
      }
      return mapped ?? trace;
    },
  };
}

function pathOf(url) {
  return require('url').fileURLToPath(url);
}

function installStacks(internals, sources, folder) {
  const { internalBinding, errors } = internals;
  const mapper = makeMapper(sources, folder);
  const places = new WeakMap();
  const original = errors.prepareStackTraceCallback ?? errors.prepareStackTrace;
  let mapping = false;

  internalBinding('errors').setPrepareStackTraceCallback((realm, error, trace) => {
    let mapped = trace;
    if (!mapping) {
      mapping = true;
      try {
        mapped = mapper.map(trace);
        remember(error, trace);
      } catch {
        // Out of stack: the unmapped trace is better than none.
      }
      mapping = false;
    }
    return original(realm, error, mapped);
  });

  // Where an error came from, for the line shown when nobody catches it.
  function remember(error, trace) {
    for (let i = 0; i < trace.length; i++) {
      const site = trace[i];
      if (mapper.own(site)) continue;
      const file = site.getFileName();
      if (typeof file !== 'string' || site.isNative()) continue;
      const source = site.isEval() ? undefined : mapper.known(file);
      if (source !== undefined) {
        const line = site.getLineNumber();
        weakSet(places, error, { source, file, line, column: source.column(line, site.getColumnNumber()) });
      }
      return;
    }
  }

  return { place: (error) => weakGet(places, error) };
}

// What node prints above an uncaught error.
function excerpt({ source, file, line, column }) {
  const text = source.lineText(line);
  let under = '';
  for (let i = 0; i < column - 1 && i < text.length; i++) under += text[i] === '\t' ? '\t' : ' ';
  return `${file}:${line}\n${text}\n${under}^\n`;
}

function installUncaught(internals, stacks, hooks) {
  const { internalBinding } = internals;
  const { privateSymbols } = internalBinding('util');
  const arrow = privateSymbols?.arrow_message_private_symbol;
  const handler = process._fatalException;

  process._fatalException = function (error, fromPromise) {
    hooks.unwound();
    const handled = apply(handler, this, [error, fromPromise]);
    if (!handled) {
      try {
        hooks.uncaught(error);
        show(error, fromPromise);
      } catch {
        // Never in the way of the report itself.
      }
      hooks.flush();
    }
    return handled;
  };

  function show(error, fromPromise) {
    const site = hooks.thrownAt(error);
    if (types.isNativeError(error)) {
      void error.stack;
      const place = fromPromise ? stacks.place(error) : site ?? stacks.place(error);
      if (place !== undefined && arrow !== undefined && typeof error[arrow] !== 'string') {
        error[arrow] = excerpt(place);
      }
    } else if (site !== undefined && !fromPromise) {
      hooks.reportPlain(error, excerpt(site));
    }
  }
}

// The text of functions is the original's, that of this patch the patched one's.
function installFunctionText(sources) {
  const native = Function.prototype.toString;
  const { toString } = {
    toString() {
      if (this === toString) return functionToString(native);
      const text = apply(native, this, []);
      if (indexOf(text, '$t') < 0 || !PREFIX.test(text)) return text;
      for (const source of sources.values()) {
        const found = source.bytes === null ? null : source.originalOf(text);
        if (found !== null) return found;
      }
      return text;
    },
  };
  defineProperty(Function.prototype, 'toString', {
    value: toString, writable: true, enumerable: false, configurable: true,
  });
}

module.exports = { installStacks, installUncaught, installFunctionText, excerpt, is };
