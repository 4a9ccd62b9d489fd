'use strict';
// The shared region: segments of records, and the slots of what was left out.
// Every record is written through at once, so that no way of ending loses one. Knows framing, not
// what records mean.

const fs = require('fs');

const SEGMENT_HEADER = 32;
const SLOT_RECORD = 17;

class Channel {
  constructor(fd) {
    const head = Buffer.alloc(72);
    fs.readSync(fd, head, 0, 72, 0);
    if (head.latin1Slice(0, 4) !== 'TRCS') throw new Error('not a trace channel');
    this.fd = fd;
    this.nonce = head.subarray(8, 16);
    this.slotsAt = head.readUInt32LE(24);
    this.slots = head.readUInt32LE(28);
    this.slotSize = head.readUInt32LE(32);
    this.segments = head.readUInt32LE(36);
    this.segmentsAt = head.readUInt32LE(40);
    this.segmentSize = head.readUInt32LE(44);
    this.budgetEvents = head.readUInt32LE(48);
    this.budgetBytes = head.readUInt32LE(52);
    this.depth = head[56];
    this.detail = head[57];
    this.elements = Math.min(head.readUInt16LE(58), 16383);
    this.characters = head.readUInt16LE(60);
    this.valueBytes = head.readUInt16LE(62);
    this.claimed = head.readUInt32LE(64);
    this.stream = head.readUInt32LE(68);
    this.position = 0;
    this.end = 0;
    this.bytes = 0;
    this.dead = false;
    this.full = false;
    this.slotImage = Buffer.alloc(this.slots * this.slotSize);
    this.slotView = new DataView(this.slotImage.buffer, this.slotImage.byteOffset);
    this.write = fs.writeSync;
    const word = Buffer.alloc(4);
    word.writeUInt32LE(this.stream + 1);
    this.put(word, 0, 4, 68);
  }

  put(buffer, offset, length, position) {
    if (this.dead) return false;
    try {
      this.write(this.fd, buffer, offset, length, position);
      return true;
    } catch {
      // The subject closed the descriptor: its program goes on, the trace ends here.
      this.dead = true;
      return false;
    }
  }

  claim() {
    if (this.claimed >= this.segments) {
      this.full = true;
      return false;
    }
    const at = this.segmentsAt + this.claimed * this.segmentSize;
    this.claimed += 1;
    const word = Buffer.alloc(4);
    word.writeUInt32LE(this.claimed);
    this.put(word, 0, 4, 64);
    const head = Buffer.alloc(SEGMENT_HEADER);
    head.latin1Write('SEG1', 0);
    head.writeUInt32LE(this.stream, 4);
    this.nonce.copy(head, 16);
    this.put(head, 4, SEGMENT_HEADER - 4, at + 4);
    this.put(head, 0, 4, at);
    this.position = at + SEGMENT_HEADER;
    this.end = at + this.segmentSize;
    return true;
  }

  // Appends one record; false where there is no room left.
  append(buffer, length) {
    if (this.position + length > this.end && (this.full || !this.claim())) return false;
    if (length > this.segmentSize - SEGMENT_HEADER) return false;
    if (!this.put(buffer, 0, length, this.position)) return false;
    this.position += length;
    this.bytes += length;
    return true;
  }

  // Slots are kept in memory and written from time to time.
  setSlot(site, visits, sequence) {
    const at = site * this.slotSize;
    this.slotView.setBigUint64(at, BigInt(visits), true);
    this.slotView.setBigUint64(at + 8, BigInt(sequence), true);
  }

  setSlotRecord(site, buffer, length) {
    const at = site * this.slotSize;
    const fits = length <= this.slotSize - SLOT_RECORD;
    this.slotImage[at + 16] = fits ? length : 0;
    if (fits) for (let i = 0; i < length; i++) this.slotImage[at + SLOT_RECORD + i] = buffer[i];
    return fits;
  }

  writeSlots(from, to) {
    if (from > to) return;
    const at = from * this.slotSize;
    this.put(this.slotImage, at, (to - from + 1) * this.slotSize, this.slotsAt + at);
  }
}

module.exports = { Channel, SLOT_RECORD };
