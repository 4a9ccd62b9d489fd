'use strict';
// What Node.js needs to run TypeScript that was lowered beforehand: file names resolved as
// TypeScript resolves them, the lowered texts instead of those on disk, and the few functions that
// the lowered texts call. The same whether the run is recorded or not.

const fs = require('fs');
const path = require('path');
const { fileURLToPath, pathToFileURL } = require('url');

const { statSync: stat } = fs;
const EXTENSIONS = ['.ts', '.tsx', '.mts', '.cts'];
// What an extension that is written may stand for, and those that need not be written, best first:
// as in `instrumenters/typescript/src/modules.rs`.
const STAND_INS = {
  '.js': ['.ts', '.tsx', '.js'], '.jsx': ['.tsx', '.jsx'], '.mjs': ['.mts', '.mjs'], '.cjs': ['.cts', '.cjs'],
};
// What a script may hold that Node.js takes for a sign of a module.
const ONLY_THERE = /\b(await|require|module|exports|__filename|__dirname)\b/;
const IMPLIED = ['.ts', '.tsx', '.js', '.jsx'];

module.exports = function setUp({ internals, byPath, main, loader, folder }) {
  const { Module } = internals;
  const resolver = require('internal/modules/esm/resolve');
  const runMain = require('internal/modules/run_main');
  const { readPackageScope } = require('internal/modules/package_json_reader');

  const names = JSON.parse(fs.readFileSync(path.join(folder, 'names.json'), 'utf8'));

  // What a name that is not relative may stand for: as in `instrumenters/typescript/src/settings.rs`.
  function meanings(name) {
    if (/^(\.|\/|file:|node:)/.test(name)) return [];
    const found = [];
    for (const [pattern, targets] of names.paths) {
      const star = pattern.indexOf('*');
      const [start, end] = star < 0 ? [pattern, ''] : [pattern.slice(0, star), pattern.slice(star + 1)];
      const fits = star < 0 ? name === pattern
        : name.length >= pattern.length - 1 && name.startsWith(start) && name.endsWith(end);
      if (fits) {
        const middle = name.slice(start.length, name.length - end.length);
        for (const target of targets) found.push(target.replace('*', () => middle));
        break;
      }
    }
    if (names.base !== null) found.push(path.join(names.base, name));
    return found;
  }

  // The program's file that a specifier means, if it is relative or the project gives it a meaning.
  function find(specifier, from) {
    if (/^\.\.?(\/|$)/.test(specifier)) return fileAt(path.resolve(path.dirname(from), specifier));
    if (from.includes('/node_modules/')) return undefined;
    for (const target of meanings(specifier)) {
      const file = fileAt(target) ?? (isFile(target) ? target : undefined);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  function isFile(file) {
    return stat(file, { throwIfNoEntry: false })?.isFile() === true;
  }

  function fileAt(target) {
    const extension = path.extname(target);
    const stem = target.slice(0, target.length - extension.length);
    const candidates = (STAND_INS[extension] ?? []).map((other) => stem + other);
    candidates.push(target);
    for (const implied of IMPLIED) candidates.push(target + implied);
    for (const implied of IMPLIED) candidates.push(path.join(target, `index${implied}`));
    return candidates.find((candidate) => byPath.has(candidate));
  }

  function formatOf(file) {
    const source = byPath.get(file);
    if (source.format === undefined) {
      const type = readPackageScope(file)?.data?.type;
      const plain = source.original().toString('utf8');
      const isModule = type === 'module' || (ONLY_THERE.test(plain) && loader.isModule(plain));
      source.format = isModule ? 'module' : 'commonjs';
    }
    return source.format;
  }

  const isLowered = (file) => EXTENSIONS.includes(path.extname(file));

  // The CommonJS loader.
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (request, parent, ...rest) {
    const found = parent?.filename ? find(request, parent.filename) : undefined;
    return found ?? Reflect.apply(resolve, this, [request, parent, ...rest]);
  };
  for (const extension of EXTENSIONS) {
    Module._extensions[extension] = function (module, filename) {
      const source = byPath.get(filename);
      if (source === undefined) return Module._extensions['.js'](module, filename);
      const plain = source.original().toString('utf8');
      const format = formatOf(filename);
      const text = loader.textFor(source, plain) ?? plain;
      if (format === 'module') source.shownAs = pathToFileURL(filename).href;
      return module._compile(text, filename, format);
    };
  }

  // The loader of ES modules.
  const resolveUrl = resolver.defaultResolve;
  resolver.defaultResolve = function defaultResolve(specifier, context) {
    const file = fileOf(specifier, context?.parentURL);
    if (file !== undefined && isLowered(file)) {
      return { __proto__: null, url: pathToFileURL(file).href, format: formatOf(file) };
    }
    if (file !== undefined) {
      return resolveUrl(pathToFileURL(file).href, context);
    }
    return resolveUrl(specifier, context);
  };

  function fileOf(specifier, parent) {
    if (specifier.startsWith('file:')) {
      const file = fileURLToPath(specifier);
      return byPath.has(file) ? file : undefined;
    }
    if (typeof parent !== 'string' || !parent.startsWith('file:')) return undefined;
    return find(specifier, fileURLToPath(parent));
  }

  // The main file.
  const run = Module.runMain;
  Module.runMain = function executeUserEntryPoint(file) {
    Module.runMain = run;
    if (!byPath.has(main)) return run(file);
    if (formatOf(main) !== 'module') return Module._load(main, null, true);
    const url = pathToFileURL(main).href;
    return runMain.runEntryPointWithESMLoader(
      (loader) => loader.import(url, undefined, { __proto__: null }, true),
    );
  };

  define({ ...helpers(Module, main), ...require('./decorators.cjs') }, folder);
};

// What lowered texts call.
function helpers(Module, main) {
  let mainModule;
  return {
    // The names of a CommonJS module for a file that is an ES module.
    common(url) {
      const filename = fileURLToPath(url);
      const require = Module.createRequire(url);
      const module = new Module(filename);
      module.filename = filename;
      module.paths = Module._nodeModulePaths(path.dirname(filename));
      if (filename === main) mainModule = module;
      Object.defineProperty(require, 'main', { value: mainModule ?? process.mainModule });
      return {
        require, module, exports: module.exports, __filename: filename, __dirname: path.dirname(filename),
      };
    },
    // A default import from a CommonJS module.
    default(loaded) {
      return loaded !== null && loaded !== undefined && loaded.__esModule ? loaded.default : loaded;
    },
  };
}

// As constants of the global scope: no property of the global object.
function define(values, folder) {
  const { runInThisContext } = require('vm');
  const key = '$ts_helpers';
  Object.defineProperty(globalThis, key, { value: values, configurable: true });
  const text = Object.keys(values).map((name) => `$ts_${name}=${key}.${name}`).join();
  runInThisContext(`const ${text};`, { filename: `${folder}/helpers.js` });
  delete globalThis[key];
}
