'use strict';
// `console`, on the streams of `process`.

module.exports = function makeConsole({ process, inspect, format, width }) {
  let indent = '';
  const counts = new Map();
  const started = new Map();
  const write = (stream, text) => {
    const shown = indent === '' ? text : indent + text.replaceAll('\n', `\n${indent}`);
    stream.write(`${shown}\n`);
  };
  const out = (...given) => write(process.stdout, format(...given));
  const err = (...given) => write(process.stderr, format(...given));
  const passed = (label) => {
    const time = performance.now() - started.get(label);
    return time >= 1000 ? `${(time / 1000).toFixed(3)}s` : `${Number(time.toFixed(3))}ms`;
  };

  function table(data, wanted) {
    if (data === null || typeof data !== 'object') return out(data);
    const show = (value) => {
      const isDeep = typeof value === 'object' && value !== null && !Array.isArray(value) &&
        Object.keys(value).length > 2;
      return inspect(value, { maxArrayLength: 3, breakLength: Infinity, depth: isDeep ? -1 : 0 });
    };
    const isMap = data instanceof Map;
    const isSet = data instanceof Set;
    const isList = isMap || isSet;
    const rows = isMap ? [...data].map((pair, i) => [i, pair]) : isSet ? [...data].map((item, i) => [i, item])
      : Object.keys(data).map((key) => [key, data[key]]);
    const columns = [];
    const cells = [];
    let hasValues = false;
    for (const [, row] of rows) {
      const line = new Map();
      if (isMap) {
        line.set('Key', show(row[0]));
        line.set('Values', show(row[1]));
        for (const name of ['Key', 'Values']) if (!columns.includes(name)) columns.push(name);
      } else if (row === null || (typeof row !== 'object' && typeof row !== 'function')) {
        line.set(null, show(row));
        hasValues = true;
      } else {
        for (const key of wanted ?? Object.keys(row)) {
          if (!columns.includes(key)) columns.push(key);
          if (Object.hasOwn(row, key)) line.set(key, show(row[key]));
        }
      }
      cells.push(line);
    }
    const heads = [isList ? '(iteration index)' : '(index)', ...columns, ...(hasValues ? ['Values'] : [])];
    const lines = rows.map(([key], i) => [String(key), ...columns.map((name) => cells[i].get(name) ?? ''),
      ...(hasValues ? [cells[i].get(null) ?? ''] : [])]);
    const widths = heads.map((head, i) => Math.max(width(head), ...lines.map((line) => width(line[i]))) + 2);
    const bar = (left, middle, right) => left + widths.map((size) => '─'.repeat(size)).join(middle) + right;
    const fill = (text, size) => ` ${text}${' '.repeat(size - width(text) - 1)}`;
    const line = (texts) => `│${texts.map((text, i) => fill(text, widths[i])).join('│')}│`;
    return out([bar('┌', '┬', '┐'), line(heads), bar('├', '┼', '┤'), ...lines.map(line), bar('└', '┴', '┘')]
      .join('\n'));
  }

  const methods = {
    log: out,
    warn: err,
    error: err,
    info: out,
    debug: out,
    dir: (value, options) => write(process.stdout, inspect(value, { customInspect: false, ...options })),
    dirxml: out,
    table,
    assert(condition, ...given) {
      if (condition) return;
      if (typeof given[0] === 'string') err(`Assertion failed: ${given[0]}`, ...given.slice(1));
      else err('Assertion failed', ...given);
    },
    group(...given) {
      if (given.length > 0) out(...given);
      indent += '  ';
    },
    groupEnd() { indent = indent.slice(2); },
    count(label = 'default') {
      counts.set(`${label}`, (counts.get(`${label}`) ?? 0) + 1);
      out(`${label}: ${counts.get(`${label}`)}`);
    },
    countReset(label = 'default') { counts.delete(`${label}`); },
    time(label = 'default') { started.set(`${label}`, performance.now()); },
    timeLog(label = 'default', ...given) {
      if (started.has(`${label}`)) out(`${label}: ${passed(`${label}`)}`, ...given);
    },
    timeEnd(label = 'default') {
      if (started.has(`${label}`)) out(`${label}: ${passed(`${label}`)}`);
      started.delete(`${label}`);
    },
    trace(...given) { err(`Trace${given.length > 0 ? `: ${format(...given)}` : ''}`); },
  };
  methods.groupCollapsed = methods.group;
  const made = Object.create({});
  for (const [name, method] of Object.entries(methods)) made[name] = method;
  return made;
};
