'use strict';
// The shared region: segments of records, and the slots of what was left out.
// Every record is written through at once, so that no way of ending loses one. Knows framing, not
// what records mean.

const fs = require('fs');

const SEGMENT_HEADER = 32;
const SLOT_RECORD = 17;
const MAGIC = [0x53, 0x45, 0x47, 0x31];

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
    this.write = fs.writeSync;
    this.scratch = Buffer.alloc(SEGMENT_HEADER);
    this.scratch.writeUInt32LE(this.stream + 1);
    this.put(this.scratch, 0, 4, 68);
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
    const head = this.scratch;
    for (let i = 0; i < SEGMENT_HEADER; i++) head[i] = 0;
    for (let i = 0; i < 4; i++) head[i] = (this.claimed >>> (8 * i)) & 0xff;
    this.put(head, 0, 4, 64);
    for (let i = 0; i < 4; i++) {
      head[i] = MAGIC[i];
      head[4 + i] = (this.stream >>> (8 * i)) & 0xff;
    }
    for (let i = 0; i < 8; i++) head[16 + i] = this.nonce[i];
    this.put(head, 4, SEGMENT_HEADER - 4, at + 4);
    this.put(head, 0, 4, at);
    this.position = at + SEGMENT_HEADER;
    this.end = at + this.segmentSize;
    return true;
  }

  // Appends one record; false where there is no room left.
  append(buffer, from, length) {
    if (this.position + length > this.end && (this.full || !this.claim())) return false;
    if (length > this.segmentSize - SEGMENT_HEADER) return false;
    if (!this.put(buffer, from, length, this.position)) return false;
    this.position += length;
    this.bytes += length;
    return true;
  }

  // Slots are kept in memory and written from time to time.
  setSlot(site, visits, sequence) {
    const at = site * this.slotSize;
    this.word(at, visits);
    this.word(at + 8, sequence);
  }

  word(at, value) {
    for (let i = 0; i < 8; i++) {
      this.slotImage[at + i] = value % 256;
      value = Math_floor(value / 256);
    }
  }

  clearSlot(site) {
    const at = site * this.slotSize;
    for (let i = 0; i < this.slotSize; i++) this.slotImage[at + i] = 0;
  }

  setSlotRecord(site, buffer, from, length) {
    const at = site * this.slotSize;
    const fits = length <= this.slotSize - SLOT_RECORD;
    this.slotImage[at + 16] = fits ? length : 0;
    if (fits) for (let i = 0; i < length; i++) this.slotImage[at + SLOT_RECORD + i] = buffer[from + i];
    return fits;
  }

  writeSlots(from, to) {
    if (from > to) return;
    const at = from * this.slotSize;
    this.put(this.slotImage, at, (to - from + 1) * this.slotSize, this.slotsAt + at);
  }
}

const Math_floor = Math.floor;

module.exports = { Channel, SLOT_RECORD };
