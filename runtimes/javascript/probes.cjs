'use strict';
// The probes: what instrumented code calls. Each has a short fast path that V8 can inline, and a
// slow one that records. None runs code of the subject.

const { OP, OPEN, SPENT } = require('./recorder.cjs');
const { is, isArray, list } = require('./primordials.cjs');
const { types } = require('util');

const { isNativeError, isProxy, isMap, isSet } = types;

module.exports = function makeProbes(recorder) {
  const { fuel, numbers, channel, out, visits } = recorder;
  const NO_NUMBER = -1.2345678e300;
  const full = channel.detail >= 3;

  // Depth is kept here rather than in the recorder so that the optimiser sees a context slot.
  let depth = 0;
  let muteDepth = -1;
  let lastThrow = { site: 0, value: undefined, live: false };
  const pending = list();
  const before = list();
  let tasks = 0;
  let currentTask = 0;
  const switchArmed = new Uint8Array(channel.slots);
  // The site whose IN opened each open call.
  const stack = new Int32Array(1 << 14);

  function start(op, site, own, before) {
    recorder.depth = depth;
    recorder.start(op, site, own, before);
  }

  function end(site, at) {
    recorder.end(site, at);
    muteDepth = recorder.muteDepth;
  }

  // Statements.
  function step(i) {
    start(OP.STEP, i, depth, depth);
    end(i, depth);
  }
  function s(i) {
    if (--fuel[i] < 0) step(i);
  }

  // Writes.
  function write(i, x) {
    start(OP.VAR, i, depth, depth);
    out.byte(1);
    out.value(x);
    end(i, depth);
  }
  function v(i, x) {
    if (--fuel[i] < 0) write(i, x);
    else numbers[i] = typeof x === 'number' ? x : NO_NUMBER;
    return x;
  }
  function p(i, x) {
    if (--fuel[i] < 0) write(i, typeof x === 'bigint' ? x + 1n : x + 1);
    else numbers[i] = typeof x === 'number' ? x + 1 : NO_NUMBER;
    return x;
  }
  function m(i, x) {
    if (--fuel[i] < 0) write(i, typeof x === 'bigint' ? x - 1n : x - 1);
    else numbers[i] = typeof x === 'number' ? x - 1 : NO_NUMBER;
    return x;
  }
  function several(op, i, xs) {
    start(op, i, depth, depth);
    values(xs);
    end(i, depth);
  }
  function values(xs) {
    out.varint(xs.length);
    for (let k = 0; k < xs.length; k++) out.value(xs[k]);
  }
  function vn(i, ...xs) {
    if (--fuel[i] < 0) several(OP.VAR, i, xs);
  }
  function d(i, x) {
    if (x === true && --fuel[i] < 0) {
      start(OP.VAR, i, depth, depth);
      out.byte(1);
      out.byte(0x09);
      end(i, depth);
    }
    return x;
  }

  // Branches. Operands stand before the condition's own result.
  function branch(i, arm) {
    start(OP.BRANCH, i, depth, depth);
    out.varint(arm);
    out.byte(0);
    end(i, depth);
  }
  function b(i, x) {
    if (--fuel[i] < 0) branch(i, x ? 1 : 0);
    else numbers[i] = x ? 1 : 0;
    return x;
  }
  function n(i, x) {
    if (--fuel[i] < 0) branch(i, x === null || x === undefined ? 0 : 1);
    else numbers[i] = x === null || x === undefined ? 0 : 1;
    return x;
  }
  // Operands of a comparison, captured where they were evaluated.
  const operands = list();
  function h(x) {
    if (operands.length > 4096) operands.length = 0;
    operands[operands.length] = x;
    return x;
  }
  function bo(i, count, x) {
    const from = operands.length - count;
    if (--fuel[i] < 0) {
      start(OP.BRANCH, i, depth, depth);
      out.varint(x ? 1 : 0);
      out.varint(count);
      for (let k = from; k < operands.length; k++) out.value(operands[k]);
      end(i, depth);
    } else numbers[i] = x ? 1 : 0;
    operands.length = from < 0 ? 0 : from;
    return x;
  }
  function q(i, x) {
    switchArmed[i] = 1;
    return x;
  }
  function k(i, arm) {
    if (switchArmed[i] !== 1) return;
    switchArmed[i] = 0;
    if (--fuel[i] < 0) branch(i, arm);
    else numbers[i] = arm;
  }

  // Loops.
  // Only rounds count as visits of a loop.
  function loopEntered(i) {
    recorder.depth = depth;
    recorder.look(i, depth, depth);
    muteDepth = recorder.muteDepth;
    if (recorder.mute !== OPEN) return;
    start(OP.LOOP, i, depth, depth);
    visits[i] -= 1;
    recorder.enterLoop(i);
    out.byte(0);
    out.byte(0);
    end(i, depth);
  }
  function le(i) {
    if (recorder.mute !== SPENT) loopEntered(i);
  }
  function iteration(i, has, xs) {
    start(OP.LOOP, i, depth, depth);
    if (recorder.mute === OPEN) {
      const loop = recorder.runningLoop(i);
      loop.count += 1;
      if (loop.count > 2 && (recorder.events - loop.events > loop.quarter ||
          channel.bytes - loop.bytes > loop.byteQuarter)) recorder.muteLoop(i);
    }
    out.byte(1);
    if (has === 1) {
      out.byte(1);
      out.value(xs);
    } else if (has === 2) values(xs);
    else out.byte(0);
    end(i, depth);
  }
  function l(i) {
    if (--fuel[i] < 0) iteration(i, 0);
  }
  function l1(i, x) {
    if (--fuel[i] < 0) iteration(i, 1, x);
    else numbers[i] = typeof x === 'number' ? x : NO_NUMBER;
  }
  function ln(i, ...xs) {
    if (--fuel[i] < 0) iteration(i, 2, xs);
  }
  function loopLeft(i) {
    start(OP.LOOP, i, depth, depth);
    if (recorder.mute === 1 && recorder.muteFrom === i && recorder.muteDepth === depth) {
      const saved = out.length;
      recorder.unmute(depth);
      out.length = saved;
    }
    recorder.visits[i] -= 1;
    if (recorder.mute === OPEN) {
      recorder.dropLoops(i);
      out.byte(2);
      out.byte(0);
      recorder.write();
    }
    muteDepth = recorder.muteDepth;
  }
  function x(i) {
    if (recorder.mute === OPEN || recorder.muteFrom === i) loopLeft(i);
  }

  // Calls.
  function entered(i, xs) {
    start(OP.IN, i, depth, depth - 1);
    values(xs);
    end(i, depth - 1);
    if (recorder.mute === OPEN && visits[i] > 2 &&
        recorder.events > channel.budgetEvents * 0.75) {
      recorder.muteCall();
      muteDepth = recorder.muteDepth;
    }
  }
  function i0(i) {
    stack[++depth & 0x3fff] = i;
    if (--fuel[i] < 0) entered(i, []);
    return depth;
  }
  function i1(i, a) {
    stack[++depth & 0x3fff] = i;
    if (--fuel[i] < 0) entered(i, [a]);
    return depth;
  }
  function i2(i, a, b) {
    stack[++depth & 0x3fff] = i;
    if (--fuel[i] < 0) entered(i, [a, b]);
    return depth;
  }
  function i3(i, a, b, c) {
    stack[++depth & 0x3fff] = i;
    if (--fuel[i] < 0) entered(i, [a, b, c]);
    return depth;
  }
  function iN(i, ...xs) {
    stack[++depth & 0x3fff] = i;
    if (--fuel[i] < 0) entered(i, xs);
    return depth;
  }
  function left(i, has, x) {
    start(OP.OUT, i, depth + 1, depth + 1);
    // A mute that this way out ends is over before the record; it still belongs to the call.
    if (recorder.mute !== OPEN && recorder.mute !== SPENT && depth < recorder.muteDepth) {
      const saved = out.length;
      recorder.unmute(depth + 1);
      out.length = saved;
    }
    out.byte(has ? 1 : 0);
    if (has) out.value(x);
    end(i, depth + 1);
  }
  function r(i, x) {
    depth--;
    if (--fuel[i] < 0 || depth < muteDepth) left(i, true, x);
    else numbers[i] = typeof x === 'number' ? x : NO_NUMBER;
    return x;
  }
  function o(i) {
    depth--;
    if (--fuel[i] < 0 || depth < muteDepth) left(i, false);
  }
  // The main file's top-level code is over.
  function z() {
    depth = 0;
    if (recorder.mute === 1 && recorder.muteDepth === 0) {
      out.length = 0;
      recorder.unmute(0);
      muteDepth = recorder.muteDepth;
    }
  }

  // A return inside `try` takes effect after `finally`.
  function rf(i, frame, x) {
    while (pending.length > 0 && pending[pending.length - 1].depth >= depth) pending.length -= 1;
    pending[pending.length] = { site: i, depth, frame, value: x };
    return x;
  }
  function fe(frame) {
    if (pending.length === 0) return;
    const top = pending[pending.length - 1];
    if (top.frame !== frame) return;
    pending.length -= 1;
    if (typeof frame === 'number') r(top.site, top.value);
    else R(top.site, frame, top.value);
  }

  // Errors.
  function settleDepth(frame) {
    const wanted = typeof frame === 'number' ? frame : frame.depth;
    const gone = depth;
    depth = wanted;
    return gone;
  }
  function failure(i, phase, value, gone, line = 0) {
    start(OP.ERR, i, depth, depth);
    out.byte(phase);
    out.string(errorType(value));
    errorMessage(value);
    out.varint(lastThrow.live && is(lastThrow.value, value) ? recorder.lineOf[lastThrow.site] : line);
    const frames = gone > depth ? Math_min(gone - depth, 64) : 0;
    const names = list();
    for (let f = 0; f < frames; f++) {
      names[f] = out.intern(recorder.nameOf(stack[(gone - f) & 0x3fff]));
    }
    out.varint(frames);
    for (let f = 0; f < frames; f++) {
      out.varint(names[f]);
      out.byte(0);
    }
    end(i, depth);
  }
  function errorType(value) {
    if (value === null) return 'null';
    if (typeof value !== 'object' && typeof value !== 'function') return typeof value;
    if (isProxy(value)) return 'Proxy';
    return out.className(value, 'Object');
  }
  function errorMessage(value) {
    if ((typeof value === 'object' && value !== null) && !isProxy(value)) {
      const message = out.own(value, 'message');
      if (typeof message === 'string') out.value(message);
      else out.byte(0);
    } else out.value(value);
  }
  function t(i, value) {
    lastThrow = { site: i, value, live: true };
    if (--fuel[i] < 0) failure(i, 0, value, depth);
    return value;
  }
  function c(i, frame, value) {
    if (typeof frame === 'object') wake(i, frame, 2);
    const gone = settleDepth(frame);
    while (pending.length > 0 && pending[pending.length - 1].depth >= depth) pending.length -= 1;
    if (--fuel[i] < 0 || depth < muteDepth) failure(i, 1, value, gone);
    lastThrow.live = false;
  }
  function c0(i, frame) {
    c(i, frame, lastThrow.live ? lastThrow.value : undefined);
  }
  // A `finally` begins: an error passes if frames are gone or one was just thrown.
  function f(i, frame) {
    if (typeof frame === 'object') wake(i, frame, 2);
    const gone = settleDepth(frame);
    if (gone > depth || lastThrow.live) {
      failure(i, 2, lastThrow.live ? lastThrow.value : undefined, gone);
    }
  }

  // Generators and async functions: a frame that is left and taken up again.
  function g(i, what, ...xs) {
    const frame = { depth: depth + 1, site: i, id: 0, before: 0, suspended: false, over: false,
      what };
    stack[++depth & 0x3fff] = i;
    if (--fuel[i] < 0) entered(i, xs);
    return frame;
  }
  function g0(what) {
    return { depth, site: 0, id: 0, before: 0, suspended: false, over: false, what };
  }
  function task(phase, frame, id) {
    if (recorder.mute !== OPEN) return;
    const what = out.intern(id === 0 ? 'main' : frame.what);
    out.length = 0;
    out.byte(OP.TASK);
    out.byte(phase);
    out.varint(what);
    out.varint(id);
    out.varint(frame.site);
    recorder.depth = depth;
    recorder.write();
    muteDepth = recorder.muteDepth;
  }
  function suspend(i, frame, has, x) {
    frame.suspended = true;
    if (frame.site === 0) return;
    if (frame.id === 0) {
      frame.id = ++tasks;
      task(0, frame, frame.id);
    }
    depth = frame.depth - 1;
    if (--fuel[i] < 0 || depth < muteDepth) {
      start(OP.OUT, i, depth + 1, depth + 1);
      out.byte(has ? 5 : 4);
      if (has) out.value(x);
      end(i, depth + 1);
    }
    if (currentTask === frame.id) {
      currentTask = frame.before;
      task(1, frame, currentTask);
    }
  }
  function y(i, frame, x) {
    suspend(i, frame, true, x);
    return x;
  }
  function y0(i, frame) {
    suspend(i, frame, false);
  }
  function wake(i, frame, flags, x) {
    if (!frame.suspended) return;
    frame.suspended = false;
    if (frame.site === 0) {
      depth = 0;
      return;
    }
    // An async function goes on from an empty stack; a generator from whoever asked it to.
    frame.depth = frame.what === 'generator' ? depth + 1 : 1;
    depth = frame.depth;
    stack[depth & 0x3fff] = frame.site;
    frame.before = currentTask;
    currentTask = frame.id;
    if (recorder.mute === SPENT) return;
    recorder.depth = depth;
    recorder.look(i, depth, depth - 1);
    muteDepth = recorder.muteDepth;
    // Left out along with the suspension before it, whose site it shares.
    if (recorder.mute !== OPEN) return;
    task(1, frame, frame.id);
    start(OP.RESUME, i, depth, depth - 1);
    visits[i] -= 1;
    out.byte(flags);
    if (flags & 1) out.value(x);
    end(i, depth - 1);
  }
  function w(i, frame, x) {
    wake(i, frame, 1, x);
    return x;
  }
  function w0(i, frame) {
    wake(i, frame, 0);
  }
  function over(frame) {
    frame.over = true;
    depth = frame.depth - 1;
    if (frame.id !== 0) {
      task(2, frame, frame.id);
      if (currentTask === frame.id) {
        currentTask = frame.before;
        task(1, frame, currentTask);
      }
    }
  }
  function R(i, frame, x) {
    depth = frame.depth - 1;
    if (--fuel[i] < 0 || depth < muteDepth) left(i, true, x);
    over(frame);
    return x;
  }
  function O(i, frame) {
    depth = frame.depth - 1;
    if (--fuel[i] < 0 || depth < muteDepth) left(i, false);
    over(frame);
  }
  // The body of a suspendable function is left in whatever way.
  function u(i, frame) {
    if (frame.over) return;
    wake(i, frame, 2);
    depth = frame.depth - 1;
    start(OP.OUT, i, depth + 1, depth + 1);
    out.byte(2);
    end(i, depth + 1);
    over(frame);
  }
  // The same for an ordinary function whose caller swallows errors.
  function un(i, entry) {
    if (depth < entry) return;
    depth = entry - 1;
    start(OP.OUT, i, depth + 1, depth + 1);
    out.byte(2);
    end(i, depth + 1);
  }

  // Containers changed in place: described before the call, and again behind it.
  function T(i, root, ...path) {
    const target = dataAt(root, path);
    let bytes = null;
    if (isContainer(target) && --fuel[i] < 0) {
      fuel[i] = 0;
      out.length = 0;
      out.value(target);
      bytes = list();
      for (let at = 0; at < out.length; at++) bytes[at] = out.bytes[at];
    }
    before[before.length] = { bytes, target };
    return before.length - 1;
  }
  function U(i, token, result) {
    const kept = before[token];
    before.length = token;
    if (kept !== undefined && kept.bytes !== null) {
      start(OP.TRANSFORM, i, depth, depth);
      for (let at = 0; at < kept.bytes.length; at++) out.byte(kept.bytes[at]);
      out.value(kept.target);
      end(i, depth);
    }
    return result;
  }
  // Calls into libraries: arguments are described where they are evaluated, the last one tells the
  // call. Each that was begun waits for its result; an error leaves it out of date, which its depth
  // or its place tells: sites are numbered from the outside in.
  const calls = list();
  function forget(i, more) {
    while (calls.length > 0) {
      const top = calls[calls.length - 1];
      if (top.depth < depth || (top.depth === depth && top.site < i + more)) return;
      calls.length -= 1;
    }
  }
  function underWay(i) {
    forget(i, 1);
    if (calls.length === 0) return undefined;
    const top = calls[calls.length - 1];
    return top.site === i && top.depth === depth ? top : undefined;
  }
  function begin(i, parts) {
    forget(i, 0);
    const call = { site: i, depth, parts, told: false };
    calls[calls.length] = call;
    return call;
  }
  function ck(i, index, x) {
    if (fuel[i] > 0) return x;
    const call = index === 0 ? begin(i, list()) : underWay(i);
    if (call === undefined || call.parts.length !== index) return x;
    out.length = 0;
    out.value(x);
    const bytes = list();
    for (let at = 0; at < out.length; at++) bytes[at] = out.bytes[at];
    call.parts[index] = bytes;
    return x;
  }
  function told(i, call, count) {
    start(OP.CALL, i, depth, depth);
    for (let k = 0; k < 4; k++) out.byte(0);
    out.varint(count);
    for (let k = 0; k < call.parts.length; k++) {
      for (let at = 0; at < call.parts[k].length; at++) out.byte(call.parts[k][at]);
    }
  }
  function called(i, call) {
    const { events } = recorder;
    recorder.endCall(i, depth);
    muteDepth = recorder.muteDepth;
    call.told = recorder.events > events;
  }
  function cb(i) {
    if (--fuel[i] >= 0) return;
    const call = begin(i, list());
    told(i, call, 0);
    called(i, call);
  }
  function ca(i, before, x) {
    if (--fuel[i] >= 0) return x;
    const call = before === 0 ? begin(i, list()) : underWay(i);
    if (call === undefined || call.parts.length !== before) return x;
    told(i, call, before + 1);
    out.value(x);
    called(i, call);
    return x;
  }
  function cr(i, x) {
    // Only counted: what waits here is of an earlier call.
    if (calls.length === 0 || recorder.given[i] !== 0) return x;
    const call = underWay(i);
    if (call === undefined) return x;
    calls.length -= 1;
    if (!call.told) return x;
    out.length = 0;
    out.byte(OP.RETURNED);
    out.varint(i);
    out.byte(1);
    out.value(x);
    recorder.depth = depth;
    if (recorder.mute === OPEN) recorder.write();
    else recorder.keep(depth);
    muteDepth = recorder.muteDepth;
    return x;
  }

  // What a path of names leads to by data properties alone.
  function dataAt(root, path) {
    let value = root;
    for (let k = 0; k < path.length; k++) {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null ||
          isProxy(value)) return undefined;
      value = out.own(value, path[k]);
    }
    return value;
  }
  function isContainer(value) {
    return typeof value === 'object' && value !== null && !isProxy(value) &&
      (isArray(value) || isMap(value) || isSet(value));
  }

  // Sub-expressions.
  function e(i, x) {
    if (--fuel[i] < 0) write(i, x);
    else numbers[i] = typeof x === 'number' ? x : NO_NUMBER;
    return x;
  }

  function wrote(stream, bytes, length) {
    if (recorder.mute !== OPEN) return;
    const shown = Math_min(length, SHOWN);
    out.length = 0;
    out.byte(OP.STDOUT);
    out.byte(stream);
    out.varint(length);
    out.varint(Math_min(shown, bytes.length));
    for (let k = 0; k < shown && k < bytes.length; k++) out.byte(bytes[k]);
    recorder.depth = depth;
    recorder.write();
    muteDepth = recorder.muteDepth;
  }

  function uncaught(value) {
    const gone = depth;
    depth = 0;
    if (recorder.mute !== OPEN && recorder.mute !== SPENT) {
      out.length = 0;
      recorder.unmute(0);
    }
    const line = recorder.lineOf[recorder.lastSite];
    if (lastThrow.live && is(lastThrow.value, value)) failure(lastThrow.site, 3, value, gone);
    else failure(recorder.endSite, 3, value, gone, line);
  }

  // A destructuring assignment: the names it wrote, read once it is done.
  function vd(i, x, ...xs) {
    if (--fuel[i] < 0) several(OP.VAR, i, xs);
    return x;
  }
  function ru(i) {
    o(i);
  }
  function Ru(i, frame) {
    O(i, frame);
  }
  function unwound() {
    depth = 0;
  }

  return {
    probes: {
      s, v, p, m, vn, vd, d, b, n, h, bo, q, k, le, l, l1, ln, x, i0, i1, i2, i3, iN, r, ru, o, z, rf, fe,
      t, c, c0, f, g, g0, y, y0, w, w0, R, Ru, O, u, un, T, U, e, ck, ca, cb, cr,
    },
    wrote,
    uncaught,
    unwound,
    thrown: () => lastThrow,
    full,
  };
};

const Math_min = Math.min;
// Bytes of one write that are kept.
const SHOWN = 1024;
