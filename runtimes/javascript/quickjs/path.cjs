'use strict';
// `path` for POSIX names.

module.exports = function makePath(cwd) {
  const normalize = (given) => {
    const text = `${given}`;
    const parts = [];
    const isAbsolute = text.startsWith('/');
    for (const part of text.split('/')) {
      if (part === '' || part === '.') continue;
      if (part !== '..') parts.push(part);
      else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
      else if (!isAbsolute) parts.push('..');
    }
    let joined = parts.join('/');
    if (joined !== '' && text.endsWith('/')) joined += '/';
    return isAbsolute ? `/${joined}` : joined === '' ? (text.endsWith('/') ? './' : '.') : joined;
  };
  const join = (...parts) => normalize(parts.filter((part) => part !== '').join('/'));
  const resolve = (...parts) => {
    let whole = '';
    for (let i = parts.length - 1; i >= 0 && !whole.startsWith('/'); i--) {
      if (parts[i] !== '') whole = whole === '' ? `${parts[i]}` : `${parts[i]}/${whole}`;
    }
    if (!whole.startsWith('/')) whole = `${cwd()}/${whole}`;
    const normal = normalize(whole);
    return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
  };
  const bare = (text) => (text.length > 1 ? text.replace(/\/+$/, '') || '/' : text);
  const basename = (text, suffix) => {
    const own = bare(text);
    const name = own.slice(own.lastIndexOf('/') + 1);
    return suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  };
  const dirname = (text) => {
    const own = bare(text);
    const at = own.lastIndexOf('/');
    return at < 0 ? '.' : at === 0 ? '/' : bare(own.slice(0, at));
  };
  const extname = (text) => {
    const name = basename(text);
    const at = name.lastIndexOf('.');
    return at <= 0 ? '' : name.slice(at);
  };
  const relative = (from, to) => {
    const here = resolve(from).split('/').filter(Boolean);
    const there = resolve(to).split('/').filter(Boolean);
    let same = 0;
    while (same < here.length && here[same] === there[same]) same += 1;
    return [...here.slice(same).map(() => '..'), ...there.slice(same)].join('/');
  };
  const path = {
    sep: '/', delimiter: ':', normalize, join, resolve, basename, dirname, extname, relative,
    isAbsolute: (text) => text.startsWith('/'),
    parse(text) {
      const base = basename(text);
      const ext = extname(text);
      const dir = text.includes('/') ? dirname(text) : '';
      return { root: text.startsWith('/') ? '/' : '', dir, base, ext, name: base.slice(0, base.length - ext.length) };
    },
    format: ({ dir, root, base, name, ext }) => {
      const last = base ?? `${name ?? ''}${ext ?? ''}`;
      return dir ? (dir === root ? `${dir}${last}` : `${dir}/${last}`) : `${root ?? ''}${last}`;
    },
    toNamespacedPath: (text) => text,
  };
  path.posix = path;
  return path;
};
