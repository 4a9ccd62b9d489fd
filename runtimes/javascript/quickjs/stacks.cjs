'use strict';
// Stack traces as the program's own files have their places, in V8's form; what runs beneath the
// program is left out.

const { apply } = Reflect;

module.exports = function installStacks({ wrapped, HEAD, folder }, sources) {
  const toText = Error.prototype.toString;
  const places = new WeakMap();
  const remember = Function.prototype.call.bind(WeakMap.prototype.set);
  const recall = Function.prototype.call.bind(WeakMap.prototype.get);

  function frame(site) {
    const file = site.getFileName();
    if (typeof file !== 'string' || file.startsWith(folder) || file === '<evalScript>') return undefined;
    let line = site.getLineNumber();
    let column = site.getColumnNumber();
    if (wrapped.has(file) && line === 1) column -= HEAD.length;
    const source = sources.get(file);
    if (source !== undefined && source.bytes !== null && line > 0) {
      ({ line, column } = source.place(line, column));
    }
    return { file, line, column, source, name: site.getFunctionName() };
  }

  function prepare(error, sites) {
    let text;
    try {
      text = apply(toText, error, []);
    } catch {
      text = 'Error';
    }
    let first;
    for (let i = 0; i < sites.length; i++) {
      const found = frame(sites[i]);
      if (found === undefined) continue;
      const where = found.line > 0 ? `${found.file}:${found.line}:${found.column}` : '<anonymous>';
      if (found.line > 0) first ??= found;
      text += found.name && found.name !== '<anonymous>' ? `\n    at ${found.name} (${where})`
        : `\n    at ${where}`;
    }
    if (first !== undefined) remember(places, error, first);
    return text;
  }
  // The engine keeps it beside the property.
  Error.prepareStackTrace = prepare;

  return {
    // The lines above the report of an error that nothing caught.
    excerpt(error) {
      const place = recall(places, error);
      if (place === undefined) return '';
      const line = place.source?.bytes ? place.source.shown(place.line, place.column).text : '';
      return `${place.file}:${place.line}\n${line}\n${' '.repeat(Math.max(0, place.column - 1))}^\n`;
    },
  };
};
