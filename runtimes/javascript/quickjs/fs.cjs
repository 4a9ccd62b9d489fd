'use strict';
// `fs`: the synchronous functions on files and folders. What is asynchronous in node is done at
// once here and told later.

// The errors of WASI by number.
const CODES = {
  2: 'EACCES', 8: 'EBADF', 20: 'EEXIST', 28: 'EINVAL', 31: 'EISDIR', 44: 'ENOENT', 51: 'ENOSPC',
  54: 'ENOTDIR', 55: 'ENOTEMPTY', 63: 'EPERM', 69: 'EROFS', 70: 'ESPIPE', 76: 'EPERM',
};
const CHUNK = 1 << 16;
const OWN = /^\.(script-|module-|tracer-)/;

module.exports = function makeFs({ std, os }, Buffer) {
  function check(result, call, path) {
    const number = typeof result === 'number' ? -result : result[1];
    if (number <= 0) return typeof result === 'number' ? result : result[0];
    const code = CODES[number] ?? `E${number}`;
    const about = std.strerror(number);
    const words = about[0].toLowerCase() + about.slice(1);
    const error = new Error(`${code}: ${words}, ${call}${path === undefined ? '' : ` '${path}'`}`);
    Object.assign(error, { errno: -number, code, syscall: call });
    if (path !== undefined) error.path = path;
    throw error;
  }

  const FLAGS = {
    r: os.O_RDONLY, 'r+': os.O_RDWR, w: os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    wx: os.O_WRONLY | os.O_CREAT | os.O_EXCL, 'w+': os.O_RDWR | os.O_CREAT | os.O_TRUNC,
    a: os.O_WRONLY | os.O_CREAT | os.O_APPEND, 'a+': os.O_RDWR | os.O_CREAT | os.O_APPEND,
  };
  const STREAMS = { '/dev/stdin': 0, '/dev/stdout': 1, '/dev/stderr': 2 };
  const nameOf = (file) => (typeof file === 'object' && file !== null && file.href !== undefined
    ? decodeURIComponent(file.href.slice('file://'.length)) : Buffer.isBuffer(file) ? file.toString() : file);

  function openSync(file, flags = 'r', mode = 0o666) {
    const name = nameOf(file);
    if (typeof name !== 'string') throw invalid('path', file);
    return STREAMS[name] ?? check(os.open(name, typeof flags === 'number' ? flags : FLAGS[flags], mode), 'open', name);
  }

  function invalid(what, value) {
    const error = new TypeError(`The "${what}" argument must be of type string or an instance of Buffer or URL. Received ${value === undefined ? 'undefined' : `type ${typeof value}`}`);
    error.code = 'ERR_INVALID_ARG_TYPE';
    return error;
  }

  function closeSync(descriptor) {
    if (descriptor > 2) check(os.close(descriptor), 'close');
  }

  function readSync(descriptor, buffer, offset = 0, length = buffer.byteLength - offset, position = null) {
    if (typeof position === 'number') os.seek(descriptor, position, std.SEEK_SET);
    return check(os.read(descriptor, buffer.buffer, buffer.byteOffset + offset, length), 'read');
  }

  function writeSync(descriptor, data, offset = 0, length = undefined, position = null) {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (typeof data === 'string') offset = 0;
    const size = typeof data === 'string' ? bytes.length : length ?? bytes.byteLength - offset;
    if (typeof position === 'number') os.seek(descriptor, position, std.SEEK_SET);
    let done = 0;
    while (done < size) {
      done += check(os.write(descriptor, bytes.buffer, bytes.byteOffset + offset + done, size - done), 'write');
    }
    return done;
  }

  function readFileSync(file, options) {
    const isNumber = typeof file === 'number';
    const descriptor = isNumber ? file : openSync(file, options?.flag);
    const parts = [];
    try {
      for (;;) {
        const part = Buffer.alloc(CHUNK);
        const got = readSync(descriptor, part, 0, CHUNK);
        if (got === 0) break;
        parts.push(part.subarray(0, got));
      }
    } finally {
      if (!isNumber) closeSync(descriptor);
    }
    const whole = Buffer.concat(parts);
    const encoding = typeof options === 'string' ? options : options?.encoding;
    return encoding ? whole.toString(encoding) : whole;
  }

  function writeFileSync(file, data, options, usual = 'w') {
    const encoding = typeof options === 'string' ? options : options?.encoding;
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding ?? 'utf8') : data;
    const isNumber = typeof file === 'number';
    const descriptor = isNumber ? file : openSync(file, options?.flag ?? usual);
    try {
      writeSync(descriptor, bytes);
    } finally {
      if (!isNumber) closeSync(descriptor);
    }
  }

  function statSync(file, options) {
    const name = nameOf(file);
    const [found, number] = os.stat(name);
    if (number !== 0) {
      if (options?.throwIfNoEntry === false) return undefined;
      check([found, number], 'stat', name);
    }
    const kind = found.mode & os.S_IFMT;
    return {
      ...found, mtimeMs: found.mtime, mtime: new Date(found.mtime), ctime: new Date(found.ctime),
      atime: new Date(found.atime),
      isFile: () => kind === os.S_IFREG, isDirectory: () => kind === os.S_IFDIR,
      isSymbolicLink: () => kind === os.S_IFLNK,
    };
  }

  function readdirSync(folder, options) {
    const found = check(os.readdir(nameOf(folder)), 'scandir', nameOf(folder));
    const list = found.filter((name) => name !== '.' && name !== '..' && !OWN.test(name)).sort();
    if (options?.withFileTypes !== true) return list;
    return list.map((name) => {
      const { isFile, isDirectory, isSymbolicLink } = statSync(`${folder}/${name}`);
      return { name, parentPath: folder, path: folder, isFile, isDirectory, isSymbolicLink };
    });
  }

  function mkdirSync(folder, options) {
    const name = nameOf(folder);
    if (options?.recursive !== true) {
      check(os.mkdir(name, 0o777), 'mkdir', name);
      return undefined;
    }
    let first;
    const parts = name.split('/');
    for (let i = 1; i <= parts.length; i++) {
      const part = parts.slice(0, i).join('/');
      if (part === '' || part === '.' || existsSync(part)) continue;
      check(os.mkdir(part, 0o777), 'mkdir', part);
      first ??= part;
    }
    return first;
  }

  function rmSync(file, options) {
    if (!existsSync(file)) {
      if (options?.force) return;
      check(-44, 'rm', file);
    }
    if (options?.recursive && statSync(file).isDirectory()) {
      for (const name of readdirSync(file)) rmSync(`${file}/${name}`, options);
    }
    check(os.remove(nameOf(file)), 'rm', file);
  }

  function existsSync(file) {
    try {
      return os.stat(nameOf(file))[1] === 0;
    } catch {
      return false;
    }
  }

  const remove = (call) => (file) => { check(os.remove(nameOf(file)), call, file); };
  const fs = {
    openSync, closeSync, readSync, writeSync, readFileSync, writeFileSync, statSync,
    lstatSync: statSync, readdirSync, mkdirSync, rmSync, existsSync,
    appendFileSync: (file, data, options) => writeFileSync(file, data, options, 'a'),
    unlinkSync: remove('unlink'),
    rmdirSync: remove('rmdir'),
    renameSync: (from, to) => { check(os.rename(from, to), 'rename', from); },
    copyFileSync: (from, to) => writeFileSync(to, readFileSync(from)),
    accessSync: (file) => { statSync(file); },
    realpathSync: (file) => file,
    mkdtempSync(prefix) {
      for (let i = 0; ; i++) {
        const name = `${prefix}${String(i).padStart(6, 'a')}`;
        if (existsSync(name)) continue;
        mkdirSync(name);
        return name;
      }
    },
    constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 },
    promises: {},
  };
  for (const name of ['readFile', 'writeFile', 'appendFile', 'stat', 'lstat', 'readdir', 'mkdir', 'rm',
    'unlink', 'rmdir', 'rename', 'copyFile', 'access']) {
    const act = fs[`${name}Sync`];
    fs[name] = (...given) => {
      const callback = given.pop();
      let result;
      let error = null;
      try {
        result = act(...given);
      } catch (failure) {
        error = failure;
      }
      globalThis.setImmediate(() => (error === null ? callback(null, result) : callback(error)));
    };
    fs.promises[name] = (...given) => new Promise((resolve, reject) => {
      fs[name](...given, (error, result) => (error === null ? resolve(result) : reject(error)));
    });
  }
  fs.exists = (file, callback) => globalThis.setImmediate(() => callback(existsSync(file)));
  return fs;
};
