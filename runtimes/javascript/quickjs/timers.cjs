'use strict';
// Timers, ticks and immediates in node's order, on the engine's one timer: between two calls of it
// the engine empties its queue of promises.

// Where a timer keeps what it is about, out of the program's sight.
const OWN = Symbol('own');

module.exports = function makeTimers({ os }, process, fatal, unhandled) {
  const ticks = [];
  const due = [];
  const immediates = [];
  const waiting = new Set();
  let time = 0;
  let order = 0;
  let isPlanned = false;
  let isBegun = false;

  function call(action, given) {
    try {
      action(...given);
    } catch (error) {
      fatal(error);
    }
    drain();
  }

  function drain() {
    while (ticks.length > 0) {
      const [action, given] = ticks.shift();
      try {
        action(...given);
      } catch (error) {
        fatal(error);
      }
    }
  }

  class Timeout {
    constructor(action, after, given, repeat) {
      const delay = Math.trunc(Number(after));
      this.delay = delay >= 1 && delay <= 2147483647 ? delay : 1;
      Object.defineProperty(this, OWN, { value: { action, given, repeat, live: true, counted: true } });
      this.start();
    }

    start() {
      const own = this[OWN];
      own.at = time + this.delay;
      own.order = order++;
      let place = due.length;
      while (place > 0 && due[place - 1][OWN].at > own.at) place -= 1;
      due.splice(place, 0, this);
      plan();
    }

    unref() { this[OWN].counted = false; return this; }
    ref() { this[OWN].counted = true; return this; }
    hasRef() { return this[OWN].counted; }
    refresh() { clear(this); this[OWN].live = true; this.start(); return this; }
    close() { clear(this); return this; }
    [Symbol.toPrimitive]() { return this[OWN].order + 1; }
  }

  function clear(timer) {
    const found = typeof timer === 'object' && timer !== null ? timer
      : due.find((candidate) => candidate[OWN].order + 1 === Number(timer));
    if (found?.[OWN] === undefined) return;
    found[OWN].live = false;
    const at = due.indexOf(found);
    if (at >= 0) due.splice(at, 1);
    const other = immediates.indexOf(found);
    if (other >= 0) immediates.splice(other, 1);
  }

  class Immediate {
    constructor(action, given) {
      Object.defineProperty(this, OWN, { value: { action, given, live: true, counted: true } });
      immediates.push(this);
      plan();
    }

    unref() { this[OWN].counted = false; return this; }
    ref() { this[OWN].counted = true; return this; }
    hasRef() { return this[OWN].counted; }
  }

  function plan() {
    if (isPlanned || !isBegun) return;
    isPlanned = true;
    os.setTimeout(turn, 0);
  }

  // The immediates of one round are those there were when it began.
  let round = 0;

  // Rejections that nobody has handled yet, and those that were told of.
  const pending = new Map();
  const told = new WeakSet();

  function rejected(promise, reason, isHandled) {
    if (!isHandled) pending.set(promise, reason);
    else if (!pending.delete(promise) && told.has(promise)) process.emit('rejectionHandled', promise);
    plan();
  }

  function tell() {
    for (const [promise, reason] of [...pending]) {
      if (!pending.delete(promise)) continue;
      told.add(promise);
      try {
        unhandled(reason, promise);
      } catch (error) {
        fatal(error);
      }
    }
  }

  // One callback; the promises it settles come before the next.
  function turn() {
    isPlanned = false;
    if (ticks.length > 0) drain();
    else if (pending.size > 0) tell();
    else if (round > 0 && immediates.length > 0) {
      round -= 1;
      const own = immediates.shift()[OWN];
      call(own.action, own.given);
    } else if (due.length > 0 && due[0][OWN].at <= time) {
      const timer = due.shift();
      const own = timer[OWN];
      call(own.action, own.given);
      if (own.repeat && own.live) timer.start();
    } else if (immediates.length > 0) {
      round = immediates.length;
    } else if (process.stdin.feed()) {
      drain();
    } else if (due.some((timer) => timer[OWN].counted)) {
      // Nothing else to do: wait for the next one.
      const wait = due[0][OWN].at - time;
      os.sleep(wait);
      time = due[0][OWN].at;
    } else if (waiting.size === 0) {
      if (process.emitBeforeExit() && (due.length > 0 || immediates.length > 0 || ticks.length > 0)) plan();
      else process.leave();
      return;
    }
    plan();
  }

  const checked = (action) => {
    if (typeof action === 'function') return action;
    const error = new TypeError(`The "callback" argument must be of type function. Received ${action}`);
    error.code = 'ERR_INVALID_ARG_TYPE';
    throw error;
  };
  process.nextTick = (action, ...given) => {
    ticks.push([checked(action), given]);
    plan();
  };
  return {
    rejected,
    begin() {
      drain();
      isBegun = true;
      // By then node has been busy for longer than the shortest timer.
      time = 1;
      plan();
    },
    globals: {
      setTimeout: (action, after, ...given) => new Timeout(checked(action), after, given, false),
      setInterval: (action, after, ...given) => new Timeout(checked(action), after, given, true),
      setImmediate: (action, ...given) => new Immediate(checked(action), given),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    },
  };
};
