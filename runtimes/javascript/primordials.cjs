'use strict';
// The intrinsics the emitter uses, saved before the subject can change them.
// Nothing here looks at the subject's objects.

const { apply, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, defineProperty } = Reflect;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);

const getter = (object, key) => uncurry(getOwnPropertyDescriptor(object, key).get);

const TypedArray = getPrototypeOf(Uint8Array);
const MapIterator = getPrototypeOf(new Map().entries());
const SetIterator = getPrototypeOf(new Set().values());

const regexFlags = [
  ['d', 'hasIndices'], ['g', 'global'], ['i', 'ignoreCase'], ['m', 'multiline'],
  ['s', 'dotAll'], ['u', 'unicode'], ['v', 'unicodeSets'], ['y', 'sticky'],
].filter(([, name]) => getOwnPropertyDescriptor(RegExp.prototype, name))
  .map(([letter, name]) => [letter, getter(RegExp.prototype, name)]);

// An array that a polluted or frozen Array.prototype does not reach.
const { setPrototypeOf } = Object;
const list = () => setPrototypeOf([], null);

module.exports = {
  list,
  apply,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  ownKeys,
  defineProperty,
  uncurry,
  getter,
  hasOwn: uncurry(Object.prototype.hasOwnProperty),
  isArray: Array.isArray,
  isInteger: Number.isInteger,
  is: Object.is,
  now: performance.now.bind(performance),
  bigintToString: uncurry(BigInt.prototype.toString),
  symbolDescription: getter(Symbol.prototype, 'description'),
  charCodeAt: uncurry(String.prototype.charCodeAt),
  slice: uncurry(String.prototype.slice),
  indexOf: uncurry(String.prototype.indexOf),
  startsWith: uncurry(String.prototype.startsWith),
  functionToString: uncurry(Function.prototype.toString),
  lastIndexOf: uncurry(String.prototype.lastIndexOf),
  toBigInt: BigInt,
  test: uncurry(RegExp.prototype.exec),
  weakGet: uncurry(WeakMap.prototype.get),
  weakSet: uncurry(WeakMap.prototype.set),
  mapGet: uncurry(Map.prototype.get),
  mapSet: uncurry(Map.prototype.set),
  mapSize: getter(Map.prototype, 'size'),
  mapEntries: uncurry(Map.prototype.entries),
  mapNext: uncurry(MapIterator.next),
  setSize: getter(Set.prototype, 'size'),
  setValues: uncurry(Set.prototype.values),
  setNext: uncurry(SetIterator.next),
  dateTime: uncurry(Date.prototype.getTime),
  dateToIso: uncurry(Date.prototype.toISOString),
  regexSource: getter(RegExp.prototype, 'source'),
  regexFlags,
  typedArrayName: getter(TypedArray.prototype, Symbol.toStringTag),
  typedArrayLength: getter(TypedArray.prototype, 'length'),
  byteLength: getter(ArrayBuffer.prototype, 'byteLength'),
  sharedByteLength: getter(SharedArrayBuffer.prototype, 'byteLength'),
  numberValue: uncurry(Number.prototype.valueOf),
  stringValue: uncurry(String.prototype.valueOf),
  booleanValue: uncurry(Boolean.prototype.valueOf),
  bigintValue: uncurry(BigInt.prototype.valueOf),
  symbolValue: uncurry(Symbol.prototype.valueOf),
};
