'use strict';
// `util.inspect` and `util.format`: values as Node.js 20 shows them on a console without colours.
// What the engine does not tell is shown as unknown.

const custom = Symbol.for('nodejs.util.inspect.custom');
const WIDTH = 80;
const ITEMS = 100;
const CHARACTERS = 10000;
const PLAIN_KEY = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
const SPECIAL = /[\x00-\x1f\x27\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const NAMED = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };

module.exports = function makeInspect(types, Buffer, promiseOf) {
  const functionText = Function.prototype.call.bind(Function.prototype.toString);

  function quote(text) {
    let mark = "'";
    if (text.includes("'")) {
      if (!text.includes('"')) mark = '"';
      else if (!text.includes('`') && !text.includes('${')) mark = '`';
    }
    const escaped = text.replace(SPECIAL, (found) => {
      if (found === "'") return mark === "'" ? "\\'" : found;
      const named = NAMED[found];
      if (named !== undefined) return named;
      const code = found.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code.toUpperCase()}` : `\\x${code.toUpperCase().padStart(2, '0')}`;
    });
    return `${mark}${escaped}${mark}`;
  }

  function primitive(state, value) {
    if (typeof value === 'string') {
      let shown = value;
      let rest = '';
      if (shown.length > state.maxStringLength) {
        const left = shown.length - state.maxStringLength;
        shown = shown.slice(0, state.maxStringLength);
        rest = `... ${left} more character${left > 1 ? 's' : ''}`;
      }
      if (state.compact !== true && shown.length > 16 &&
          shown.length > state.breakLength - state.indent - 4) {
        const lines = shown.split(/(?<=\n)/).map(quote);
        return lines.join(` +\n${' '.repeat(state.indent + 2)}`) + rest;
      }
      return quote(shown) + rest;
    }
    if (typeof value === 'number') return Object.is(value, -0) ? '-0' : `${value}`;
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'symbol') return Symbol.prototype.toString.call(value);
    return `${value}`;
  }

  function constructorName(value) {
    for (let at = value; at !== null; at = Object.getPrototypeOf(at)) {
      const made = Object.getOwnPropertyDescriptor(at, 'constructor');
      if (made !== undefined && typeof made.value === 'function' && made.value.name !== '' &&
          isMadeBy(value, made.value)) return String(made.value.name);
    }
    return null;
  }

  function isMadeBy(value, maker) {
    try {
      return value instanceof maker;
    } catch {
      return false;
    }
  }

  function head(name, tag, fallback, size = '') {
    if (name === null) {
      return tag !== '' && fallback !== tag ? `[${fallback}${size}: null prototype] [${tag}] `
        : `[${fallback}${size}: null prototype] `;
    }
    return tag !== '' && name !== tag ? `${name}${size} [${tag}] ` : `${name}${size} `;
  }

  function keysOf(value, hidden) {
    if (hidden) return Reflect.ownKeys(value);
    const keys = Object.keys(value);
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      if (Object.prototype.propertyIsEnumerable.call(value, symbol)) keys.push(symbol);
    }
    return keys;
  }

  const isIndex = (key) => typeof key === 'string' && /^(0|[1-9][0-9]{0,9})$/.test(key) &&
    Number(key) < 4294967295;

  function functionHead(value, name, tag) {
    const text = functionText(value);
    if (text.startsWith('class') && text.endsWith('}') && !/^class\s*\(/.test(text)) {
      const own = Object.getOwnPropertyDescriptor(value, 'name')?.value;
      let shown = `[class ${typeof own === 'string' && own !== '' ? own : '(anonymous)'}`;
      if (name !== 'Function' && name !== null) shown += ` [${name}]`;
      if (tag !== '' && name !== tag) shown += ` [${tag}]`;
      if (name === null) return `${shown} extends null]`;
      const above = Object.getPrototypeOf(value).name;
      return above ? `${shown} extends ${above}]` : `${shown}]`;
    }
    let kind = 'Function';
    if (types.isGeneratorFunction(value)) kind = `Generator${kind}`;
    if (types.isAsyncFunction(value)) kind = `Async${kind}`;
    let shown = `[${kind}${name === null ? ' (null prototype)' : ''}`;
    shown += value.name === '' ? ' (anonymous)]' : `: ${typeof value.name === 'string' ? value.name : '(anonymous)'}]`;
    if (name !== kind && name !== null && name !== 'Function') shown += ` ${name}`;
    if (tag !== '' && name !== tag && tag !== kind) shown += ` [${tag}]`;
    return shown;
  }

  function errorHead(state, error, name, tag, keys) {
    const title = error.name !== undefined ? String(error.name) : 'Error';
    let text = typeof error.stack === 'string' && error.stack !== '' ? error.stack
      : Error.prototype.toString.call(error);
    // The class where the stack, made before the name was set, has another.
    if (name !== null && title === 'Error' && name !== 'Error' && text.startsWith('Error') &&
        !text.startsWith(name)) text = `${name}${text.slice(5)}`;
    else if (name !== null && name.endsWith('Error') && !text.includes(name) &&
        text.startsWith(title)) text = `${name}${text.slice(title.length)}`;
    for (const hidden of ['name', 'message', 'stack']) {
      const at = keys.indexOf(hidden);
      if (at >= 0 && text.includes(error[hidden])) keys.splice(at, 1);
    }
    if ('cause' in error && !keys.includes('cause') && Object.hasOwn(error, 'cause')) keys.push('cause');
    if (Array.isArray(error.errors) && !keys.includes('errors')) keys.push('errors');
    const at = text.indexOf('\n    at ');
    if (at < 0) text = `[${text}]`;
    if (state.indent !== 0) text = text.replaceAll('\n', `\n${' '.repeat(state.indent)}`);
    return text;
  }

  function format(state, value, depth, typed = false) {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
      return primitive(state, value);
    }
    if (state.customInspect && !types.isProxy(value)) {
      const own = value[custom];
      if (typeof own === 'function' && own !== inspect) {
        const left = state.depth === null ? null : state.depth - depth;
        const { customInspect, breakLength, compact } = state;
        const made = own.call(value, left, { customInspect, breakLength, compact, depth: left,
          showHidden: false, colors: false, stylize: (text) => `${text}` }, inspect);
        if (made !== value) {
          if (typeof made !== 'object') return `${made}`;
          return format(state, made, depth).replaceAll('\n', `\n${' '.repeat(state.indent)}`);
        }
      }
    }
    if (state.seen.includes(value)) {
      let index = state.circular.get(value);
      if (index === undefined) {
        index = state.circular.size + 1;
        state.circular.set(value, index);
      }
      return `[Circular *${index}]`;
    }
    return structure(state, value, depth, typed);
  }

  function structure(state, value, depth) {
    const name = constructorName(value);
    let tag = value[Symbol.toStringTag];
    if (typeof tag !== 'string' || tag === '' || tag === name ||
        (Object.hasOwn(value, Symbol.toStringTag) &&
          Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag))) tag = '';
    let keys = keysOf(value, state.showHidden);
    let base = '';
    let open;
    let close = '}';
    let entries = () => [];
    let isList = false;
    if (Array.isArray(value)) {
      const prefix = name !== 'Array' || tag !== '' ? head(name, tag, 'Array', `(${value.length})`) : '';
      keys = keys.filter((key) => !isIndex(key));
      open = `${prefix}[`;
      close = ']';
      if (value.length === 0 && keys.length === 0) return `${open}]`;
      isList = true;
      entries = () => items(state, value, depth + 1);
    } else if (types.isSet(value)) {
      open = `${head(name, tag, 'Set', `(${value.size})`)}{`;
      if (value.size === 0 && keys.length === 0) return `${open}}`;
      entries = () => collected(state, Set.prototype.values.call(value), value.size,
        (item) => format(state, item, depth + 1));
    } else if (types.isMap(value)) {
      open = `${head(name, tag, 'Map', `(${value.size})`)}{`;
      if (value.size === 0 && keys.length === 0) return `${open}}`;
      entries = () => collected(state, Map.prototype.entries.call(value), value.size, (item) =>
        `${format(state, item[0], depth + 1)} => ${format(state, item[1], depth + 1)}`);
    } else if (types.isTypedArray(value)) {
      keys = keys.filter((key) => !isIndex(key));
      const kind = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype),
        Symbol.toStringTag).get.call(value);
      if (value instanceof Buffer) {
        const shown = Array.from(value.subarray(0, 50), (byte) => byte.toString(16).padStart(2, '0'));
        const more = value.length - 50;
        return `<${name}${shown.length ? ' ' : ''}${shown.join(' ')}${more > 0
          ? ` ... ${more} more byte${more > 1 ? 's' : ''}` : ''}>`;
      }
      open = `${head(name, tag, kind, `(${value.length})`)}[`;
      close = ']';
      if (value.length === 0 && keys.length === 0) return `${open}]`;
      isList = true;
      entries = () => collected(state, Array.prototype.values.call(value), value.length,
        (item) => primitive(state, item));
    } else if (types.isMapIterator(value) || types.isSetIterator(value)) {
      // What is left to visit could only be told by visiting it.
      return `[${tag || 'Iterator'}] { <items unknown> }`;
    } else if (types.isArgumentsObject(value)) {
      open = '[Arguments] {';
      if (keys.length === 0) return `${open}}`;
    } else if (typeof value === 'function') {
      base = functionHead(value, name, tag);
      if (keys.length === 0) return base;
      open = '{';
    } else if (types.isRegExp(value)) {
      base = RegExp.prototype.toString.call(value);
      if (keys.length === 0) return base;
      open = '{';
    } else if (types.isDate(value)) {
      base = Number.isNaN(Date.prototype.getTime.call(value)) ? 'Invalid Date'
        : Date.prototype.toISOString.call(value);
      const prefix = head(name, tag, 'Date');
      if (prefix !== 'Date ') base = `${prefix}${base}`;
      if (keys.length === 0) return base;
      open = '{';
    } else if (types.isNativeError(value)) {
      base = errorHead(state, value, name, tag, keys);
      if (keys.length === 0) return base;
      open = '{';
    } else if (types.isAnyArrayBuffer(value)) {
      open = `${head(name, tag, 'ArrayBuffer')}{`;
      entries = () => {
        const bytes = Array.from(new Uint8Array(value), (byte) => byte.toString(16).padStart(2, '0'));
        return [`[Uint8Contents]: <${bytes.slice(0, 50).join(' ')}${bytes.length > 50
          ? ` ... ${bytes.length - 50} more bytes` : ''}>`, `byteLength: ${value.byteLength}`];
      };
    } else if (types.isPromise(value)) {
      open = `${head(name, tag, 'Promise')}{`;
      entries = () => {
        const [settled, result] = promiseOf(value) ?? [0];
        if (settled === 0) return ['<pending>'];
        return [`${settled === 2 ? '<rejected> ' : ''}${format(state, result, depth + 1)}`];
      };
    } else if (types.isWeakSet(value) || types.isWeakMap(value)) {
      open = `${head(name, tag, 'WeakMap')}{`;
      entries = () => ['<items unknown>'];
    } else if (types.isModuleNamespaceObject(value)) {
      open = '[Module: null prototype] {';
    } else if (types.isBoxedPrimitive(value)) {
      const inner = value.valueOf();
      const kind = types.isStringObject(value) ? 'String' : types.isNumberObject(value) ? 'Number'
        : types.isBooleanObject(value) ? 'Boolean' : types.isBigIntObject(value) ? 'BigInt' : 'Symbol';
      if (kind === 'String') keys = keys.filter((key) => !isIndex(key));
      base = `[${kind}${name !== kind ? ` (${name})` : ''}: ${primitive(state, inner)}]`;
      if (keys.length === 0) return base;
      open = '{';
    } else {
      open = name === 'Object' && tag === '' ? '{' : `${head(name, tag, 'Object')}{`;
      if (keys.length === 0) return `${open}}`;
    }
    if (state.depth !== null && depth > state.depth) {
      return `[${head(name, tag, Array.isArray(value) ? 'Array' : 'Object').slice(0, -1)}]`;
    }
    state.seen.push(value);
    state.current = depth + 1;
    const output = entries();
    for (const key of keys) output.push(property(state, value, key, depth + 1));
    state.seen.pop();
    const index = state.circular.get(value);
    if (index !== undefined) base = base === '' ? `<ref *${index}>` : `<ref *${index}> ${base}`;
    return reduce(state, output, base, open, close, isList ? value : undefined, depth + 1);
  }

  function items(state, array, depth) {
    const output = [];
    const { length } = array;
    let at = 0;
    while (at < length && output.length < state.maxArrayLength) {
      if (!Object.hasOwn(array, at)) {
        const from = at;
        while (at < length && !Object.hasOwn(array, at)) at += 1;
        output.push(`<${at - from} empty item${at - from > 1 ? 's' : ''}>`);
        continue;
      }
      output.push(property(state, array, at, depth, true));
      at += 1;
    }
    const left = length - at;
    if (left > 0) output.push(`... ${left} more item${left > 1 ? 's' : ''}`);
    return output;
  }

  function collected(state, iterator, size, show) {
    const output = [];
    state.indent += 2;
    for (const item of iterator) {
      if (output.length >= state.maxArrayLength) {
        const left = size - output.length;
        output.push(`... ${left} more item${left > 1 ? 's' : ''}`);
        break;
      }
      output.push(show(item));
    }
    state.indent -= 2;
    return output;
  }

  function property(state, value, key, depth, isItem = false) {
    const found = Object.getOwnPropertyDescriptor(value, key) ??
      { value: value[key], enumerable: true };
    let text;
    if ('value' in found) {
      state.indent += 2;
      text = format(state, found.value, depth);
      state.indent -= 2;
    } else if (found.get !== undefined) {
      text = found.set !== undefined ? '[Getter/Setter]' : '[Getter]';
    } else text = found.set !== undefined ? '[Setter]' : 'undefined';
    if (isItem) return text;
    let name;
    if (typeof key === 'symbol') name = `[${Symbol.prototype.toString.call(key)}]`;
    else if (key === '__proto__') name = "['__proto__']";
    else if (found.enumerable === false) name = `[${key}]`;
    else name = PLAIN_KEY.test(key) ? key : quote(key);
    return `${name}: ${text}`;
  }

  // Cells of a terminal.
  function width(text) {
    let cells = 0;
    for (const character of text.normalize('NFC')) {
      const code = character.codePointAt(0);
      const isWide = code >= 0x1100 && (code <= 0x115f || (code >= 0x2e80 && code <= 0xa4cf) ||
        (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
        (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
        (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1f64f) ||
        (code >= 0x1f900 && code <= 0x1f9ff) || (code >= 0x20000 && code <= 0x3fffd));
      if (isWide) cells += 2;
      else if (!/^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u.test(character)) cells += 1;
    }
    return cells;
  }

  // Long lists stand in columns.
  function columnsOf(state, output, list) {
    const rest = output.length > state.maxArrayLength ? 1 : 0;
    const count = output.length - rest;
    const widths = [];
    let total = 0;
    let widest = 0;
    for (let i = 0; i < count; i++) {
      widths[i] = width(output[i]);
      total += widths[i] + 2;
      widest = Math.max(widest, widths[i]);
    }
    const cell = widest + 2;
    if (cell * 3 + state.indent >= state.breakLength || (total / cell <= 5 && widest > 6)) return output;
    const even = Math.max(cell - 3 - Math.sqrt(cell - total / output.length), 1);
    const columns = Math.min(Math.round(Math.sqrt(2.5 * even * count) / even),
      Math.floor((state.breakLength - state.indent) / cell), state.compact * 4, 15);
    if (columns <= 1) return output;
    const lanes = [];
    for (let i = 0; i < columns; i++) {
      let most = 0;
      for (let j = i; j < count; j += columns) most = Math.max(most, widths[j]);
      lanes.push(most + 2);
    }
    let right = true;
    for (let i = 0; right && i < output.length; i++) {
      right = typeof list[i] === 'number' || typeof list[i] === 'bigint';
    }
    const rows = [];
    for (let i = 0; i < count; i += columns) {
      const end = Math.min(i + columns, count);
      let row = '';
      for (let j = i; j < end; j++) {
        const isLast = j === end - 1;
        const pad = ' '.repeat(Math.max(0, lanes[j - i] - 2 - widths[j]));
        if (right) row += `${pad}${output[j]}${isLast ? '' : ', '}`;
        else row += isLast ? output[j] : `${output[j]}, ${pad}`;
      }
      rows.push(row);
    }
    if (rest) rows.push(output[count]);
    return rows;
  }

  function reduce(state, output, base, open, close, list, depth) {
    const before = base === '' ? '' : `${base} `;
    if (state.compact === false || typeof state.compact !== 'number') {
      const line = `\n${' '.repeat(state.indent)}`;
      return `${before}${open}${line}  ${output.join(`,${line}  `)}${line}${close}`;
    }
    const entries = output.length;
    const shown = list !== undefined && entries > 6 ? columnsOf(state, output, list) : output;
    if (state.current - depth < state.compact && entries === shown.length) {
      let total = shown.length + shown.length + state.indent + open.length + base.length + 10;
      for (const part of shown) total += part.length;
      if (total <= state.breakLength && !base.includes('\n')) {
        const joined = shown.join(', ');
        if (!joined.includes('\n')) return `${before}${open} ${joined} ${close}`;
      }
    }
    const line = `\n${' '.repeat(state.indent)}`;
    return `${before}${open}${line}  ${shown.join(`,${line}  `)}${line}${close}`;
  }

  function inspect(value, options, ...older) {
    const given = typeof options === 'object' && options !== null ? options
      : { showHidden: options === true, ...(older.length > 0 ? { depth: older[0] } : {}) };
    const limit = (wanted, usual) => (wanted === null ? Infinity : wanted ?? usual);
    return format({
      depth: given.depth === undefined ? 2 : given.depth === Infinity ? null : given.depth,
      breakLength: limit(given.breakLength, WIDTH),
      compact: given.compact ?? 3,
      maxArrayLength: limit(given.maxArrayLength, ITEMS),
      maxStringLength: limit(given.maxStringLength, CHARACTERS),
      showHidden: given.showHidden === true,
      customInspect: given.customInspect !== false,
      indent: 0, current: 0, seen: [], circular: new Map(),
    }, value, 0);
  }
  inspect.custom = custom;

  const builtIn = new Set(Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z][a-zA-Z0-9]+$/.test(name)));

  // Whether the text of an object is the language's own.
  function isPlain(value) {
    if (types.isProxy(value)) return true;
    if (value instanceof Buffer) return false;
    let at = value;
    while (at !== null && !Object.hasOwn(at, 'toString')) at = Object.getPrototypeOf(at);
    if (at === null) return true;
    if (at === value) return false;
    const made = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
    return typeof made === 'function' && builtIn.has(made.name);
  }

  function asString(value) {
    if (typeof value === 'string') return value;
    if (typeof value === 'object' && value !== null && isPlain(value)) return inspect(value, { depth: 0 });
    if (typeof value === 'bigint') return `${value}n`;
    if (Object.is(value, -0)) return '-0';
    return String(value);
  }

  function directive(letter, value) {
    switch (letter) {
      case 's': return asString(value);
      case 'd':
        if (typeof value === 'bigint') return `${value}n`;
        return typeof value === 'symbol' ? 'NaN' : primitive({}, Number(value));
      case 'i':
        if (typeof value === 'bigint') return `${value}n`;
        return typeof value === 'symbol' ? 'NaN' : primitive({}, Number.parseInt(value, 10));
      case 'f': return typeof value === 'symbol' ? 'NaN' : primitive({}, Number.parseFloat(value));
      case 'j':
        try {
          return JSON.stringify(value);
        } catch (error) {
          if (error.message.includes('circular')) return '[Circular]';
          throw error;
        }
      case 'o': return inspect(value, { showHidden: true, depth: 4 });
      case 'O': return inspect(value);
      default: return '';
    }
  }

  function formatAll(...values) {
    const [first] = values;
    if (values.length === 1) return typeof first === 'string' ? first : inspect(first);
    let next = 0;
    let text = '';
    if (typeof first === 'string') {
      next = 1;
      text = first.replace(/%[sdifjoOc%]/g, (found) => {
        if (found === '%%') return '%';
        if (next >= values.length) return found;
        return directive(found[1], values[next++]);
      });
    }
    for (; next < values.length; next++) {
      if (next > 0) text += ' ';
      text += typeof values[next] === 'string' ? values[next] : inspect(values[next]);
    }
    return text;
  }

  return { inspect, format: formatAll, width };
};
