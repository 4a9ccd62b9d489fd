'use strict';
// Applies the decorators that a lowered class collects. `member` stands in a computed key and gives
// it back; `apply`, `init` and `end` are called when the class, an object of it, and all of it are
// there. Decorators of before the standard come as functions that give them, since they are
// evaluated once the class is there.

const { defineProperty, getOwnPropertyDescriptor } = Reflect;

class Collector {
  constructor(legacy, decorators) {
    this.legacy = legacy === 1;
    this.decorators = decorators;
    this.list = [];
    this.given = [];
    this.methods = [];
    this.initializers = { instance: [], class: [] };
  }

  member(kind, isStatic, decorators, key) {
    const name = typeof key === 'symbol' ? key : `${key}`;
    this.list.push({ kind, isStatic, decorators, name, initials: [], extra: [] });
    return name;
  }

  parameters(decorators) {
    this.given.push(decorators);
  }

  // The standard's order: methods of the class, methods of objects, fields.
  apply(made) {
    if (this.legacy) return;
    const methods = this.list.filter((member) => member.kind !== 'field');
    const fields = this.list.filter((member) => member.kind === 'field');
    this.fields = fields;
    for (const isStatic of [true, false]) {
      for (const member of methods) {
        if (member.isStatic === isStatic) this.replace(made, member);
      }
    }
    for (const isStatic of [true, false]) {
      for (const member of fields) {
        if (member.isStatic === isStatic) this.prepare(member);
      }
    }
    this.result = this.decorateClass(made);
    for (const initializer of this.initializers.class) initializer.call(made);
  }

  replace(made, member) {
    const target = member.isStatic ? made : made.prototype;
    const part = { getter: 'get', setter: 'set' }[member.kind] ?? 'value';
    const descriptor = getOwnPropertyDescriptor(target, member.name);
    const added = this.initializers[member.isStatic ? 'class' : 'instance'];
    for (const decorator of member.decorators.reverse()) {
      const changed = decorator(descriptor[part], context(member, added));
      if (changed !== undefined) {
        if (typeof changed !== 'function') throw new TypeError('Function expected');
        descriptor[part] = changed;
      }
    }
    defineProperty(target, member.name, descriptor);
  }

  prepare(member) {
    for (const decorator of member.decorators.reverse()) {
      const initial = decorator(undefined, context(member, member.extra));
      if (typeof initial === 'function') member.initials.unshift(initial);
    }
  }

  init(self) {
    for (const initializer of this.initializers.instance) initializer.call(self);
  }

  value(index, self, value) {
    const member = this.fields[index];
    let result = value;
    for (const initial of member.initials) result = initial.call(self, result);
    for (const initializer of member.extra) initializer.call(self);
    return result;
  }

  end(made) {
    return this.legacy ? this.endLegacy(made) : this.endStandard();
  }

  // Before the class's own fields have their values.
  decorateClass(made) {
    let result = made;
    this.added = [];
    for (const decorator of this.decorators.reverse()) {
      const changed = decorator(result, {
        kind: 'class', name: made.name, metadata: undefined,
        addInitializer: (initializer) => { this.added.push(initializer); },
      });
      if (changed !== undefined) {
        if (typeof changed !== 'function') throw new TypeError('Function expected');
        result = changed;
      }
    }
    return result;
  }

  endStandard() {
    for (const initializer of this.added) initializer.call(this.result);
    return this.result;
  }

  endLegacy(made) {
    for (const isStatic of [false, true]) {
      for (const member of this.list) {
        if (member.isStatic !== isStatic) continue;
        const target = isStatic ? made : made.prototype;
        const isField = member.kind === 'field';
        let descriptor = isField ? undefined : getOwnPropertyDescriptor(target, member.name);
        for (const decorator of member.decorators().reverse()) {
          descriptor = decorator?.(target, member.name, descriptor) || descriptor;
        }
        if (descriptor) Object.defineProperty(target, member.name, descriptor);
      }
    }
    const decorators = this.decorators();
    for (const given of this.given) decorators.push(...given());
    let result = made;
    for (const decorator of decorators.reverse()) result = decorator?.(result) || result;
    return result;
  }
}

function context(member, added) {
  const { kind, name, isStatic } = member;
  const access = { has: (object) => name in object };
  if (kind !== 'setter') access.get = (object) => object[name];
  if (kind === 'setter' || kind === 'field') {
    access.set = (object, value) => { object[name] = value; };
  }
  return {
    kind, name, static: isStatic, private: false, access, metadata: undefined,
    addInitializer: (initializer) => { added.push(initializer); },
  };
}

module.exports = {
  class: (legacy, decorators) => new Collector(legacy, decorators),
  // What decorators are told of types, where a library keeps it.
  metadata: (key, value) => (
    typeof Reflect.metadata === 'function' ? Reflect.metadata(key, value) : undefined
  ),
  // The function that a type's name stands for, if any.
  type(get) {
    try {
      const found = get();
      return typeof found === 'function' ? found : Object;
    } catch {
      return Object;
    }
  },
  parameter: (index, decorator) => (target, key) => { decorator(target, key, index); },
};
