# frozen_string_literal: true

# Calls into libraries. `cb` tells one without arguments; else `co` begins it, `ck` passes an argument
# on, and `ca` the last one, and tells it. `cr` passes the result on and tells it.
class RubyVM
  module Tracing
    class Recorder
      # Calls told of one site; later ones are only counted.
      TOLD = 32

      def cb(i)
        call = underway(i)
        call[2] = told(i, "\x09".b << Tracing.varint(i) << "\0\0\0\0\0")
        call
      end

      def co(i)
        underway(i)
      end

      def ck(i, x)
        call = @_calls.last
        call[2] << capture(x) if call && (call = own(i)) && String === call[2] && (call[3] += 1)
        x
      end

      def ca(i, x)
        call = @_calls.last
        if call && (call = own(i)) && String === call[2]
          call[2] = told(i, ("\x09".b << Tracing.varint(i) << "\0\0\0\0" << Tracing.varint(call[3] + 1)) <<
            call[2] << capture(x))
        end
        x
      end

      def cr(call, x)
        return x unless call
        nil until @_calls.empty? || @_calls.pop.equal?(call)
        return x unless call[2] == true
        record = "\x11".b << Tracing.varint(call[0]) << 1 << capture(x)
        raw("\x0d".b << Tracing.varint(@_depth < 0 ? 0 : @_depth)) unless @_open
        put(record)
        x
      end

      # A new call under way. Sites are numbered from the outside in: what is not around this one was
      # left by an error.
      def underway(i)
        while (top = @_calls.last) && (top[1] > @_depth || (top[1] == @_depth && top[0] >= i))
          @_calls.pop
        end
        @_calls << (call = [i, @_depth, "".b, 0])
        call
      end

      # The site's call in the running frame, if that was begun.
      def own(i)
        while (top = @_calls.last) && (top[1] > @_depth || (top[1] == @_depth && top[0] > i))
          @_calls.pop
        end
        top if top && top[0] == i && top[1] == @_depth
      end

      # Tells a call; whether it was not only counted.
      def told(i, record)
        unmute(@_depth) if !@_open && @_depth == @_floor && (i < @_from || i > @_to)
        return passed(i) if @_shares[i] >= TOLD
        if @_open
          put(record)
        elsif early(i) == KEEP
          keep(i, record, @_depth, nil, nil)
        else
          return false
        end
        @_shares[i] += 1
        true
      end

      # A call of a site that has had its share.
      def passed(i)
        if @_m[i] > 0
          early(i)
        else
          @_touched << i if @_m[i] == -2
          @_form[i] = nil
          @_last[i] = NOTHING
          @_m[i] = 1
          @_n[i] = CHUNK if plain?(i)
        end
        false
      end
    end
  end
end
