'use strict';
// What else would show the instrumentation: the line printed above an uncaught error, and the text
// of functions.

const { apply, defineProperty, functionToString, indexOf } = require('./primordials.cjs');
const { inspect, types } = require('util');
const fs = require('fs');

const PREFIXES = ['$t0_', '$t1_', '$t2_', '$t3_'];

// Node writes no longer line below the source.
const UNDER = 1020;

// What node prints above an uncaught error.
function excerpt({ source, file, line, column }) {
  const { text, column: at } = source.shown(line, column);
  let under = '';
  for (let i = 0; i < at - 1 && i < text.length && i < UNDER; i++) under += text[i] === '\t' ? '\t' : ' ';
  return `${file}:${line}\n${text}\n${under}${under.length < UNDER ? '^' : ''}\n`;
}

// Unless all errors are to be shown, only those that arise in the emitter's own files are: they
// must seem to come from where those were called.
function installUncaught(internals, stacks, hooks, showAll = true) {
  const { privateSymbols } = internals.internalBinding('util');
  const arrow = privateSymbols?.arrow_message_private_symbol;
  const handler = process._fatalException;

  process._fatalException = function (error, fromPromise) {
    const thrown = hooks.thrownAt(error);
    hooks.unwound();
    const handled = apply(handler, this, [error, fromPromise]);
    if (!handled) {
      try {
        hooks.uncaught(error);
        hooks.flush();
        show(error, thrown, fromPromise);
      } catch {
        // Never in the way of node's own report.
      }
    }
    return handled;
  };

  function show(error, thrown, reported) {
    if (types.isNativeError(error)) {
      void error.stack;
      const made = stacks.place(error);
      if (!showAll && !made?.inside) return;
      // Where node's own code reports an error, V8 places it where it was made.
      const place = reported || made?.reported ? made : thrown ?? made;
      if (place !== undefined && arrow !== undefined && typeof error[arrow] !== 'string') {
        error[arrow] = excerpt(place);
      }
      return;
    }
    if (thrown === undefined || reported) return;
    // For anything but an error, node prints V8's line at once: print and leave in its place.
    const isObject = (typeof error === 'object' && error !== null) || typeof error === 'function';
    let text;
    try {
      text = isObject ? inspect(error) : typeof error === 'symbol' ? '' : String(error);
    } catch {
      return;
    }
    const hint = isObject ? '' :
      '(Use `node --trace-uncaught ...` to show where the exception was thrown)\n';
    const report = `\n${excerpt(thrown)}${text}\n${hint}\nNode.js ${process.version}\n`;
    const bytes = Buffer.from(report);
    for (let done = 0; done < bytes.length;) {
      try {
        done += fs.writeSync(2, bytes, done);
      } catch (failure) {
        if (failure.code !== 'EAGAIN') break;
      }
    }
    process.reallyExit(process.exitCode ?? 1);
  }
}

// The text of functions is the original's, that of this patch the patched one's.
function installFunctionText(sources) {
  const native = Function.prototype.toString;
  const { toString } = {
    toString() {
      if (this === toString) return functionToString(native);
      const text = apply(native, this, []);
      if (indexOf(text, '$t') < 0) return text;
      for (let i = 0; i < PREFIXES.length; i++) {
        if (indexOf(text, PREFIXES[i]) >= 0) return restored(text);
      }
      return text;
    },
  };
  defineProperty(Function.prototype, 'toString', {
    value: toString, writable: true, enumerable: false, configurable: true,
  });

  function restored(text) {
    const iterator = sources.values();
    for (let step = iterator.next(); !step.done; step = iterator.next()) {
      const found = step.value.bytes === null ? null : step.value.originalOf(text);
      if (found !== null) return found;
    }
    return text;
  }
}

module.exports = { installUncaught, installFunctionText };
