'use strict';
// `events`: listeners by name, called in order.

class EventEmitter {
  #lists = new Map();

  on(name, listener) {
    if (typeof listener !== 'function') throw new TypeError('The "listener" argument must be of type function.');
    if (this.#lists.has('newListener')) this.emit('newListener', name, listener);
    this.#lists.set(name, [...(this.#lists.get(name) ?? []), listener]);
    return this;
  }

  once(name, listener) {
    const wrapped = (...given) => {
      this.off(name, wrapped);
      return Reflect.apply(listener, this, given);
    };
    wrapped.listener = listener;
    return this.on(name, wrapped);
  }

  prependListener(name, listener) {
    this.#lists.set(name, [listener, ...(this.#lists.get(name) ?? [])]);
    return this;
  }

  off(name, listener) {
    const list = this.#lists.get(name) ?? [];
    const at = list.findLastIndex((found) => found === listener || found.listener === listener);
    if (at >= 0) {
      const left = list.toSpliced(at, 1);
      if (left.length > 0) this.#lists.set(name, left);
      else this.#lists.delete(name);
    }
    return this;
  }

  emit(name, ...given) {
    const list = this.#lists.get(name);
    if (list === undefined) {
      if (name !== 'error') return false;
      if (given[0] instanceof Error) throw given[0];
      const error = new Error(`Unhandled error. (${given[0]})`);
      error.code = 'ERR_UNHANDLED_ERROR';
      throw error;
    }
    for (const listener of list) Reflect.apply(listener, this, given);
    return true;
  }

  listeners(name) {
    return (this.#lists.get(name) ?? []).map((found) => found.listener ?? found);
  }

  removeAllListeners(name) {
    if (name === undefined) this.#lists.clear();
    else this.#lists.delete(name);
    return this;
  }

  listenerCount(name) { return this.#lists.get(name)?.length ?? 0; }
  eventNames() { return [...this.#lists.keys()]; }
  setMaxListeners() { return this; }
  getMaxListeners() { return 10; }
}
Object.assign(EventEmitter.prototype, {
  addListener: EventEmitter.prototype.on, removeListener: EventEmitter.prototype.off,
});
for (const name of ['addListener', 'removeListener']) {
  Object.defineProperty(EventEmitter.prototype, name, { enumerable: false });
}
EventEmitter.EventEmitter = EventEmitter;
EventEmitter.defaultMaxListeners = 10;
EventEmitter.once = (emitter, name) => new Promise((resolve, reject) => {
  emitter.once(name, (...given) => resolve(given));
  if (name !== 'error') emitter.once('error', reject);
});

module.exports = EventEmitter;
