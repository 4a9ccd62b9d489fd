'use strict';
// The program's instrumented files: their texts, what is known of their sites, and the way from a
// position in an instrumented text back to the original. Reads only the emitter's own folder.

const fs = require('fs');
const path = require('path');
const { charCodeAt, indexOf, list, slice } = require('./primordials.cjs');

class Source {
  constructor(folder, entry, order) {
    this.path = entry.path;
    // How the path ends in a file URL too.
    this.tail = entry.path;
    this.stem = path.join(folder, `${order}`);
    // What the loader takes it for, where the file itself says so.
    this.format = entry.format ?? undefined;
    this.bytes = null;
    this.positions = null;
  }

  load() {
    if (this.bytes !== null) return;
    const raw = fs.readFileSync(`${this.stem}.js`);
    const { insertions, facts, moves } = JSON.parse(fs.readFileSync(`${this.stem}.json`, 'utf8'));
    this.insertions = insertions;
    this.facts = facts === '' ? null : JSON.parse(facts);
    // Only of a file that is lowered from another language: where its lines and columns differ
    // from those of the file on disk (line and column here, line and column there, in turn).
    this.moves = moves;
    this.bytes = raw;
    this.text = raw.utf8Slice(0, raw.length);
  }

  // The original's bytes: the instrumented ones without the insertions.
  original() {
    this.load();
    const { bytes, insertions } = this;
    const parts = list();
    let read = 0;
    let done = 0;
    for (let i = 0; i < insertions.length; i += 2) {
      const upto = read + insertions[i] - done;
      parts[parts.length] = bytes.subarray(read, upto);
      done = insertions[i];
      read = upto + insertions[i + 1];
    }
    parts[parts.length] = bytes.subarray(read);
    return concat(parts);
  }

  // Insertions as UTF-16 positions of the instrumented text: start, length, start, length, ….
  places() {
    if (this.positions !== null) return this.positions;
    this.load();
    const { bytes, insertions } = this;
    const positions = list();
    let read = 0;
    let done = 0;
    let units = 0;
    for (let i = 0; i < insertions.length; i += 2) {
      const upto = read + insertions[i] - done;
      units += bytes.utf8Slice(read, upto).length;
      done = insertions[i];
      read = upto + insertions[i + 1];
      const length = bytes.utf8Slice(upto, read).length;
      positions[positions.length] = units;
      positions[positions.length] = length;
      units += length;
    }
    this.starts = lineStarts(this.text);
    this.positions = positions;
    return positions;
  }

  // How many inserted units lie before a position.
  shift(position) {
    const positions = this.places();
    let low = 0;
    let high = positions.length / 2;
    if (this.sums === undefined) {
      this.sums = list();
      this.sums[0] = 0;
      for (let i = 0; i < positions.length; i += 2) {
        this.sums[i / 2 + 1] = this.sums[i / 2] + positions[i + 1];
      }
    }
    while (low < high) {
      const middle = (low + high) >> 1;
      if (positions[2 * middle] <= position) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return 0;
    const start = positions[2 * (low - 1)];
    const length = positions[2 * (low - 1) + 1];
    return this.sums[low - 1] + min(length, position - start);
  }

  // The original's column (from 1) of a line and column of the instrumented text.
  column(line, column) {
    this.places();
    const start = this.starts[line - 1];
    if (start === undefined) return column;
    return column - (this.shift(start + column - 1) - this.shift(start));
  }

  // The place in the file on disk of a line and column of the instrumented text.
  place(line, column) {
    const own = this.column(line, column);
    const { moves } = this;
    if (moves === undefined) return { line, column: own };
    let found = -4;
    for (let i = 0; i < moves.length && moves[i] <= line; i += 4) {
      if (moves[i] === line && moves[i + 1] <= own) found = i;
    }
    if (found < 0) return { line, column: own };
    return { line: moves[found + 2], column: own - moves[found + 1] + moves[found + 3] };
  }

  // What is printed of a place in the file on disk: the line that runs, and the column in it.
  shown(line, column) {
    const { moves } = this;
    let found = -4;
    for (let i = 0; moves !== undefined && i < moves.length; i += 4) {
      if (moves[i + 2] === line && moves[i + 3] <= column) found = i;
    }
    if (found < 0) return { text: this.lineText(line), column };
    return { text: this.lineText(moves[found]), column: column - moves[found + 3] + moves[found + 1] };
  }

  // A line of the original, without its end.
  lineText(line) {
    if (this.lines === undefined) {
      const bytes = this.original();
      this.lines = new Lines(bytes.utf8Slice(0, bytes.length));
    }
    return this.lines.text(line);
  }

  // The UTF-16 column of a byte column of the file on disk.
  unitColumn(line, byteColumn) {
    let text;
    if (this.moves === undefined) text = this.lineText(line);
    else {
      if (this.disk === undefined) this.disk = new Lines(readDisk(this.path));
      text = this.disk.text(line);
    }
    return Buffer.from(text).utf8Slice(0, byteColumn - 1).length + 1;
  }

  // Gives up on the instrumented text.
  revert() {
    this.bytes = this.original();
    this.text = this.bytes.utf8Slice(0, this.bytes.length);
    this.insertions = [];
    this.positions = null;
    this.sums = undefined;
    this.facts = null;
  }

  // The original's position of an error that a probe moved: V8 places an unknown variable that a
  // statement reads first at the statement, and a stack overflow on entry at the body's first code.
  moved(line, column, name) {
    const table = name === 'ReferenceError' ? this.facts?.firsts
      : name === 'RangeError' ? this.facts?.entries : undefined;
    if (table === undefined) return undefined;
    for (let i = 0; i < table.length; i += 4) {
      if (table[i] === line && this.unitColumn(line, table[i + 1]) === column) {
        return { line: table[i + 2], column: this.unitColumn(table[i + 2], table[i + 3]) };
      }
    }
    return undefined;
  }

  // The original text of a piece of the instrumented one; null if it is no such piece.
  originalOf(piece) {
    this.load();
    const at = indexOf(this.text, piece);
    if (at < 0) return null;
    const end = at + piece.length;
    const positions = this.places();
    let result = '';
    let read = at;
    for (let i = 0; i < positions.length; i += 2) {
      if (positions[i] + positions[i + 1] <= at) continue;
      if (positions[i] >= end) break;
      if (positions[i] > read) result += slice(this.text, read, positions[i]);
      read = positions[i] + positions[i + 1];
    }
    return read < end ? result + slice(this.text, read, end) : result;
  }
}

class Lines {
  constructor(text) {
    this.whole = text;
    this.starts = lineStarts(text);
  }

  text(line) {
    const { whole, starts } = this;
    const start = starts[line - 1];
    if (start === undefined) return '';
    let end = line < starts.length ? starts[line] : whole.length;
    while (end > start && isLineEnd(charCodeAt(whole, end - 1))) end -= 1;
    return slice(whole, start, end);
  }
}

const { min } = Math;
const { readFileSync } = fs;

function readDisk(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isLineEnd(unit) {
  return unit === 10 || unit === 13 || unit === 0x2028 || unit === 0x2029;
}

function lineStarts(text) {
  const starts = list();
  starts[0] = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = charCodeAt(text, i);
    if (isLineEnd(unit) && !(unit === 13 && i + 1 < text.length && charCodeAt(text, i + 1) === 10)) {
      starts[starts.length] = i + 1;
    }
  }
  return starts;
}

function concat(parts) {
  let length = 0;
  for (let i = 0; i < parts.length; i++) length += parts[i].length;
  const whole = Buffer.alloc(length);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    for (let k = 0; k < parts[i].length; k++) whole[at++] = parts[i][k];
  }
  return whole;
}

module.exports = function readSources(folder) {
  const listed = JSON.parse(fs.readFileSync(path.join(folder, 'program.json'), 'utf8'));
  const byPath = new Map();
  listed.sources.forEach((entry, order) => {
    if (entry.traced) byPath.set(entry.path, new Source(folder, entry, order));
  });
  return { byPath, channel: listed.channel, setup: listed.setup, main: listed.sources[0]?.path };
};
