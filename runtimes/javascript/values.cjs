'use strict';
// Describes values within fixed bounds of size and work, without running any code of the subject:
// no getter, proxy trap, iterator, toString or toJSON is ever called.

const { types } = require('util');
const {
  list, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, isArray, isInteger, bigintToString,
  symbolDescription, charCodeAt, slice, weakGet, weakSet, mapGet, mapSet, mapSize, mapEntries,
  mapNext, setSize, setValues, setNext, dateTime, dateToIso, regexSource, regexFlags,
  typedArrayName, typedArrayLength, byteLength, sharedByteLength, numberValue, stringValue,
  booleanValue, bigintValue, symbolValue, hasOwn,
  uncurry,
} = require('./primordials.cjs');

const {
  isProxy, isMap, isSet, isDate, isRegExp, isNativeError, isTypedArray, isBoxedPrimitive,
  isAnyArrayBuffer, isArrayBuffer, isArgumentsObject, isModuleNamespaceObject, isExternal,
  isNumberObject, isStringObject, isBooleanObject, isBigIntObject,
} = types;

const BIG = 1n << 2048n;
const DIGEST_LIMIT = 1 << 16;
const MANY_KEYS = 256;
const REFRESH = 64;

class Encoder {
  // `limits` has depth, elements, characters, valueBytes; `emit` writes a record at once.
  constructor(limits, emit) {
    this.limits = limits;
    this.emit = emit;
    this.bytes = Buffer.alloc(1 << 16);
    this.utf8Write = uncurry(this.bytes.utf8Write);
    this.length = 0;
    this.limit = 0;
    this.names = new Map();
    this.nextName = 1;
    this.nameBytes = Buffer.alloc(1 << 11);
    this.heap = new WeakMap();
    this.heapNext = 1;
    this.classes = new WeakMap();
    this.keys = new WeakMap();
    this.seen = list();
  }

  byte(value) {
    this.bytes[this.length++] = value;
  }

  varint(value) {
    while (value > 0x7f) {
      this.bytes[this.length++] = (value % 128) | 0x80;
      value = Math_floor(value / 128);
    }
    this.bytes[this.length++] = value;
  }

  zigzag(value) {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  // The number of a name; a name met for the first time is announced to the reader.
  intern(name) {
    const known = mapGet(this.names, name);
    if (known !== undefined) return known;
    const id = this.nextName++;
    const text = name.length > 200 ? slice(name, 0, 200) : name;
    const out = this.nameBytes;
    const n = Buffer_byteLength(text);
    let p = 0;
    out[p++] = 0x0e;
    for (let v = id; ; v = Math_floor(v / 128)) {
      if (v <= 0x7f) { out[p++] = v; break; }
      out[p++] = (v % 128) | 0x80;
    }
    if (n > 0x7f) { out[p++] = (n & 0x7f) | 0x80; out[p++] = n >> 7; } else out[p++] = n;
    p += this.utf8Write(out, text, p, n);
    this.emit(out, p);
    mapSet(this.names, name, id);
    return id;
  }

  text(text) {
    const at = this.length;
    const n = Buffer_byteLength(text);
    this.varint(n);
    this.length += n === 0 ? 0 : this.utf8Write(this.bytes, text, this.length, n);
    return at;
  }

  string(text) {
    const { characters } = this.limits;
    const cut = text.length > characters;
    let shown = text;
    if (cut) {
      const last = characters > 0 ? charCodeAt(text, characters - 1) : 0;
      shown = slice(text, 0, last >= 0xd800 && last < 0xdc00 ? characters - 1 : characters);
    }
    const n = Buffer_byteLength(shown);
    this.byte(0x06);
    this.varint(text.length);
    this.varint(cut ? n * 2 + 1 : n * 2);
    if (n > 0) this.length += this.utf8Write(this.bytes, shown, this.length, n);
    if (cut) this.digest(text);
  }

  // FNV-1a 64 over the UTF-8 form, in 32-bit halves.
  digest(text) {
    let low = 0x84222325;
    let high = 0xcbf29ce4;
    if (text.length > DIGEST_LIMIT) {
      low = 0;
      high = 0;
    } else {
      const bytes = Buffer_from(text);
      for (let i = 0; i < bytes.length; i++) {
        low = (low ^ bytes[i]) >>> 0;
        const product = low * 0x1b3;
        high = (Math_imul(high, 0x1b3) + (low << 8) + Math_floor(product / 0x100000000)) >>> 0;
        low = product >>> 0;
      }
    }
    for (let i = 0; i < 32; i += 8) this.byte((low >>> i) & 0xff);
    for (let i = 0; i < 32; i += 8) this.byte((high >>> i) & 0xff);
  }

  number(value) {
    if (isInteger(value) && value <= 9007199254740991 && value >= -9007199254740991 &&
        (value !== 0 || 1 / value > 0)) {
      this.byte(0x03);
      this.zigzag(value);
    } else {
      this.byte(0x05);
      FLOAT[0] = value;
      for (let i = 0; i < 8; i++) this.bytes[this.length++] = FLOAT_BYTES[i];
    }
  }

  // One whole value.
  value(value) {
    if (this.seen.length !== 0) this.seen.length = 0;
    if (this.length > 60000) {
      this.opaque('truncated', 0, '');
      return;
    }
    this.limit = this.length + this.limits.valueBytes;
    this.any(value, this.limits.depth);
  }

  any(value, depth) {
    switch (typeof value) {
      case 'number': this.number(value); break;
      case 'string': this.string(value); break;
      case 'boolean': this.byte(value ? 0x02 : 0x01); break;
      case 'bigint': this.bigint(value); break;
      case 'symbol': this.opaque('symbol', 0, clip(symbolDescription(value) ?? '')); break;
      case 'function': this.callable(value); break;
      case 'object':
        if (value === null) this.byte(0x00);
        else this.object(value, depth);
        break;
      default:
        if (value === undefined) this.byte(0x0a);
        else this.opaque('object', 0, '');
    }
  }

  bigint(value) {
    if (value > BIG || value < -BIG) {
      this.opaque('bigint', 0, value < 0n ? 'below -2^2048' : 'above 2^2048');
    } else {
      this.byte(0x04);
      this.text(bigintToString(value));
    }
  }

  callable(value) {
    if (isProxy(value)) {
      this.opaque('Proxy', this.id(value), '');
      return;
    }
    const name = ownString(value, 'name');
    const id = this.intern(name === '' || name === undefined ? '<anonymous>' : name);
    this.byte(0x08);
    this.varint(id);
  }

  own(object, key) {
    return dataValue(getOwnPropertyDescriptor(object, key));
  }

  opaque(type, heap, text) {
    const id = this.intern(type);
    this.byte(0x16);
    this.varint(id);
    this.varint(heap);
    this.text(text);
  }

  id(value) {
    let id = weakGet(this.heap, value);
    if (id === undefined) {
      id = this.heapNext++;
      weakSet(this.heap, value, id);
    }
    return id;
  }

  // The class's name as its prototype's own `constructor` data property has it.
  className(value, fallback) {
    for (let proto = getPrototypeOf(value), hops = 0; ; proto = getPrototypeOf(proto), hops++) {
      if (proto === null) return hops === 0 ? '[Object: null prototype]' : fallback;
      if (isProxy(proto) || hops > 20) return fallback;
      const known = weakGet(this.classes, proto);
      if (known !== undefined) return known;
      const made = getOwnPropertyDescriptor(proto, 'constructor');
      const maker = dataValue(made);
      if (typeof maker === 'function' && !isProxy(maker)) {
        const name = ownString(maker, 'name');
        if (name) {
          const bounded = clip(name);
          weakSet(this.classes, proto, bounded);
          return bounded;
        }
      }
    }
  }

  object(value, depth) {
    if (isProxy(value)) {
      this.opaque('Proxy', this.id(value), '');
      return;
    }
    const heap = this.id(value);
    for (let i = 0; i < this.seen.length; i++) {
      if (this.seen[i] === heap) {
        this.byte(0x15);
        this.varint(heap);
        return;
      }
    }
    this.seen[this.seen.length] = heap;
    if (isArray(value)) {
      this.sequence(value, heap, this.className(value, 'Array'),
        getOwnPropertyDescriptor(value, 'length').value, depth, ownElement);
    } else if (isModuleNamespaceObject(value)) this.opaque('Module', heap, '');
    else if (isMap(value)) this.map(value, heap, depth);
    else if (isSet(value)) this.set(value, heap, depth);
    else if (isTypedArray(value)) {
      this.sequence(value, heap, typedArrayName(value), typedArrayLength(value), depth, plainElement);
    } else if (isDate(value)) {
      const time = dateTime(value);
      this.opaque('Date', heap, time !== time ? 'Invalid Date' : dateToIso(value));
    } else if (isRegExp(value)) this.opaque('RegExp', heap, regexText(value));
    else if (isAnyArrayBuffer(value)) {
      this.opaque(isArrayBuffer(value) ? 'ArrayBuffer' : 'SharedArrayBuffer', heap,
        `${isArrayBuffer(value) ? byteLength(value) : sharedByteLength(value)} bytes`);
    } else if (isBoxedPrimitive(value)) this.boxed(value, heap);
    else if (isExternal(value)) this.opaque('External', heap, '');
    else if (isArgumentsObject(value)) {
      const length = dataValue(getOwnPropertyDescriptor(value, 'length'));
      this.sequence(value, heap, 'Arguments', typeof length === 'number' && length >= 0 &&
        isInteger(length) ? length : 0, depth, ownElement);
    } else this.record(value, heap, depth);
  }

  // Head of a container; the count, flags and digest follow it and may be corrected by `finish`.
  begin(kind, type, heap, length, cut, unordered) {
    const id = this.intern(type);
    this.byte(kind);
    this.varint(id);
    this.varint(heap);
    this.varint(length);
    const at = this.length;
    this.byte((cut ? 1 : 0) | (unordered ? 2 : 0));
    if (cut) {
      for (let i = 0; i < 8; i++) this.bytes[this.length++] = 0;
    }
    this.length += 2;
    return at;
  }

  finish(at, shown, cutShort) {
    let count = at + 1 + (this.bytes[at] & 1 ? 8 : 0);
    if (cutShort && !(this.bytes[at] & 1)) {
      this.bytes[at] |= 1;
      for (let i = this.length - 1; i >= count; i--) this.bytes[i + 8] = this.bytes[i];
      for (let i = 0; i < 8; i++) this.bytes[count + i] = 0;
      this.length += 8;
      count += 8;
    }
    this.bytes[count] = (shown & 0x7f) | 0x80;
    this.bytes[count + 1] = shown >> 7;
  }

  room(depth) {
    return depth > 0 && this.length < this.limit ? this.limits.elements : 0;
  }

  sequence(value, heap, type, length, depth, element) {
    const room = this.room(depth);
    const at = this.begin(0x11, type, heap, length, length > room, false);
    let shown = 0;
    while (shown < length && shown < room && this.length < this.limit) {
      element(this, value, shown, depth - 1);
      shown += 1;
    }
    this.finish(at, shown, shown < length);
  }

  map(value, heap, depth) {
    const size = mapSize(value);
    const room = this.room(depth);
    const at = this.begin(0x12, this.className(value, 'Map'), heap, size, size > room, false);
    let shown = 0;
    if (room > 0) {
      const entries = mapEntries(value);
      while (shown < room && this.length < this.limit) {
        const step = mapNext(entries);
        if (step.done) break;
        this.any(step.value[0], depth - 1);
        this.any(step.value[1], depth - 1);
        shown += 1;
      }
    }
    this.finish(at, shown, shown < size);
  }

  set(value, heap, depth) {
    const size = setSize(value);
    const room = this.room(depth);
    const at = this.begin(0x13, this.className(value, 'Set'), heap, size, size > room, false);
    let shown = 0;
    if (room > 0) {
      const values = setValues(value);
      while (shown < room && this.length < this.limit) {
        const step = setNext(values);
        if (step.done) break;
        this.any(step.value, depth - 1);
        shown += 1;
      }
    }
    this.finish(at, shown, shown < size);
  }

  boxed(value, heap) {
    let text;
    let type;
    if (isNumberObject(value)) { type = 'Number'; text = `${numberValue(value)}`; }
    else if (isStringObject(value)) { type = 'String'; text = clip(stringValue(value)); }
    else if (isBooleanObject(value)) { type = 'Boolean'; text = `${booleanValue(value)}`; }
    else if (isBigIntObject(value)) { type = 'BigInt'; text = clip(bigintToString(bigintValue(value))); }
    else { type = 'Symbol'; text = clip(symbolDescription(symbolValue(value)) ?? ''); }
    this.opaque(type, heap, text);
  }

  record(value, heap, depth) {
    const isError = isNativeError(value);
    const type = this.className(value, isError ? 'Error' : 'Object');
    const room = this.room(depth);
    const keys = room > 0 ? this.ownNames(value) : NO_KEYS;
    const length = keys.count;
    const at = this.begin(0x14, type, heap, length, length > room, false);
    let shown = 0;
    for (let i = 0; i < keys.names.length && shown < room && this.length < this.limit; i++) {
      const key = keys.names[i];
      const property = getOwnPropertyDescriptor(value, key);
      if (property === undefined) continue;
      const name = this.intern(key.length > 100 ? clip(key) : key);
      this.varint(name);
      this.property(property, depth - 1);
      shown += 1;
    }
    this.finish(at, shown, shown < length || room === 0);
  }

  property(property, depth) {
    if (hasOwn(property, 'value')) this.any(property.value, depth);
    else this.opaque('accessor', 0, property.get === undefined ? 'setter' : 'getter');
  }

  // Own string keys. Listing the keys of a big object costs more than the rest of a capture, so
  // its first ones are remembered for a while.
  ownNames(value) {
    const known = weakGet(this.keys, value);
    if (known !== undefined && known.left-- > 0) return known;
    const all = ownKeys(value);
    const names = list();
    let count = 0;
    for (let i = 0; i < all.length; i++) {
      const key = all[i];
      if (typeof key !== 'string' || key === 'stack' && isNativeError(value)) continue;
      count += 1;
      if (names.length < this.limits.elements) names[names.length] = key;
    }
    const keys = { names, count, left: REFRESH };
    if (all.length > MANY_KEYS) weakSet(this.keys, value, keys);
    return keys;
  }
}

const FLOAT = new Float64Array(1);
const FLOAT_BYTES = new Uint8Array(FLOAT.buffer);
const Math_floor = Math.floor;
const Math_imul = Math.imul;
const Buffer_byteLength = Buffer.byteLength;
const Buffer_from = Buffer.from;
const NO_KEYS = { names: [], count: 0 };

function clip(text) {
  return text.length > 100 ? slice(text, 0, 100) : text;
}

// The value of a data property; a polluted Object.prototype must not speak for an accessor.
function dataValue(property) {
  return property !== undefined && hasOwn(property, 'value') ? property.value : undefined;
}

function ownString(object, key) {
  const value = dataValue(getOwnPropertyDescriptor(object, key));
  return typeof value === 'string' ? value : undefined;
}

function ownElement(encoder, array, index, depth) {
  const property = getOwnPropertyDescriptor(array, index);
  if (property === undefined) encoder.byte(0x09);
  else encoder.property(property, depth);
}

function plainElement(encoder, array, index) {
  encoder.any(array[index], 0);
}

function regexText(value) {
  let flags = '';
  for (let i = 0; i < regexFlags.length; i++) {
    if (regexFlags[i][1](value)) flags += regexFlags[i][0];
  }
  return clip(`/${regexSource(value)}/${flags}`);
}

module.exports = { Encoder };
