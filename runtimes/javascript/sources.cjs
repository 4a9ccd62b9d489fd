'use strict';
// The program's instrumented files: their texts, what is known of their sites, and the way from a
// position in an instrumented text back to the original. Reads only the emitter's own folder.

const fs = require('fs');
const path = require('path');

class Source {
  constructor(folder, entry, order) {
    this.path = entry.path;
    this.stem = path.join(folder, `${order}`);
    this.bytes = null;
    this.lines = null;
    this.positions = null;
  }

  load() {
    if (this.bytes !== null) return;
    const raw = fs.readFileSync(`${this.stem}.js`);
    const { insertions, facts } = JSON.parse(fs.readFileSync(`${this.stem}.json`, 'utf8'));
    this.insertions = insertions;
    this.facts = facts === '' ? null : JSON.parse(facts);
    this.bytes = raw;
    this.text = raw.utf8Slice(0, raw.length);
  }

  // The original's bytes: the instrumented ones without the insertions.
  original() {
    this.load();
    const { bytes, insertions } = this;
    const parts = [];
    let read = 0;
    let done = 0;
    for (let i = 0; i < insertions.length; i += 2) {
      const upto = read + insertions[i] - done;
      parts.push(bytes.subarray(read, upto));
      done = insertions[i];
      read = upto + insertions[i + 1];
    }
    parts.push(bytes.subarray(read));
    return Buffer.concat(parts);
  }

  // Insertions as UTF-16 positions of the instrumented text: start, length, start, length, ….
  places() {
    if (this.positions !== null) return this.positions;
    this.load();
    const { bytes, insertions } = this;
    const positions = [];
    let read = 0;
    let done = 0;
    let units = 0;
    for (let i = 0; i < insertions.length; i += 2) {
      const upto = read + insertions[i] - done;
      units += bytes.utf8Slice(read, upto).length;
      done = insertions[i];
      read = upto + insertions[i + 1];
      const length = bytes.utf8Slice(upto, read).length;
      positions.push(units, length);
      units += length;
    }
    const { text } = this;
    const starts = [0];
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit === 10 || unit === 0x2028 || unit === 0x2029 ||
          (unit === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
    }
    this.starts = starts;
    this.positions = positions;
    return positions;
  }

  // How many inserted units lie before a position.
  shift(position) {
    const positions = this.places();
    let low = 0;
    let high = positions.length / 2;
    if (this.sums === undefined) {
      this.sums = [0];
      for (let i = 0; i < positions.length; i += 2) {
        this.sums.push(this.sums[i / 2] + positions[i + 1]);
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
    return this.sums[low - 1] + Math.min(length, position - start);
  }

  // The original's column (from 1) of a line and column of the instrumented text.
  column(line, column) {
    this.places();
    const start = this.starts[line - 1];
    if (start === undefined) return column;
    return column - (this.shift(start + column - 1) - this.shift(start));
  }

  // A line of the original, without its end.
  lineText(line) {
    if (this.lines === null) {
      this.lines = this.original().toString('utf8').split(/\r\n|[\n\r\u2028\u2029]/);
    }
    return this.lines[line - 1] ?? '';
  }

  // The original text of a piece of the instrumented one; null if it is no such piece.
  originalOf(piece) {
    this.load();
    const at = this.text.indexOf(piece);
    if (at < 0) return null;
    const end = at + piece.length;
    const positions = this.places();
    let result = '';
    let read = at;
    for (let i = 0; i < positions.length; i += 2) {
      if (positions[i] + positions[i + 1] <= at) continue;
      if (positions[i] >= end) break;
      if (positions[i] > read) result += this.text.slice(read, positions[i]);
      read = positions[i] + positions[i + 1];
    }
    return read < end ? result + this.text.slice(read, end) : result;
  }
}

module.exports = function readSources(folder) {
  const listed = JSON.parse(fs.readFileSync(path.join(folder, 'program.json'), 'utf8'));
  const byPath = new Map();
  listed.sources.forEach((entry, order) => {
    if (entry.traced) byPath.set(entry.path, new Source(folder, entry, order));
  });
  return { byPath, channel: listed.channel };
};
