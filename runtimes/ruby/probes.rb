# frozen_string_literal: true

# What the inserted text calls. A probe gives back the value it was given, and calls nothing of the
# subject's. Each has three ways: recording; the end of a muted stretch; counting.
class RubyVM
  module Tracing
    class Recorder
      # A statement is about to run.
      def s(i)
        if @_open
          put(@_step[i] || step_record(i))
        elsif @_depth == @_floor && (i < @_from || i > @_to)
          unmute(@_depth)
          put(step_record(i))
        elsif (@_n[i] += 1) <= 0
          keep(i, step_record(i), @_depth, :step, nil)
        end
      end

      # A write.
      def v(i, x)
        if @_open
          put((@_var[i] || var_head(i)) + capture(x))
        elsif @_depth == @_floor && (i < @_from || i > @_to)
          unmute(@_depth)
          put(var_head(i) + capture(x))
        elsif (@_n[i] += 1) <= 0
          keep(i, var_head(i) + capture(x), @_depth, :value, var_head(i))
        else
          @_last[i] = Integer === x ? x : NOTHING
        end
        x
      end

      # Several writes at once, behind the assignment whose value is given back.
      def m(i, x, *xs)
        n(i, *xs)
        x
      end

      def n(i, *xs)
        around(i) { joined("\x02".b << Tracing.varint(i), xs) }
        nil
      end

      # A condition.
      def b(i, x)
        if @_open
          put(x ? (@_yes[i] || yes_record(i)) : (@_no[i] || no_record(i)))
        elsif @_depth == @_floor && (i < @_from || i > @_to)
          unmute(@_depth)
          put(x ? yes_record(i) : no_record(i))
        elsif (@_n[i] += 1) <= 0
          keep(i, x ? yes_record(i) : no_record(i), @_depth, :arm, nil)
        else
          @_last[i] = x ? 1 : 0
        end
        x
      end

      # An operand of a condition, and the condition it belongs to.
      def h(i, x)
        @_kept << i << x
        @_kept.shift(@_kept.length - 64) if @_kept.length > 64
        x
      end

      def bo(i, x)
        right, left = [2, 4].map { |back| @_kept[-back] == i ? @_kept[1 - back] : nil }
        @_kept.pop(4)
        around(i) { joined("\x05".b << Tracing.varint(i) << (x ? 1 : 0), [left, right]) }
        x
      end

      # An arm of a `case`.
      def k(i, arm)
        around(i) { "\x05".b << Tracing.varint(i) << Tracing.varint(arm) << 0 }
      end

      # A container before and after a call; the call's result is given back.
      def t(i, x)
        return nil unless @_open || @_n[i] < 0
        return nil unless Array === x || Hash === x || String === x || Recorder.set?(x)
        capture(x)
      end

      def u(i, before, result, x)
        if before
          after = capture(x)
          around(i) { "\x08".b << Tracing.varint(i) << before << after } unless after == before
        elsif !@_open
          around(i) { "" }
        end
        result
      end

      def self.set?(x)
        Object.const_defined?(:Set, false) && !Object.autoload?(:Set) && Object.const_get(:Set) === x
      end

      # Loops.

      def e(i)
        unmute(@_depth) if !@_open && @_depth == @_floor && (i < @_from || i > @_to)
        return unless @_open
        drop_loops(i)
        @_loops << [i, @_depth, 0, @_left, [64, @_left >> 2].max]
        put("\x06".b << Tracing.varint(i) << 0 << 0)
        nil
      end

      def l(i)
        if @_open
          round(i)
        elsif (@_n[i] += 1) > 0
          refresh if (@_due -= 1) < 0
        else
          keep(i, "\x06".b << Tracing.varint(i) << 1 << 0, @_depth, nil, nil)
        end
        nil
      end

      def round(i)
        return put(@_rounds[i] ||= ("\x06".b << Tracing.varint(i) << 1 << 0).freeze) unless beyond?(i, @_depth)
        mute_loop(i)
        l(i)
      end

      # The condition of a `while` or `until`, and with it the next round.
      def w(i, loop, x)
        b(i, x)
        l(loop) if x
        x
      end

      def wu(i, loop, x)
        b(i, x)
        l(loop) unless x
        x
      end

      def l1(i, x)
        mute_loop(i) if @_open && beyond?(i, @_depth)
        around(i) { "\x06".b << Tracing.varint(i) << 1 << 1 << capture(x) }
        tick
      end

      def ln(i, *xs)
        mute_loop(i) if @_open && beyond?(i, @_depth)
        around(i) { joined("\x06".b << Tracing.varint(i) << 1, xs) }
        tick
      end

      def x(i, value)
        unmute(@_depth) if !@_open && @_from == i && @_depth == @_floor
        if @_open
          drop_loops(i)
          put("\x06".b << Tracing.varint(i) << 2 << 0)
        end
        value
      end

      # Calls. Each probe of this kind has the number of its arguments in its name.

      def i0(i)
        @_ret[@_depth += 1] = nil
        check_depth if @_depth > @_near
        if @_open
          put(@_in[i] || in_record(i))
          entered(i) if (@_visits[i] += 1) > 2
        elsif (@_n[i] += 1) > 0
          refresh if (@_due -= 1) < 0
        else
          keep(i, in_record(i), @_depth - 1, :step, nil)
        end
        nil
      end

      def i1(i, a)
        @_ret[@_depth += 1] = nil
        check_depth if @_depth > @_near
        if @_open
          put((@_one[i] ||= ("\x03".b << Tracing.varint(i) << 1).freeze) + capture(a))
          entered(i) if (@_visits[i] += 1) > 2
        elsif (@_n[i] += 1) > 0
          refresh if (@_due -= 1) < 0
        else
          keep(i, "\x03".b << Tracing.varint(i) << 1 << capture(a), @_depth - 1, nil, nil)
        end
        nil
      end

      def i2(i, a, b)
        @_ret[@_depth += 1] = nil
        check_depth if @_depth > @_near
        if @_open
          put(joined("\x03".b << Tracing.varint(i), [a, b]))
          entered(i) if (@_visits[i] += 1) > 2
        elsif (@_n[i] += 1) > 0
          refresh if (@_due -= 1) < 0
        else
          keep(i, joined("\x03".b << Tracing.varint(i), [a, b]), @_depth - 1, nil, nil)
        end
        nil
      end

      def i3(i, a, b, c)
        enter(i, [a, b, c])
      end

      def in(i, *xs)
        enter(i, xs)
      end

      def enter(i, xs)
        @_ret[@_depth += 1] = nil
        check_depth if @_depth > @_near
        if @_open
          put(joined("\x03".b << Tracing.varint(i), xs))
          entered(i) if (@_visits[i] += 1) > 2
        elsif (@_n[i] += 1) > 0
          refresh if (@_due -= 1) < 0
        else
          keep(i, joined("\x03".b << Tracing.varint(i), xs), @_depth - 1, nil, nil)
        end
        nil
      end

      # The value a frame is left with; `o` at its end tells it.
      def r(i, x)
        if @_open
          @_ret[@_depth] = (@_out[i] || out_head(i)) + capture(x)
        elsif (@_n[i] += 1) > 0
          @_last[i] = Integer === x ? x : NOTHING
          @_ret[@_depth] = 0
        else
          mark(i, :value, out_head(i))
          @_ret[@_depth] = out_head(i) + capture(x)
        end
        x
      end

      # The end of a frame that has no value.
      def d(i, x)
        @_ret[@_depth] = "\x04".b << Tracing.varint(i) << 0
        x
      end

      # A `return` that leaves frames further out with it: its value is that of the frame `i`.
      def q(i, x)
        @_through = [i, capture(x)]
        x
      end

      # A frame is over, in whatever way.
      def o(i)
        depth = @_depth
        record = @_ret[depth]
        @_depth = depth - 1
        if @_open
          record ? put(record) : unwound(i, depth)
        elsif record == 0
          # Counted.
        elsif record
          raw("\x0d".b << Tracing.varint(depth))
          put(record)
        else
          unwound(i, depth)
        end
        unmute(depth - 1) if depth <= @_floor
        nil
      end
    end
  end
end
