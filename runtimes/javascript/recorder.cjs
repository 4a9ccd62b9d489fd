'use strict';
// Decides which visits become records and writes them: budgets, muting, slots.
// What a probe means is in `probes.cjs`; how a value looks is in `values.cjs`.
//
// The fast path of every probe is `--fuel[site] < 0`: a site has no fuel while its visits are
// recorded, and is given some once they are only counted, so that a counted visit costs one
// decrement. What was burnt is added up when the fuel is gone, or taken back.

const { Encoder } = require('./values.cjs');
const { list, now } = require('./primordials.cjs');

const OP = {
  STEP: 1, VAR: 2, IN: 3, OUT: 4, BRANCH: 5, LOOP: 6, ERR: 7, TRANSFORM: 8, CALL: 9, STDOUT: 10,
  TASK: 11, ELIDE: 12, DEPTH: 13, LIMIT: 15, RESUME: 16, RETURNED: 17,
};

// What a mute waits for.
const OPEN = 0;
const LOOP = 1;
const CALL = 2;
const SPENT = 3;

const FIRST_FUEL = 16;
const MOST_FUEL = 1 << 20;
const FLUSH_EVERY = 40;
// Stands in the cheap copy for "the last value was no number".
const NO_NUMBER = -1.2345678e300;
// Calls told of one site.
const SHARE = 32;
const MAX_FUNCTIONS = 1 << 16;

class Recorder {
  constructor(channel) {
    const { slots } = channel;
    this.channel = channel;
    this.fuel = new Int32Array(slots);
    this.numbers = new Float64Array(slots).fill(NO_NUMBER);
    this.given = new Int32Array(slots);
    this.visits = new Float64Array(slots);
    this.left = new Float64Array(slots);
    this.lastKept = new Float64Array(slots);
    this.seen = new Uint8Array(slots);
    this.op = new Uint8Array(slots);
    this.functionOf = new Int32Array(slots);
    this.loopEnd = new Int32Array(slots);
    this.lineOf = new Int32Array(slots);
    this.functionNames = list();
    this.touched = list();
    // Slots as they were before a glimpse.
    this.kept = list();
    this.events = 0;
    this.depth = 0;
    this.mute = OPEN;
    this.muteDepth = -1;
    this.muteFrom = 0;
    this.muteTo = 0;
    this.loops = list();
    this.lastFlush = now();
    this.lastSite = 0;
    // Where an error that no `throw` raised ends the program.
    this.endSite = 0;
    this.out = new Encoder(channel, (bytes, length) => channel.append(bytes, 0, length));
  }

  // What a file's sites are: its functions' names, the function and line of each site, and where
  // each loop's sites end.
  learn(facts) {
    const base = this.functionNames.length;
    if (this.endSite === 0) this.endSite = facts.end;
    for (let i = 0; i < facts.functions.length && base + i < MAX_FUNCTIONS; i++) {
      this.functionNames[base + i] = facts.functions[i];
    }
    for (let i = 0, site = facts.first; i < facts.sites.length; i += 2, site++) {
      this.functionOf[site] = base + facts.sites[i];
      this.lineOf[site] = facts.sites[i + 1];
    }
    for (let i = 0; i < facts.loops.length; i += 2) {
      this.loopEnd[facts.loops[i]] = facts.loops[i + 1];
    }
  }

  nameOf(site) {
    return this.functionNames[this.functionOf[site]] ?? '<unknown>';
  }

  // Starts a visit that the caller fills in and ends with `end`. `own` is the depth of the call
  // that the probe belongs to, `before` how many calls are open just before the record.
  start(op, site, own, before) {
    if (this.given[site] !== 0) this.settle(site);
    this.fuel[site] = 0;
    this.look(site, own, before);
    this.visits[site] += 1;
    this.lastSite = site;
    const { out } = this;
    out.length = 0;
    out.byte(op);
    out.varint(site);
  }

  // Ends the mute if this probe lies outside it.
  look(site, own, before) {
    if (this.mute === LOOP && (own < this.muteDepth || (own === this.muteDepth &&
        (site < this.muteFrom || site > this.muteTo)))) this.unmute(before);
    else if (this.mute === CALL && own < this.muteDepth) this.unmute(before);
  }

  end(site, depth) {
    const { out } = this;
    if (this.mute === OPEN) {
      this.write();
      return;
    }
    if (this.seen[site] < 2) {
      if (this.seen[site]++ === 0) this.touched[this.touched.length] = site;
      if (this.mute !== SPENT ? this.affords() : this.visits[site] <= 2) {
        this.keep(depth);
        return;
      }
    }
    this.leave(site);
  }

  // Ends the visit of a call into a library: told so often, then only counted.
  endCall(site, depth) {
    if (this.mute !== OPEN || this.visits[site] <= SHARE) {
      this.end(site, depth);
      return;
    }
    if (this.seen[site]++ === 0) this.touched[this.touched.length] = site;
    this.seen[site] = 2;
    this.leave(site);
  }

  // Counts a visit instead of recording it, with its record as the last one.
  leave(site) {
    const { channel, out } = this;
    this.left[site] += 1;
    this.op[site] = out.bytes[0];
    this.lastKept[site] = channel.setSlotRecord(site, out.bytes, 0, out.length)
      ? this.visits[site] : 0;
    channel.setSlot(site, this.left[site], this.lastKept[site]);
    if (this.mute !== LOOP || (site >= this.muteFrom && site <= this.muteTo) ||
        this.functionOf[site] !== this.functionOf[this.muteFrom]) {
      const more = this.left[site] < FIRST_FUEL ? FIRST_FUEL
        : this.left[site] > MOST_FUEL ? MOST_FUEL : this.left[site];
      this.given[site] = more;
      this.fuel[site] = more;
      this.numbers[site] = NO_NUMBER;
    }
    if (now() - this.lastFlush > FLUSH_EVERY) this.glimpse();
  }

  // Adds what a site burnt since it was given fuel.
  settle(site) {
    let rest = this.fuel[site];
    if (rest < 0) rest = 0;
    const burnt = this.given[site] - rest;
    this.given[site] = 0;
    this.fuel[site] = 0;
    if (burnt === 0) return;
    this.visits[site] += burnt;
    this.left[site] += burnt;
    this.refresh(site);
    this.channel.setSlot(site, this.left[site], this.lastKept[site]);
  }

  // Rewrites a slot's record from the cheap copy of the last visit, where there is one.
  refresh(site) {
    const { channel, out } = this;
    const op = this.op[site];
    const number = this.numbers[site];
    const saved = out.length;
    const at = saved;
    if (op === OP.STEP || (op === OP.LOOP && number === NO_NUMBER)) {
      if (op === OP.STEP) this.lastKept[site] = this.visits[site];
      return;
    }
    if (number === NO_NUMBER) return;
    out.byte(op);
    out.varint(site);
    if (op === OP.VAR) {
      out.byte(1);
      out.number(number);
    } else if (op === OP.OUT) {
      out.byte(1);
      out.number(number);
    } else if (op === OP.BRANCH) {
      out.byte(number);
      out.byte(0);
    } else if (op === OP.LOOP) {
      out.byte(1);
      out.byte(1);
      out.number(number);
    } else {
      out.length = saved;
      return;
    }
    if (channel.setSlotRecord(site, out.bytes, at, out.length - at)) {
      this.lastKept[site] = this.visits[site];
    }
    out.length = saved;
  }

  affords() {
    const { channel } = this;
    return this.events < channel.budgetEvents && channel.bytes < channel.budgetBytes;
  }

  // Writes the record that stands in the encoder.
  write() {
    if (!this.affords()) {
      this.spend(this.events < this.channel.budgetEvents ? 1 : 0);
      return false;
    }
    if (!this.channel.append(this.out.bytes, 0, this.out.length)) {
      this.spend(2);
      return false;
    }
    this.events += 1;
    return true;
  }

  // Writes it within a gap.
  keep(depth) {
    const { out, channel } = this;
    const length = out.length;
    this.small(OP.DEPTH, depth);
    channel.append(out.bytes, 0, length);
    this.events += 1;
  }

  // A record of one number, built behind whatever stands in the encoder.
  small(op, number) {
    const { out } = this;
    const at = out.length;
    out.byte(op);
    out.varint(number);
    this.channel.append(out.bytes, at, out.length - at);
    out.length = at;
  }

  spend(which) {
    const { out } = this;
    if (this.mute === SPENT) return;
    this.mute = SPENT;
    this.muteDepth = -1;
    this.small(OP.LIMIT, which);
    // The record in hand is the first one left out.
    const op = out.bytes[0];
    if (op !== OP.STDOUT && op !== OP.TASK && out.length > 0) {
      const site = this.siteInHand();
      this.seen[site] = 2;
      this.touched[this.touched.length] = site;
      if (this.visits[site] <= 2) this.keep(this.depth);
      else this.leave(site);
    }
  }

  siteInHand() {
    const { bytes } = this.out;
    let site = 0;
    let scale = 1;
    for (let i = 1; ; i++) {
      site += (bytes[i] & 0x7f) * scale;
      if (bytes[i] < 0x80) return site;
      scale *= 128;
    }
  }

  muteLoop(site) {
    this.mute = LOOP;
    this.muteDepth = this.depth;
    this.muteFrom = site;
    this.muteTo = this.loopEnd[site];
  }

  muteCall() {
    this.mute = CALL;
    this.muteDepth = this.depth;
  }

  // Ends a mute: says what was left out, and goes on recording.
  unmute(depth) {
    const { out, channel, touched } = this;
    this.mute = OPEN;
    this.muteDepth = -1;
    const saved = out.length;
    sortNumbers(touched);
    for (let i = 0; i < touched.length; i++) {
      const site = touched[i];
      if (this.given[site] !== 0) this.settle(site);
      this.seen[site] = 0;
      const count = this.left[site];
      if (count === 0) continue;
      if (!this.affords()) continue;
      const at = out.length;
      const slot = site * channel.slotSize;
      const n = this.lastKept[site] !== 0 ? channel.slotImage[slot + 16] : 0;
      out.byte(OP.ELIDE);
      out.varint(site);
      out.varint(count);
      out.varint(n);
      for (let k = 0; k < n; k++) out.byte(channel.slotImage[slot + 17 + k]);
      const written = channel.append(out.bytes, at, out.length - at);
      out.length = at;
      if (!written) continue;
      this.events += 1;
      this.left[site] = 0;
      this.lastKept[site] = 0;
      channel.clearSlot(site);
      if (this.flushed) channel.writeSlots(site, site);
    }
    touched.length = 0;
    out.length = saved;
    this.small(OP.DEPTH, depth);
  }

  // Writes the slots of everything that was left out so far.
  flush() {
    const { touched } = this;
    for (let i = 0; i < touched.length; i++) {
      const site = touched[i];
      const rest = this.fuel[site] < 0 ? 0 : this.fuel[site];
      if (this.given[site] === rest) continue;
      this.settle(site);
      this.given[site] = rest;
      this.fuel[site] = rest;
    }
    this.writeTouched();
  }

  // The same for a program that may be killed any moment: what it writes is forgotten again, since
  // when it comes hangs on the clock, and no other record may.
  glimpse() {
    const { touched, channel, kept } = this;
    const { slotImage, slotSize } = channel;
    let length = 0;
    for (let i = 0; i < touched.length; i++) {
      const site = touched[i];
      const rest = this.fuel[site] < 0 ? 0 : this.fuel[site];
      if (this.given[site] === rest) continue;
      const given = this.given[site];
      const fuel = this.fuel[site];
      const visits = this.visits[site];
      const left = this.left[site];
      const lastKept = this.lastKept[site];
      const at = site * slotSize;
      kept[length++] = site;
      for (let k = 0; k < slotSize; k++) kept[length++] = slotImage[at + k];
      this.settle(site);
      this.given[site] = given;
      this.fuel[site] = fuel;
      this.visits[site] = visits;
      this.left[site] = left;
      this.lastKept[site] = lastKept;
    }
    this.writeTouched();
    while (length > 0) {
      length -= slotSize + 1;
      const at = kept[length] * slotSize;
      for (let k = 0; k < slotSize; k++) slotImage[at + k] = kept[length + 1 + k];
    }
  }

  writeTouched() {
    const { touched, channel } = this;
    let from = this.fuel.length;
    let to = -1;
    for (let i = 0; i < touched.length; i++) {
      if (touched[i] < from) from = touched[i];
      if (touched[i] > to) to = touched[i];
    }
    this.lastFlush = now();
    this.flushed = true;
    channel.writeSlots(from, to);
  }

  // Loops that are running, innermost last.
  enterLoop(site) {
    const { loops } = this;
    this.dropLoops(site);
    loops[loops.length] = {
      site, depth: this.depth, count: 0, events: this.events,
      quarter: Math_max(64, (this.channel.budgetEvents - this.events) / 4),
      bytes: this.channel.bytes,
      byteQuarter: Math_max(4096, (this.channel.budgetBytes - this.channel.bytes) / 4),
    };
  }

  // Forgets loops that were left by a return or an error.
  dropLoops(site) {
    const { loops } = this;
    while (loops.length > 0) {
      const top = loops[loops.length - 1];
      if (top.depth < this.depth || (top.depth === this.depth && site > top.site &&
          site <= this.loopEnd[top.site])) return;
      loops.length -= 1;
    }
  }

  // The running loop of this site, after forgetting those inside it.
  runningLoop(site) {
    const { loops } = this;
    for (let i = loops.length - 1; i >= 0; i--) {
      if (loops[i].site === site && loops[i].depth === this.depth) {
        loops.length = i + 1;
        return loops[i];
      }
      if (loops[i].depth < this.depth) break;
    }
    this.enterLoop(site);
    return loops[loops.length - 1];
  }
}

const Math_max = Math.max;

// Insertion sort: short lists, and nothing of the subject's is called.
function sortNumbers(list) {
  for (let i = 1; i < list.length; i++) {
    const item = list[i];
    let j = i - 1;
    while (j >= 0 && list[j] > item) {
      list[j + 1] = list[j];
      j -= 1;
    }
    list[j + 1] = item;
  }
}

module.exports = { Recorder, OP, OPEN, SPENT };
