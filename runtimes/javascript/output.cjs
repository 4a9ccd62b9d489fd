'use strict';
// Notes what is written to stdout and stderr, at the moment it is written. Bytes, callbacks and
// return values pass through untouched.

const { types } = require('util');
const {
  apply, charCodeAt, defineProperty, getOwnPropertyDescriptor, slice, typedArrayLength,
} = require('./primordials.cjs');

const { byteLength, from: bytesOf } = Buffer;

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
        note(number, chunk, encoding);
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

  function note(number, chunk, encoding) {
    try {
      if (typeof chunk === 'string') {
        if (typeof encoding !== 'string' || /^utf-?8$/i.test(encoding)) {
          wrote(number, bytesOf(clip(chunk)), byteLength(chunk));
          return;
        }
        const bytes = bytesOf(chunk, encoding);
        wrote(number, bytes, bytes.length);
      } else if (types.isUint8Array(chunk)) wrote(number, chunk, typedArrayLength(chunk));
    } catch {
      // An encoding that node refuses too.
    }
  }
}

function clip(text) {
  if (text.length <= SHOWN) return text;
  const last = charCodeAt(text, SHOWN - 1);
  return slice(text, 0, last >= 0xd800 && last < 0xdc00 ? SHOWN - 1 : SHOWN);
}

module.exports = { installOutput };
