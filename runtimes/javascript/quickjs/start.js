// The first script on QuickJS: keeps what only it can reach, gives its modules to one another, and
// hands over to `node.cjs`. Run as `quickjs.wasm start.js`; `engine` is what `engine/main.c` adds.
(function start(std, os, engine, words) {
  'use strict';
  const folder = words[0].slice(0, words[0].lastIndexOf('/'));
  const { compile } = engine;

  const modules = new Map();
  const HEAD = '(function (exports, require, module, __filename, __dirname) {';
  const host = { std, os, engine, compile, folder, HEAD, builtins: new Map() };

  // The emitter's own files, and what node calls by these names.
  function load(name) {
    const known = name.startsWith('./') ? undefined : host.builtins.get(name);
    if (known !== undefined) return known();
    const path = `${folder}/${name.replace('./', '')}`;
    let module = modules.get(path);
    if (module === undefined) {
      module = { exports: {} };
      modules.set(path, module);
      const text = std.loadFile(path);
      if (text === null) throw new Error(`the emitter's file ${path} is not there`);
      compile(`${HEAD}${text}\n})`, path)
        .call(module.exports, module.exports, load, module, path, folder);
    }
    return module.exports;
  }

  for (const name of ['std', 'os', 'engine', 'bjson', 'print', 'scriptArgs', 'execArgv', 'argv0', 'console',
    'gc', 'navigator']) delete globalThis[name];
  host.load = load;
  load('./quickjs-node.cjs')(host, load, words);
}(std, os, engine, scriptArgs));
