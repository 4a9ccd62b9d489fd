'use strict';
// Gives the module loaders the instrumented text of the program's files, and everyone else the
// original. No loader function is wrapped: that would show in stack traces.

const { defineProperty } = require('./primordials.cjs');

const MODULE_ONLY = [
  'Cannot use import statement outside a module', "Unexpected token 'export'",
  "Cannot use 'import.meta' outside a module", 'await is only valid',
  "Identifier '__filename' has already", "Identifier '__dirname' has already",
  "Identifier 'require' has already", "Identifier 'module' has already",
  "Identifier 'exports' has already",
];

function installLoader(internals, sources, onLoad) {
  const fs = require('fs');
  const { Module } = internals;
  const { compileFunction } = require('vm');

  // The text to run: the instrumented one, unless V8 refuses the original, whose error it could
  // hide, or the instrumented one.
  function textFor(source, original) {
    source.load();
    const isModule = original === undefined;
    if (isModule ? source.facts?.broken && !compiles(source.original().utf8Slice())
      : !compiles(original) || !compiles(source.text)) {
      giveUp(source);
      return null;
    }
    onLoad(source);
    return source.text;
  }

  // A lowered file has no original that runs on its own.
  function giveUp(source) {
    if (source.moves === undefined) sources.delete(source.path);
    else source.revert();
  }

  function refusal(text) {
    try {
      compileFunction(text, ['exports', 'require', 'module', '__filename', '__dirname']);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  // Whether a text is refused for what only a module may have.
  function isModule(text) {
    const error = refusal(text);
    return error !== undefined && MODULE_ONLY.some((part) => error.message.includes(part));
  }

  // Modules are found out by their syntax, and checked when they are compiled as such.
  function compiles(text) {
    return refusal(text) === undefined || isModule(text);
  }

  // Looking up the handler for `.js` arms one read: the handler's own.
  let handler = Module._extensions['.js'];
  function arm() {
    const read = fs.readFileSync;
    const armed = function readFileSync(file, options) {
      fs.readFileSync = read;
      const source = options === 'utf8' ? sources.get(file) : undefined;
      if (source !== undefined) {
        const original = read.call(fs, file, options);
        return textFor(source, original) ?? original;
      }
      return read.call(fs, file, options);
    };
    if (fs.readFileSync.name === 'readFileSync' && !isArmed(fs.readFileSync)) {
      marks.add(armed);
      fs.readFileSync = armed;
    }
  }
  const marks = new WeakSet();
  const isArmed = (candidate) => marks.has(candidate);

  defineProperty(Module._extensions, '.js', {
    get() {
      arm();
      return handler;
    },
    set(value) {
      handler = value;
    },
    enumerable: true,
    configurable: true,
  });

  const { translators } = internals;
  if (translators === undefined) return { textFor, isModule };
  const { fileURLToPath } = require('url');
  const find = (url) => {
    if (typeof url !== 'string' || !url.startsWith('file:')) return undefined;
    const bare = url.replace(/[?#].*$/, '');
    return sources.get(fileURLToPath(bare));
  };

  const translate = translators.get('module');
  translators.set('module', function moduleStrategy(url, text, isMain) {
    const source = find(url);
    if (source !== undefined) {
      const instrumented = textFor(source);
      if (instrumented !== null) {
        source.shownAs = url;
        try {
          return translate.call(this, url, instrumented, isMain);
        } catch {
          // The original's own error is the one to show.
          giveUp(source);
        }
      }
      return translate.call(this, url, source.original().toString('utf8'), isMain);
    }
    return translate.call(this, url, text, isMain);
  });

  // A CommonJS file that is imported is read here to find its exports, from the original text; the
  // CommonJS loader must then read it again.
  const importCommon = translators.get('commonjs');
  const cachedSource = internals.kModuleSource;
  translators.set('commonjs', function commonjsStrategy(url, text, isMain) {
    const result = importCommon.call(this, url, text, isMain);
    const source = find(url);
    if (source !== undefined && cachedSource !== undefined) {
      const module = Module._cache[source.path];
      if (module !== undefined && !module.loaded) module[cachedSource] = undefined;
    }
    return result;
  });
  return { textFor, isModule };
}

module.exports = { installLoader };
