'use strict';
// What programs for Node.js find there, on QuickJS: globals, timers in node's order, the module
// loader, and the recorder behind the probes. What is not there says so when it is asked for.

class UnhandledPromiseRejection extends Error {}

module.exports = function node(host, load, words) {
  const { std, os, engine, folder, builtins } = host;
  host.wrapped = new Set();
  const { types, watchProxies } = load('./quickjs-types.cjs');
  watchProxies();
  const program = JSON.parse(std.loadFile(`${folder}/program.json`));
  host.cwd = () => program.cwd;
  os.chdir(program.cwd);
  const { Buffer, decode } = load('./quickjs-buffer.cjs');
  const hide = (name, value) => Object.defineProperty(globalThis, name, {
    value, writable: true, enumerable: false, configurable: true,
  });
  hide('Buffer', Buffer);
  hide('global', globalThis);
  const { inspect, format, width } = load('./quickjs-inspect.cjs')(types, Buffer, engine.promise);
  builtins.set('util', () => ({ types, inspect, format }));
  const path = load('./quickjs-path.cjs')(host.cwd);
  builtins.set('path', () => path);
  const fs = load('./quickjs-fs.cjs')(host, Buffer);
  builtins.set('fs', () => fs);
  const { process, flushed } = load('./quickjs-process.cjs')(host, {
    Buffer, argv: [program.sources[0].path, ...words.slice(1)], environment: program.environment,
  });
  builtins.set('process', () => process);
  hide('process', process);
  const library = load('./quickjs-library.cjs')({ Buffer, decode, types, inspect, format, process, path, fs });
  hide('console', load('./quickjs-console.cjs')({ process, inspect, format, width }));
  for (const name of library.globals) hide(name[0], name[1]);
  const timers = load('./quickjs-timers.cjs')(host, process, fatal, unhandled);
  for (const name of Object.keys(timers.globals)) globalThis[name] = timers.globals[name];

  const { byPath, channel } = load('./sources.cjs')(folder);
  const shown = load('./quickjs-stacks.cjs')(host, byPath);
  let learn = () => undefined;
  let recorded = { uncaught() {}, unwound() {} };
  if (channel !== null && channel !== undefined) record();

  function record() {
    const { Channel } = load('./channel.cjs');
    const { Recorder } = load('./recorder.cjs');
    const descriptor = os.open(channel, os.O_RDWR);
    if (descriptor < 0) throw new Error(`the trace channel does not open: ${std.strerror(-descriptor)}`);
    const recorder = new Recorder(new Channel(descriptor));
    const made = load('./probes.cjs')(recorder);
    const key = '$t0_probes';
    Object.defineProperty(globalThis, key, { value: made.probes, configurable: true });
    const all = Object.keys(made.probes);
    const scripts = [0, 1, 2, 3].map((n) => all.map((name) => `$t${n}_${name}=${key}.${name}`).join());
    std.evalScript(`const ${scripts.join()};`);
    delete globalThis[key];
    load('./disguise.cjs').installFunctionText(byPath);
    load('./output.cjs').installOutput(made.wrote);
    flushed(() => recorder.flush());
    recorded = made;
    const learned = new Set();
    learn = (source) => {
      if (learned.has(source) || source.facts === null) return;
      learned.add(source);
      recorder.learn(source.facts);
    };
  }

  // A rejection that nobody handled in time: told to who wants to know, else an error.
  function unhandled(reason, promise) {
    if (process.listenerCount('unhandledRejection') > 0) {
      process.emit('unhandledRejection', reason, promise);
      return;
    }
    if (types.isNativeError(reason)) {
      fatal(reason, 'unhandledRejection');
      return;
    }
    let shownReason = '<unknown>';
    try {
      shownReason = typeof reason === 'string' || typeof reason === 'object' ? inspect(reason) : String(reason);
    } catch {
      // As it is.
    }
    const error = new UnhandledPromiseRejection('This error originated either by throwing inside of an async function without a '
      + 'catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected '
      + `with the reason "${shownReason}".`);
    const own = (name, value) => Object.defineProperty(error, name, { value, writable: true, configurable: true });
    own('name', 'UnhandledPromiseRejection');
    own('stack', `${error}`);
    error.code = 'ERR_UNHANDLED_REJECTION';
    fatal(error, 'unhandledRejection');
  }

  // An error that nothing catches ends the program, as node does it.
  function fatal(error, origin = 'uncaughtException') {
    recorded.unwound();
    if (process.listenerCount('uncaughtException') > 0) {
      process.emit('uncaughtException', error, origin);
      return;
    }
    try {
      recorded.uncaught(error);
    } catch {
      // The report matters more.
    }
    let text;
    try {
      text = types.isNativeError(error) ? `${shown.excerpt(error)}\n${inspect(error)}\n`
        : `Uncaught:\n${inspect(error)}\n`;
    } catch {
      text = 'Uncaught error that cannot be shown\n';
    }
    fs.writeSync(2, `${text}\n${process.version}\n`);
    process.exitCode = process.exitCode || 1;
    process.leave();
  }

  const modules = load('./quickjs-modules.cjs')(host, {
    fs, path, library: library.modules, byPath, learn, process, rejected: timers.rejected,
  });
  if (program.sources.some((source) => source.format !== undefined)) lowered();

  // The functions that texts lowered from another language call.
  function lowered() {
    const values = {
      common: modules.common,
      default: (loaded) => (loaded?.__esModule ? loaded.default : loaded),
      ...load('./decorators.cjs'),
    };
    const key = '$ts_helpers';
    Object.defineProperty(globalThis, key, { value: values, configurable: true });
    std.evalScript(`const ${Object.keys(values).map((name) => `$ts_${name}=${key}.${name}`).join()};`);
    delete globalThis[key];
    modules.meanings(JSON.parse(std.loadFile(`${folder}/names.json`)));
  }

  try {
    modules.main(process.argv[1], fatal);
  } catch (error) {
    fatal(error);
  }
  timers.begin();
};
