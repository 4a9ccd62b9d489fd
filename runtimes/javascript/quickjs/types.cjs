'use strict';
// `util.types` in plain JavaScript: asks for what only such an object has, and runs none of the
// subject's code. Proxies are known by having been made.

const { apply, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);

// Whether a built-in takes the object for its own.
const brand = (test) => (value) => {
  if (typeof value !== 'object' || value === null || isProxy(value)) return false;
  try {
    test(value);
    return true;
  } catch {
    return false;
  }
};
const getter = (object, key) => uncurry(getOwnPropertyDescriptor(object, key).get);

const proxies = new WeakSet();
const known = uncurry(WeakSet.prototype.has);
const add = uncurry(WeakSet.prototype.add);
const isProxy = (value) => known(proxies, value);

// Takes the place of the engine's own, which does not tell.
function watchProxies() {
  const Native = Proxy;
  const { revocable } = Native;
  const kept = (made) => {
    add(proxies, made);
    return made;
  };
  const Watched = { Proxy: function Proxy(target, handler) {
    if (new.target === undefined) throw new TypeError("Constructor Proxy requires 'new'");
    return kept(new Native(target, handler));
  } }.Proxy;
  Watched.prototype = undefined;
  Object.defineProperty(Watched, 'revocable', {
    value: { revocable(target, handler) {
      const made = apply(revocable, Native, [target, handler]);
      kept(made.proxy);
      return made;
    } }.revocable,
    writable: true, enumerable: false, configurable: true,
  });
  Object.defineProperty(globalThis, 'Proxy', {
    value: Watched, writable: true, enumerable: false, configurable: true,
  });
}

const tagOf = getter(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);
const textOf = uncurry(Object.prototype.toString);
const arrayView = (value) => (isProxy(value) ? undefined : tagOf(value));
// By what the engine itself says, where no object of the subject's can say otherwise.
const plain = (name) => (value) => typeof value === 'object' && value !== null &&
  !isProxy(value) && !hasTag(value) && textOf(value) === `[object ${name}]`;
function hasTag(value) {
  for (let at = value; at !== null; at = getPrototypeOf(at)) {
    if (isProxy(at) || getOwnPropertyDescriptor(at, Symbol.toStringTag) !== undefined) return true;
  }
  return false;
}
const tagged = (name) => (value) => typeof value === 'object' && value !== null &&
  !isProxy(value) && inherited(value) === name;
function inherited(value) {
  for (let at = getPrototypeOf(value); at !== null; at = getPrototypeOf(at)) {
    if (isProxy(at)) return undefined;
    const tag = getOwnPropertyDescriptor(at, Symbol.toStringTag);
    if (tag !== undefined) return tag.value;
  }
  return undefined;
}
const functionKind = (...kinds) => (value) => typeof value === 'function' && !isProxy(value) &&
  kinds.includes(inherited(value));

const isNumberObject = brand(uncurry(Number.prototype.valueOf));
const isStringObject = brand(uncurry(String.prototype.valueOf));
const isBooleanObject = brand(uncurry(Boolean.prototype.valueOf));
const isBigIntObject = brand(uncurry(BigInt.prototype.valueOf));
const isSymbolObject = brand(uncurry(Symbol.prototype.valueOf));
const isArrayBuffer = brand(getter(ArrayBuffer.prototype, 'byteLength'));
const isSharedArrayBuffer = brand(getter(SharedArrayBuffer.prototype, 'byteLength'));
const nativeError = Error.isError;

module.exports = {
  watchProxies,
  types: {
    isProxy,
    isMap: brand(getter(Map.prototype, 'size')),
    isSet: brand(getter(Set.prototype, 'size')),
    isWeakMap: brand((value) => uncurry(WeakMap.prototype.has)(value, {})),
    isWeakSet: brand((value) => known(value, {})),
    isDate: brand(uncurry(Date.prototype.getTime)),
    isRegExp: plain('RegExp'),
    isNativeError: (value) => typeof value === 'object' && value !== null && !isProxy(value) &&
      nativeError(value),
    isPromise: (value) => typeof value === 'object' && value !== null && !isProxy(value) &&
      inherited(value) === 'Promise' && value instanceof Promise,
    isTypedArray: (value) => ArrayBuffer.isView(value) && arrayView(value) !== undefined,
    isUint8Array: (value) => ArrayBuffer.isView(value) && arrayView(value) === 'Uint8Array',
    isDataView: (value) => ArrayBuffer.isView(value) && arrayView(value) === undefined,
    isArrayBufferView: ArrayBuffer.isView,
    isArrayBuffer,
    isSharedArrayBuffer,
    isAnyArrayBuffer: (value) => isArrayBuffer(value) || isSharedArrayBuffer(value),
    isNumberObject,
    isStringObject,
    isBooleanObject,
    isBigIntObject,
    isSymbolObject,
    isBoxedPrimitive: (value) => isNumberObject(value) || isStringObject(value) ||
      isBooleanObject(value) || isBigIntObject(value) || isSymbolObject(value),
    isArgumentsObject: plain('Arguments'),
    isModuleNamespaceObject: (value) => typeof value === 'object' && value !== null &&
      !isProxy(value) && getPrototypeOf(value) === null &&
      getOwnPropertyDescriptor(value, Symbol.toStringTag)?.value === 'Module',
    isExternal: () => false,
    isAsyncFunction: functionKind('AsyncFunction', 'AsyncGeneratorFunction'),
    isGeneratorFunction: functionKind('GeneratorFunction', 'AsyncGeneratorFunction'),
    isGeneratorObject: tagged('Generator'),
    isMapIterator: tagged('Map Iterator'),
    isSetIterator: tagged('Set Iterator'),
  },
};
