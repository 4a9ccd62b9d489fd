'use strict';
// Loaded with `--require` before the subject: sets recording up, gives the module loaders the
// instrumented texts, and takes its own traces away again. Worker threads and child processes run
// the original; only the main thread records.

const { isMainThread } = require('worker_threads');

const folder = __dirname;

function start() {
  const { internalBinding } = quietly(() => require('internal/test/binding'));
  const readSources = require('./sources.cjs');
  const { byPath, channel, setup, main } = readSources(folder);
  const installStacks = require('./stacks.cjs');
  const { Module, ...loaderInternals } = require('internal/modules/cjs/loader');
  const internals = {
    internalBinding,
    errors: require('internal/errors'),
    translators: require('internal/modules/esm/translators').translators,
    Module,
    kModuleSource: loaderInternals.kModuleSource,
  };
  const stacks = installStacks(internals, byPath, folder);
  const onLoad = channel === null ? watch(internals, stacks)
    : record(channel, internals, byPath, stacks);
  const { installLoader } = require('./loader.cjs');
  const loader = installLoader(internals, byPath, onLoad);
  // A language that is lowered to this one has more to set up, recorded or not.
  if (setup) require(`./${setup}`)({ internals, byPath, main, loader, folder });
}

// What the run of an original that had to be lowered needs: its errors shown as they are in the
// recorded run.
function watch(internals, stacks) {
  const { installUncaught } = require('./disguise.cjs');
  const nothing = () => undefined;
  installUncaught(internals, stacks, {
    unwound: nothing, uncaught: nothing, flush: nothing, thrownAt: nothing,
  }, false);
  return nothing;
}

function record(descriptor, internals, byPath, stacks) {
  const { Channel } = require('./channel.cjs');
  const { Recorder } = require('./recorder.cjs');
  const makeProbes = require('./probes.cjs');
  const { installUncaught, installFunctionText } = require('./disguise.cjs');
  const { is } = require('./primordials.cjs');
  const { installOutput } = require('./output.cjs');

  const recorder = new Recorder(new Channel(descriptor));
  const made = makeProbes(recorder);
  define(made.probes);
  installUncaught(internals, stacks, {
    unwound: made.unwound,
    uncaught: made.uncaught,
    flush: () => recorder.flush(),
    thrownAt(error) {
      const thrown = made.thrown();
      if (!thrown.live || !is(thrown.value, error)) return undefined;
      return placeOf(thrown.site);
    },
  });
  installFunctionText(byPath);
  installOutput(made.wrote);
  flushOnExit(recorder);

  const learned = new Set();
  return (source) => {
    if (learned.has(source) || source.facts === null) return;
    learned.add(source);
    recorder.learn(source.facts);
  };

  function placeOf(site) {
    for (const source of learned) {
      if (source.facts === null) continue;
      const { throws, first, sites } = source.facts;
      if (site < first || site >= first + sites.length / 2) continue;
      for (let i = 0; i < throws.length; i += 3) {
        if (throws[i] !== site) continue;
        const line = throws[i + 1];
        const column = source.unitColumn(line, throws[i + 2]);
        return { source, file: source.shownAs ?? source.path, line, column };
      }
    }
    return undefined;
  }
}

// Node warns of its own test interface.
function quietly(action) {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

// The probes are constants of the global scope: no property of the global object, and as cheap as
// a literal once optimised. Four prefixes, so that a file that happens to use one has another.
function define(probes) {
  const { runInThisContext } = require('vm');
  const names = Object.keys(probes);
  const scripts = [0, 1, 2, 3].map((n) => names.map((name) => `$t${n}_${name}=p.${name}`).join());
  const install = `const ${scripts.join()};`;
  const key = '$t0_probes';
  Object.defineProperty(globalThis, key, { value: probes, configurable: true });
  runInThisContext(install.replaceAll('=p.', `=${key}.`), { filename: `${folder}/probes.js` });
  delete globalThis[key];
}

function flushOnExit(recorder) {
  // Looking one of these up is the last moment before the end; a wrapper would show in node's own
  // report of an abort.
  for (const name of ['reallyExit', 'abort', '_kill']) {
    let value = process[name];
    if (typeof value !== 'function') continue;
    Object.defineProperty(process, name, {
      get() {
        recorder.flush();
        return value;
      },
      set(changed) {
        value = changed;
      },
      enumerable: true,
      configurable: true,
    });
  }
  // The end of the event loop is told by `process.emit('exit')`; an own listener would be seen.
  const prototype = Object.getPrototypeOf(process);
  const { emit } = process;
  Object.defineProperty(prototype, 'emit', {
    value: { emit(...args) {
      try {
        return Reflect.apply(emit, this, args);
      } finally {
        if (args[0] === 'exit') recorder.flush();
      }
    } }.emit,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

function hide() {
  delete process.env.TRACER_CHANNEL;
  const { execArgv } = process;
  for (let i = execArgv.length - 1; i >= 0; i--) {
    if (execArgv[i] === '--expose-internals') execArgv.splice(i, 1);
    else if (execArgv[i] === '--require' && execArgv[i + 1] === __filename) execArgv.splice(i, 2);
  }
  const preloaded = process._preload_modules;
  const at = preloaded?.indexOf(__filename) ?? -1;
  if (at >= 0) preloaded.splice(at, 1);
  // What node adds for its own tests.
  delete globalThis.internalBinding;
  delete globalThis.primordials;
  const Module = module.constructor;
  hideInternals(Module);
  for (const key of Object.keys(Module._cache)) {
    if (key.startsWith(folder)) delete Module._cache[key];
  }
  for (const key of Object.keys(Module._pathCache)) {
    if (Module._pathCache[key].startsWith(folder)) delete Module._pathCache[key];
  }
}

// `--expose-internals` makes node's own modules everybody's. To programs there are none: a name like
// theirs is looked for as any other.
function hideInternals(Module) {
  const isInternal = (name) => typeof name === 'string' && /^(node:)?internal\//.test(name);
  const known = Object.getOwnPropertyDescriptor(Module, 'builtinModules');
  const value = Object.freeze(known.value.filter((name) => !isInternal(name)));
  Object.defineProperty(Module, 'builtinModules', { ...known, value });
  const { isBuiltin, _resolveFilename: resolve } = Module;
  const { apply, getOwnPropertyDescriptor: describe } = Reflect;
  const hidden = {
    isBuiltin(name) {
      return isInternal(name) ? false : isBuiltin(name);
    },
    _resolveFilename(request, parent, isMain, options) {
      if (!isInternal(request) || request.startsWith('node:')) {
        // Of the frames that an error shows this one is taken away again: it asks for one more.
        const limit = describe(Error, 'stackTraceLimit');
        const more = limit?.writable && typeof limit.value === 'number' && limit.value > 0;
        if (more) Error.stackTraceLimit = limit.value + 1;
        try {
          return apply(resolve, this, [request, parent, isMain, options]);
        } finally {
          if (more) Error.stackTraceLimit = limit.value;
        }
      }
      // A name that node does not know as its own, and no file has.
      const strange = `\u2060${request}`;
      const paths = Module._resolveLookupPaths(strange, parent) ?? [];
      const found = Module._findPath(request, paths, false);
      if (found) return found;
      try {
        return Reflect.apply(resolve, this, [strange, parent, isMain, options]);
      } catch (error) {
        const { stack } = error;
        error.message = error.message.replaceAll(strange, request);
        error.stack = stack.replaceAll(strange, request);
        throw error;
      }
    },
  };
  for (const name of Object.keys(hidden)) {
    if (typeof Module[name] !== 'function') continue;
    const own = Object.getOwnPropertyDescriptor(Module, name);
    Object.defineProperty(hidden[name], 'name', { value: Module[name].name, configurable: true });
    Object.defineProperty(hidden[name], 'length', { value: Module[name].length, configurable: true });
    Object.defineProperty(Module, name, { ...own, value: hidden[name] });
  }
}

try {
  if (isMainThread) start();
} finally {
  hide();
}
