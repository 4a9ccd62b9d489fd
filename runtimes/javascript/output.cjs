'use strict';
// Notes what is written to stdout and stderr, at the moment it is written. Bytes, callbacks and
// return values pass through untouched.

const { apply, defineProperty, getOwnPropertyDescriptor } = require('./primordials.cjs');

const SHOWN = 1024;

function installOutput(wrote) {
  watch('stdout', 1);
  watch('stderr', 2);

  // The streams are made on first use, which must stay so.
  function watch(name, number) {
    const descriptor = getOwnPropertyDescriptor(process, name);
    if (descriptor === undefined || descriptor.get === undefined) return;
    const make = descriptor.get;
    let seen = null;
    const { [name]: get } = {
      [name]() {
        const stream = apply(make, process, []);
        if (stream !== seen) {
          seen = stream;
          tap(stream, number);
        }
        return stream;
      },
    };
    defineProperty(process, name, { ...descriptor, get });
  }

  function tap(stream, number) {
    if (stream === null || typeof stream !== 'object') return;
    const { write } = stream;
    if (typeof write !== 'function') return;
    const tapped = {
      write(chunk, encoding, callback) {
        note(number, chunk);
        return apply(write, this, [chunk, encoding, callback]);
      },
    }.write;
    for (const key of ['name', 'length']) {
      defineProperty(tapped, key, { value: write[key], configurable: true });
    }
    defineProperty(stream, 'write', {
      value: tapped, writable: true, enumerable: false, configurable: true,
    });
  }

  function note(number, chunk) {
    if (typeof chunk === 'string') {
      wrote(number, clip(chunk), Buffer.byteLength(chunk));
    } else if (Buffer.isBuffer(chunk)) {
      wrote(number, chunk.utf8Slice(0, Math.min(chunk.length, SHOWN)), chunk.length);
    }
  }
}

function clip(text) {
  if (text.length <= SHOWN) return text;
  const last = text.charCodeAt(SHOWN - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? SHOWN - 1 : SHOWN);
}

module.exports = { installOutput };
