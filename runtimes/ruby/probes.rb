# frozen_string_literal: true

# What the inserted text calls, but for frames. A probe gives back the value it was given, and calls
# nothing of the subject's. Each has three ways: recording; counting; and what is seldom.
#
# The lines that write are repeated in each probe: a call more would double what most of them cost.
class RubyVM
  module Tracing
    class Recorder
      # A statement is about to run.
      def s(i)
        if @_open
          @_at += @_memory.set_string(@_step[i] || step_record(i), @_at)
          turn if (@_left -= 1) <= 0 || @_at > @_edge
        elsif (@_n[i] -= 1) > 0
          nil
        elsif (how = seldom(i)) == AGAIN
          s(i)
        elsif how == KEEP
          keep(i, step_record(i), @_depth, :step, nil)
        end
      end

      # A write.
      def v(i, x)
        if @_open
          if (record = @_var[i][x])
            @_at += @_memory.set_string(record, @_at)
            turn if (@_left -= 1) <= 0 || @_at > @_edge
          else
            put(var_record(i, x))
          end
        elsif (@_n[i] -= 1) > 0
          @_last[i] = x
        elsif (how = seldom(i)) == AGAIN
          v(i, x)
        elsif how == KEEP
          record = var_record(i, x)
          keep(i, record, @_depth, :value, @_var[i][NOTHING])
        else
          @_last[i] = x
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
          @_at += @_memory.set_string(
            x ? (@_yes[i] || yes_record(i)) : (@_no[i] || no_record(i)), @_at
          )
          turn if (@_left -= 1) <= 0 || @_at > @_edge
        elsif (@_n[i] -= 1) > 0
          @_last[i] = x ? true : false
        elsif (how = seldom(i)) == AGAIN
          b(i, x)
        elsif how == KEEP
          keep(i, x ? yes_record(i) : no_record(i), @_depth, :arm, nil)
        else
          @_last[i] = x ? true : false
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
        return nil unless @_open || visible?(i)
        return nil unless Array === x || Hash === x || String === x || Recorder.set?(x)
        capture(x)
      end

      def u(i, before, result, x)
        if before
          after = capture(x)
          if after != before
            around(i) { "\x08".b << Tracing.varint(i) << before << after }
          elsif !@_open && @_m[i] < 0 && early(i) == KEEP
            # Not to be looked at again and again.
            mark(i, nil, nil)
          end
        elsif !@_open && (@_n[i] -= 1) <= 0 && @_m[i] >= 0
          early(i)
        end
        result
      end

      def self.set?(x)
        return @_set === x if @_set
        return false unless Object.const_defined?(:Set, false) && !Object.autoload?(:Set)
        @_set = Object.const_get(:Set)
        @_set === x
      end

      # Loops.

      def e(i)
        unmute(@_depth) if !@_open && @_depth == @_floor && (i < @_from || i > @_to)
        return nil unless @_open
        drop_loops(i, @_depth)
        @_loops << (@_top = [i, @_depth, 0, @_left - share])
        put("\x06".b << Tracing.varint(i) << 0 << 0)
        nil
      end

      def l(i)
        if @_open
          top = @_top
          here = top[0] == i && top[1] == @_depth && ((top[2] += 1) <= 2 || @_left >= top[3])
          if !here && beyond?(i, @_depth)
            mute_loop(i, @_depth)
            l(i)
          else
            @_at += @_memory.set_string(@_rounds[i] || round_record(i), @_at)
            turn if (@_left -= 1) <= 0 || @_at > @_edge
          end
        elsif (@_n[i] -= 1) > 0
          nil
        elsif (how = seldom(i)) == AGAIN
          l(i)
        elsif how == KEEP
          keep(i, round_record(i), @_depth, nil, nil)
        end
        nil
      end

      # The condition of a `while`, and with it the next round.
      def w(i, loop, x)
        if @_open
          top = @_top
          if x && top[0] == loop && top[1] == @_depth && ((top[2] += 1) <= 2 || @_left >= top[3])
            both = @_both[i] ||= (yes_record(i) + round_record(loop)).freeze
            @_at += @_memory.set_string(both, @_at)
            turn if (@_left -= 2) <= 0 || @_at > @_edge
          else
            b(i, x)
            l(loop) if x
          end
        else
          b(i, x)
          l(loop) if x
        end
        x
      end

      # The same, where it holds. What the text has counted already is above zero.
      def wt(i, loop)
        if @_open
          w(i, loop, true)
        else
          b(i, true) if @_n[i] <= 0
          l(loop)
          true
        end
      end

      # The condition of an `until`.
      def wu(i, loop, x)
        b(i, x)
        l(loop) unless x
        x
      end

      def l1(i, x)
        mute_loop(i, @_depth) if @_open && beyond?(i, @_depth)
        around(i) { "\x06".b << Tracing.varint(i) << 1 << 1 << capture(x) }
        nil
      end

      def ln(i, *xs)
        mute_loop(i, @_depth) if @_open && beyond?(i, @_depth)
        around(i) { joined("\x06".b << Tracing.varint(i) << 1, xs) }
        nil
      end

      def x(i, value)
        unmute(@_depth) if !@_open && @_depth == @_floor && (i <= @_from || i > @_to)
        if @_open
          drop_loops(i, @_depth)
          @_loops.pop if @_top[0] == i && @_top[1] == @_depth
          @_top = @_loops.last || NO_LOOP
          put("\x06".b << Tracing.varint(i) << 2 << 0)
        end
        value
      end
    end
  end
end
