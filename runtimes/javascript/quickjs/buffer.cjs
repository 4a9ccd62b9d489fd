'use strict';
// `Buffer` with the encodings UTF-8, Latin-1, hexadecimal and Base64: bytes, and their way to and
// from texts.

const { charCodeAt, fromCharCode } = {
  charCodeAt: Function.prototype.call.bind(String.prototype.charCodeAt),
  fromCharCode: String.fromCharCode,
};
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

// Calls `put` with each byte of a text.
function encode(text, put) {
  for (let i = 0; i < text.length; i++) {
    let code = charCodeAt(text, i);
    if (code < 0x80) {
      put(code);
      continue;
    }
    if (code < 0x800) {
      put(0xc0 | (code >> 6));
    } else {
      const next = i + 1 < text.length ? charCodeAt(text, i + 1) : 0;
      if (code >= 0xd800 && code < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
        i += 1;
        put(0xf0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3f));
      } else {
        if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
        put(0xe0 | (code >> 12));
      }
      put(0x80 | ((code >> 6) & 0x3f));
    }
    put(0x80 | (code & 0x3f));
  }
}

// The text of bytes, with U+FFFD for each longest part that is none.
function decode(bytes, from, to) {
  let text = '';
  let chunk = [];
  for (let i = from; i < to;) {
    const first = bytes[i++];
    let code = first;
    let more = 0;
    let low = 0x80;
    let high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) { more = 1; code = first & 0x1f; }
    else if (first >= 0xe0 && first <= 0xef) {
      more = 2;
      code = first & 0x0f;
      if (first === 0xe0) low = 0xa0;
      if (first === 0xed) high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      more = 3;
      code = first & 0x07;
      if (first === 0xf0) low = 0x90;
      if (first === 0xf4) high = 0x8f;
    } else if (first >= 0x80) code = 0xfffd;
    while (more > 0) {
      const next = i < to ? bytes[i] : 0;
      if (next < low || next > high) {
        code = 0xfffd;
        break;
      }
      code = (code << 6) | (next & 0x3f);
      i += 1;
      more -= 1;
      low = 0x80;
      high = 0xbf;
    }
    if (code > 0xffff) {
      chunk.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
    } else chunk.push(code);
    if (chunk.length > 4000) {
      text += fromCharCode(...chunk);
      chunk = [];
    }
  }
  return text + fromCharCode(...chunk);
}

function byteLength(text) {
  if (typeof text !== 'string') return text.byteLength;
  let length = 0;
  encode(text, () => { length += 1; });
  return length;
}

function bytesOf(text, encoding) {
  const bytes = [];
  switch (`${encoding ?? 'utf8'}`.toLowerCase()) {
    case 'utf8': case 'utf-8':
      encode(text, (byte) => { bytes[bytes.length] = byte; });
      return bytes;
    case 'latin1': case 'binary': case 'ascii':
      for (let i = 0; i < text.length; i++) bytes.push(charCodeAt(text, i) & 0xff);
      return bytes;
    case 'hex':
      for (let i = 0; i + 1 < text.length; i += 2) {
        const byte = Number.parseInt(text.slice(i, i + 2), 16);
        if (Number.isNaN(byte)) break;
        bytes.push(byte);
      }
      return bytes;
    case 'base64': case 'base64url': {
      let bits = 0;
      let held = 0;
      for (const letter of text) {
        const digit = DIGITS.indexOf(letter === '-' ? '+' : letter === '_' ? '/' : letter);
        if (digit < 0) continue;
        held = (held << 6) | digit;
        bits += 6;
        if (bits >= 8) {
          bits -= 8;
          bytes.push((held >> bits) & 0xff);
        }
      }
      return bytes;
    }
    default: throw new TypeError(`Unknown encoding: ${encoding}`);
  }
}

function base64(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const whole = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += DIGITS[whole >> 18] + DIGITS[(whole >> 12) & 63];
    text += (left > 1 ? DIGITS[(whole >> 6) & 63] : '=') + (left > 2 ? DIGITS[whole & 63] : '=');
  }
  return text;
}

class Buffer extends Uint8Array {
  static alloc(size, fill) {
    const made = new Buffer(size);
    return fill === undefined ? made : made.fill(typeof fill === 'string' ? charCodeAt(fill, 0) : fill);
  }

  static from(value, encoding, length) {
    if (typeof value === 'string') {
      const bytes = bytesOf(value, encoding);
      const made = new Buffer(bytes.length);
      for (let i = 0; i < bytes.length; i++) made[i] = bytes[i];
      return made;
    }
    if (value instanceof ArrayBuffer) return new Buffer(value, encoding, length);
    const made = new Buffer(value.length);
    for (let i = 0; i < value.length; i++) made[i] = value[i];
    return made;
  }

  static concat(parts) {
    let size = 0;
    for (const part of parts) size += part.length;
    const made = new Buffer(size);
    let at = 0;
    for (const part of parts) {
      made.set(part, at);
      at += part.length;
    }
    return made;
  }

  static byteLength(text, encoding) {
    return encoding === undefined || typeof text !== 'string' ? byteLength(text)
      : bytesOf(text, encoding).length;
  }

  static isBuffer(value) {
    return value instanceof Buffer;
  }

  toString(encoding, from = 0, to = this.length) {
    const part = this.subarray(from, to);
    switch (`${encoding ?? 'utf8'}`.toLowerCase()) {
      case 'utf8': case 'utf-8': return decode(part, 0, part.length);
      case 'latin1': case 'binary': case 'ascii': return part.latin1Slice();
      case 'hex': return Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join('');
      case 'base64': return base64(part);
      case 'base64url':
        return base64(part).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
      default: throw new TypeError(`Unknown encoding: ${encoding}`);
    }
  }

  slice(from, to) {
    return this.subarray(from, to);
  }

  equals(other) {
    return this.length === other.length && this.every((byte, i) => byte === other[i]);
  }

  toJSON() {
    return { type: 'Buffer', data: Array.from(this) };
  }

  write(text, at = 0) {
    return this.utf8Write(text, at, this.length - at);
  }

  latin1Slice(from = 0, to = this.length) {
    let text = '';
    for (let i = from; i < to; i++) text += fromCharCode(this[i]);
    return text;
  }

  utf8Slice(from = 0, to = this.length) {
    return decode(this, from, to);
  }

  utf8Write(text, at, length) {
    let done = at;
    encode(text, (byte) => {
      if (done < at + length) this[done++] = byte;
    });
    return done - at;
  }
}

const little = [true, 'LE'];
for (const [name, size, order] of [['UInt8', 1, ['', '']], ['Int8', 1, ['', '']],
  ['UInt16', 2, little], ['Int16', 2, little], ['UInt32', 4, little], ['Int32', 4, little],
  ['Float', 4, little], ['Double', 8, little]]) {
  const method = name.replace('UInt', 'Uint').replace('Float', 'Float32').replace('Double', 'Float64');
  for (const isLittle of size === 1 ? [true] : [true, false]) {
    const suffix = size === 1 ? '' : isLittle ? order[1] : 'BE';
    Object.defineProperty(Buffer.prototype, `read${name}${suffix}`, {
      value(at = 0) {
        return new DataView(this.buffer, this.byteOffset, this.length)[`get${method}`](at, isLittle);
      }, writable: true, configurable: true,
    });
    Object.defineProperty(Buffer.prototype, `write${name}${suffix}`, {
      value(value, at = 0) {
        new DataView(this.buffer, this.byteOffset, this.length)[`set${method}`](at, value, isLittle);
        return at + size;
      }, writable: true, configurable: true,
    });
  }
}

module.exports = { Buffer, decode };
