'use strict';
// The module loader: CommonJS files as functions; ECMAScript modules by the engine's own loader, which
// asks here what a name means and for the text of a file.

const MODULE_SYNTAX = /^[ \t]*(import\s*(["'{*]|[\w$]+[\s,])|export\s*([{*]|(default|async|function|const|let|var|class|enum)\b))/m;

module.exports = function makeModules(host, { fs, path, library, byPath, learn, process, rejected }) {
  const { engine, compile, HEAD } = host;
  const cache = Object.create(null);

  // The text that runs: the instrumented one of a file that is traced.
  function textOf(file) {
    const source = byPath.get(file);
    if (source === undefined) return fs.readFileSync(file, 'utf8');
    source.load();
    learn(source);
    return source.text;
  }

  const withoutLine = (text) => (text.startsWith('#!') ? `//${text}` : text).replace(/^\ufeff/, '');

  function failure(message, code, more) {
    const error = new Error(message);
    error.code = code;
    return Object.assign(error, more);
  }

  function isFile(name) {
    return fs.statSync(name, { throwIfNoEntry: false })?.isFile() === true;
  }

  function asFile(name) {
    for (const end of ['', '.js', '.json', '.cjs', '.mjs', '.ts', '.mts', '.cts', '.tsx']) {
      if (isFile(name + end) || byPath.has(name + end)) return name + end;
    }
    // What TypeScript calls by the name it is compiled to.
    const typed = name.replace(/\.([cm]?)js$/, '.$1ts');
    if (typed !== name && (isFile(typed) || byPath.has(typed))) return typed;
    return undefined;
  }

  // What a project says that a name which is no path stands for.
  let paths = [];
  let base = null;

  function meanings(name) {
    const found = [];
    for (const [pattern, targets] of paths) {
      const [start, end = null] = pattern.split('*');
      if (end === null ? name !== pattern : !name.startsWith(start) || !name.endsWith(end)) continue;
      const middle = end === null ? '' : name.slice(start.length, name.length - end.length);
      for (const wanted of targets) found.push(wanted.replace('*', () => middle));
      break;
    }
    if (base !== null) found.push(path.join(base, name));
    return found;
  }

  function asFolder(name) {
    const about = `${name}/package.json`;
    if (isFile(about)) {
      const { main } = JSON.parse(fs.readFileSync(about, 'utf8'));
      if (typeof main === 'string') {
        const wanted = path.resolve(name, main);
        const found = asFile(wanted) ?? asFile(`${wanted}/index`);
        if (found !== undefined) return found;
      }
    }
    return asFile(`${name}/index`);
  }

  const bare = (name) => (name.startsWith('node:') ? name.slice(5) : name);
  const isBuiltin = (name) => name.startsWith('node:') || library.has(name) || library.isMissing(name);

  function resolve(name, from) {
    if (typeof name !== 'string') throw failure('The "id" argument must be of type string.', 'ERR_INVALID_ARG_TYPE');
    if (isBuiltin(name)) return bare(name);
    if (/^(\.{0,2}\/|\.{1,2}$)/.test(name)) {
      const wanted = path.resolve(path.dirname(from), name);
      const found = asFile(wanted) ?? asFolder(wanted);
      if (found !== undefined) return found;
    } else {
      for (const wanted of meanings(name)) {
        const found = asFile(wanted) ?? asFolder(wanted);
        if (found !== undefined) return found;
      }
      for (let at = path.dirname(from); ; at = path.dirname(at)) {
        const wanted = `${at === '/' ? '' : at}/node_modules/${name}`;
        const found = asFile(wanted) ?? asFolder(wanted);
        if (found !== undefined) return found;
        if (at === '/') break;
      }
    }
    throw failure(`Cannot find module '${name}'\nRequire stack:\n- ${from}`, 'MODULE_NOT_FOUND',
      { requireStack: [from] });
  }

  function requireFrom(parent) {
    const from = parent.filename;
    const require = { require(name) {
      const found = resolve(name, from);
      if (isBuiltin(name)) return library.get(found);
      return loadFile(found, parent).exports;
    } }.require;
    require.resolve = (name) => resolve(name, from);
    require.cache = cache;
    require.main = process.mainModule;
    return require;
  }

  function loadFile(file, parent) {
    const known = cache[file];
    if (known !== undefined) return known;
    const module = {
      id: parent === null ? '.' : file, path: path.dirname(file), exports: {}, filename: file,
      loaded: false, children: [], paths: [],
    };
    Object.defineProperty(module, 'parent', { value: parent, enumerable: false });
    if (parent === null) process.mainModule = module;
    else parent.children?.push(module);
    cache[file] = module;
    try {
      if (file.endsWith('.json')) module.exports = JSON.parse(fs.readFileSync(file, 'utf8'));
      else {
        const text = withoutLine(textOf(file));
        module.require = requireFrom(module);
        host.wrapped.add(file);
        const body = compile(`${HEAD}${text}\n})`, file);
        Reflect.apply(body, module.exports,
          [module.exports, module.require, module, file, module.path]);
      }
    } catch (error) {
      delete cache[file];
      throw error;
    }
    module.loaded = true;
    return module;
  }

  const ready = Symbol.for('$t0_ready');
  const BEGIN = `${host.folder}/begin`;
  const EXPORTS = `${host.folder}/exports/`;
  const exported = [];

  // What is no module, as one.
  function exporter(name) {
    const isData = name.endsWith('.json');
    const value = isBuiltin(name) ? library.get(name) : loadFile(name, { filename: name, children: [] }).exports;
    const index = exported.push(value) - 1;
    const own = !isData && ((typeof value === 'object' && value !== null) || typeof value === 'function')
      ? Object.keys(value).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default') : [];
    const list = own.map((key, i) => `const v${i} = all[${JSON.stringify(key)}]; export { v${i} as ${key} };`);
    return `const all = globalThis[Symbol.for('$t0_ready')][${index}];
export default all;\n${list.join('\n')}\n`;
  }

  // The engine's name of what an import means.
  function meant(name, from) {
    if (from === BEGIN) return name;
    let found;
    try {
      found = resolve(name, from);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
      throw failure(`Cannot find ${/^\.{0,2}\//.test(name) ? 'module' : 'package'} '${name}' imported from ${from}`,
        'ERR_MODULE_NOT_FOUND');
    }
    return isBuiltin(name) || !isModule(found) ? EXPORTS + found : found;
  }

  // The text of what has such a name, and what it finds out about itself.
  function loaded(name) {
    if (name.startsWith(EXPORTS)) return [exporter(name.slice(EXPORTS.length)), undefined];
    const url = (file) => `file://${encodeURI(file)}`;
    return [withoutLine(textOf(name)), {
      dirname: path.dirname(name),
      filename: name,
      resolve(wanted) {
        const found = resolve(wanted, name);
        return isBuiltin(wanted) ? `node:${found}` : url(found);
      },
      url: url(name),
    }];
  }

  function isModule(file) {
    const format = byPath.get(file)?.format;
    if (format !== undefined) return format === 'module';
    if (file.endsWith('.mjs') || file.endsWith('.mts')) return true;
    if (file.endsWith('.cjs') || file.endsWith('.json') || file.endsWith('.cts')) return false;
    for (let at = path.dirname(file); ; at = path.dirname(at)) {
      const about = `${at === '/' ? '' : at}/package.json`;
      if (isFile(about)) {
        try {
          const { type } = JSON.parse(fs.readFileSync(about, 'utf8'));
          if (type !== undefined) return type === 'module';
        } catch {
          // As if there were none.
        }
        break;
      }
      if (at === '/') break;
    }
    const text = withoutLine(textOf(file));
    if (!MODULE_SYNTAX.test(text)) return false;
    try {
      // Whether it is one only the parser knows: such a line may stand in a text or a comment.
      compile(`${HEAD}${text}\n})`, file);
      return false;
    } catch {
      return true;
    }
  }

  engine.hook(meant, loaded, rejected);

  return {
    meanings: (known) => ({ paths, base } = known),
    // The names of a CommonJS module for a file that is a module.
    common(url) {
      const filename = decodeURI(url.slice('file://'.length));
      const module = { exports: {}, filename, children: [], path: path.dirname(filename) };
      process.mainModule ??= module;
      return {
        require: requireFrom(module), module, exports: module.exports, __filename: filename,
        __dirname: module.path,
      };
    },
    main(file, fatal) {
      const main = asFile(file) ?? file;
      if (!isModule(main)) {
        loadFile(main, null);
        return;
      }
      Object.defineProperty(globalThis, ready, { value: exported, configurable: true, enumerable: false });
      // A part that begins at once is called only when all are read.
      const begin = compile(`(function (path) { return import(path); })`, BEGIN);
      begin(main).catch(fatal);
    },
  };
};
