# frozen_string_literal: true

# The probes of calls: methods, blocks and class bodies entered and left. Those for arguments have
# their number in the name. In the place of the record of a value that is only counted stands 0.
class RubyVM
  module Tracing
    class Recorder
      def i0(i)
        depth = @_depth += 1
        @_ret[depth] = nil
        check_depth if depth > @_near
        if @_open
          @_at += @_memory.set_string(@_in[i] || in_record(i), @_at)
          turn if (@_left -= 1) <= 0 || @_at > @_edge
          entered(i) if (@_visits[i] += 1) > 2
        elsif (@_n[i] -= 1) <= 0 && early(i) == KEEP
          keep(i, in_record(i), @_depth - 1, :step, nil)
        end
        nil
      end

      def i1(i, a)
        depth = @_depth += 1
        @_ret[depth] = nil
        check_depth if depth > @_near
        if @_open
          if (record = @_one[i][a])
            @_at += @_memory.set_string(record, @_at)
            turn if (@_left -= 1) <= 0 || @_at > @_edge
          else
            put(one_record(i, a))
          end
          entered(i) if (@_visits[i] += 1) > 2
        elsif (@_n[i] -= 1) <= 0 && early(i) == KEEP
          keep(i, one_record(i, a), @_depth - 1, nil, nil)
        end
        nil
      end

      def i2(i, a, b)
        depth = @_depth += 1
        @_ret[depth] = nil
        check_depth if depth > @_near
        return nil if !@_open && ((@_n[i] -= 1) > 0 || early(i) != KEEP)
        head = @_in[i] ||= ("\x03".b << Tracing.varint(i) << 2).freeze
        entering(i, "#{head}#{KNOWN[a] || capture(a)}#{KNOWN[b] || capture(b)}")
      end

      def i3(i, a, b, c)
        depth = @_depth += 1
        @_ret[depth] = nil
        check_depth if depth > @_near
        return nil if !@_open && ((@_n[i] -= 1) > 0 || early(i) != KEEP)
        head = @_in[i] ||= ("\x03".b << Tracing.varint(i) << 3).freeze
        entering(i, "#{head}#{KNOWN[a] || capture(a)}#{KNOWN[b] || capture(b)}#{KNOWN[c] || capture(c)}")
      end

      def in(i, *xs)
        depth = @_depth += 1
        @_ret[depth] = nil
        check_depth if depth > @_near
        return nil if !@_open && ((@_n[i] -= 1) > 0 || early(i) != KEEP)
        entering(i, joined("\x03".b << Tracing.varint(i), xs))
      end

      def entering(i, record)
        if @_open
          put(record)
          entered(i) if (@_visits[i] += 1) > 2
        else
          keep(i, record, @_depth - 1, nil, nil)
        end
        nil
      end

      # The value a frame is left with; `o` at its end tells it.
      def r(i, x)
        if @_open
          @_ret[@_depth] = @_out[i][x] || out_record(i, x)
        elsif (@_n[i] -= 1) > 0
          @_last[i] = x
          @_ret[@_depth] = 0
        elsif (how = seldom(i)) == AGAIN
          @_ret[@_depth] = out_record(i, x)
        elsif how == KEEP
          record = out_record(i, x)
          mark(i, :value, @_out[i][NOTHING])
          @_ret[@_depth] = record
        else
          @_last[i] = x
          @_ret[@_depth] = 0
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
          if record
            if record.bytesize < SPARE
              @_at += @_memory.set_string(record, @_at)
              turn if (@_left -= 1) <= 0 || @_at > @_edge
            else
              put(record)
            end
          else
            unwound(i, depth)
          end
        elsif record == 0
          unmute(depth - 1) if depth <= @_floor
        else
          if record
            raw("\x0d".b << Tracing.varint(depth))
            put(record)
          else
            # The muted loop was left by it.
            unmute(depth) if depth == @_floor && @_home
            unwound(i, depth)
          end
          unmute(depth - 1) if depth <= @_floor
        end
        nil
      end
    end
  end
end
