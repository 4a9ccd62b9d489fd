# frozen_string_literal: true

# Threads, fibers and forked processes. A program that names none of them is traced by one recorder
# alone; else `Front` stands in its place and finds the recorder of whoever calls.
class RubyVM
  module Tracing
    SEVERAL = /\b(?:Fiber|Thread|Enumerator|Timeout|timeout|Async|Queue|Monitor|Socket|TCPServer|
                 UNIXServer|to_enum|enum_for|zip|trap|each_entry|DRb|WEBrick|Promise|Concurrent)\b|
              \.(?:next|peek|lazy)\b/x.freeze
    ALIVE = /\b(?:WeakRef|WeakMap|WeakKeyMap|ObjectSpace|GC)\b/.freeze
    FORKS = /\b(?:fork|popen|daemon)\b/.freeze

    # Where a fiber stands, while another one runs. What it holds is told by `swap`.
    class Lane
      def initialize(recorder)
        @_recorder = recorder
        @_number = 0
        @_place = [0, [], [], []]
      end

      def recorder
        @_recorder
      end

      def number
        @_number
      end

      def name_it(number)
        @_number = number
      end

      # Takes a place in exchange for its own.
      def swap(place)
        before = @_place
        @_place = place
        before
      end
    end

    class Recorder
      def lane
        @_lane
      end

      # The fibers of one thread take turns in its stream.
      def take_up(lane)
        @_lane ||= Lane.new(self)
        return if @_lane.equal?(lane)
        unmute(@_depth) unless @_open
        @_lane.swap([@_depth, @_ret, @_loops, @_calls])
        fresh = lane.number == 0 && @_root && !lane.equal?(@_root)
        lane.name_it(@_fibers = (@_fibers || 0) + 1) if fresh
        @_lane = lane
        @_depth, @_ret, @_loops, @_calls = lane.swap(nil)
        @_top = @_loops.last || NO_LOOP
        task(0, "fiber", lane.number) if fresh
        task(1, "fiber", lane.number)
      end

      def begin_with(lane)
        @_root = @_lane = lane
      end

      def task(phase, what, number)
        return if @_spent
        raw("\x0b".b << phase << Tracing.varint(intern(what)) << Tracing.varint(number) << 0)
      end

      # A forked child goes on in a stream of its own.
      def forked(ordinal)
        parent = @_stream
        @_stream = @_channel.new_stream
        @_began = [parent + 1, 2, 0, ordinal]
        renew(0)
      end

      # Output, in place.
      def output(number, text)
        return unless @_open
        shown = text.byteslice(0, 1024).b
        put("\x0a".b << Tracing.varint(number) << Tracing.varint(text.bytesize) <<
            Tracing.varint(shown.bytesize) << shown)
      end
    end

    # Finds the caller's recorder.
    class Front
      def initialize(channel, main)
        @_channel = channel
        @_lanes = ObjectSpace::WeakMap.new
        @_by_thread = ObjectSpace::WeakMap.new
        @_all = []
        @_threads = 0
        @_fiber = Fiber.current
        @_mine = main
        adopt(@_fiber, main)
      end

      def adopt(fiber, recorder = nil)
        unless recorder
          recorder = @_by_thread[Thread.current]
          unless recorder
            @_threads += 1
            recorder = Recorder.new(@_channel, [1, 1, 0, @_threads], 4)
            recorder.extend(Aloof) if Aloof === @_mine
          end
        end
        lane = Lane.new(recorder)
        unless @_by_thread[Thread.current]
          @_by_thread[Thread.current] = recorder
          recorder.begin_with(lane)
        end
        @_all << lane << recorder
        @_lanes[fiber] = lane
        lane
      end

      def recorder
        fiber = Fiber.current
        return @_mine if fiber.equal?(@_fiber)
        lane = @_lanes[fiber] || adopt(fiber)
        recorder = lane.recorder
        recorder.take_up(lane) unless recorder.lane.equal?(lane)
        @_mine = recorder
        @_fiber = fiber
        recorder
      end

      def finish(error)
        recorder.finish(error)
        @_all.each { |each| each.refresh if Recorder === each }
      end

      def forked(ordinal)
        recorder.forked(ordinal)
      end

      # By hand, so that no array is made of the arguments.
      def s(i)
        recorder.s(i)
      end

      def v(i, x)
        recorder.v(i, x)
      end

      def b(i, x)
        recorder.b(i, x)
      end

      def h(i, x)
        recorder.h(i, x)
      end

      def cb(i)
        recorder.cb(i)
      end

      def co(i)
        recorder.co(i)
      end

      def ck(i, x)
        recorder.ck(i, x)
      end

      def ca(i, x)
        recorder.ca(i, x)
      end

      def cr(call, x)
        recorder.cr(call, x)
      end

      def bo(i, x)
        recorder.bo(i, x)
      end

      def k(i, x)
        recorder.k(i, x)
      end

      def t(i, x)
        recorder.t(i, x)
      end

      def u(i, a, b, c)
        recorder.u(i, a, b, c)
      end

      def w(i, l, x)
        recorder.w(i, l, x)
      end

      def wu(i, l, x)
        recorder.wu(i, l, x)
      end

      def wt(i, l)
        recorder.w(i, l, true)
      end

      def e(i)
        recorder.e(i)
      end

      def l(i)
        recorder.l(i)
      end

      def l1(i, x)
        recorder.l1(i, x)
      end

      def ln(i, *xs)
        recorder.ln(i, *xs)
      end

      def x(i, x)
        recorder.x(i, x)
      end

      def m(i, x, *xs)
        recorder.m(i, x, *xs)
      end

      def n(i, *xs)
        recorder.n(i, *xs)
      end

      def i0(i)
        recorder.i0(i)
      end

      def i1(i, a)
        recorder.i1(i, a)
      end

      def i2(i, a, b)
        recorder.i2(i, a, b)
      end

      def i3(i, a, b, c)
        recorder.i3(i, a, b, c)
      end

      def in(i, *xs)
        recorder.in(i, *xs)
      end

      def r(i, x)
        recorder.r(i, x)
      end

      def d(i, x)
        recorder.d(i, x)
      end

      def q(i, x)
        recorder.q(i, x)
      end

      def o(i)
        recorder.o(i)
      end

      def c(i)
        recorder.c(i)
      end

      def f(i)
        recorder.f(i)
      end

      def output(n, x)
        recorder.output(n, x)
      end
    end
  end
end
