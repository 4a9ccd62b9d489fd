# frozen_string_literal: true

# When visits are only counted, and what becomes of the counts. See "Budgets and muting" of the
# stream's format.
#
# A visit within a muted stretch should cost little: the inserted text takes one off the site's number
# and goes on if that leaves any. A site gets a number when its first visits of the stretch have been
# kept; before that, and whenever it is used up, the probe is called. Sites whose visit may end the
# stretch (those of the muted loop's own function, outside of the loop) get none.
class RubyVM
  module Tracing
    class Recorder
      AGAIN = 1
      KEEP = 2
      # Visits that are counted without a look at anything else.
      CHUNK = 256

      # What to do with a visit within a gap: `AGAIN` where it ended the gap, `KEEP` where it is
      # recorded still, else it is counted.
      def seldom(i)
        if @_depth == @_floor && (i < @_from || i > @_to)
          unmute(@_depth)
          return AGAIN
        end
        early(i)
      end

      def early(i)
        count = @_m[i]
        if count > 0 && plain?(i)
          @_m[i] = count + CHUNK
          @_n[i] = CHUNK
          refresh if (@_due -= 1) < 0
          return nil
        end
        @_m[i] = count += 1
        return KEEP if count <= 0
        @_n[i] = CHUNK if plain?(i)
        nil
      end

      # Whether no visit of a site can end the stretch.
      def plain?(i)
        !@_home || @_home != FUNCTION[i] || (i >= @_from && i <= @_to)
      end

      # Visits of a site that were left out since the stretch began.
      def left_out(i)
        rest = @_n[i]
        rest > 0 ? @_m[i] + CHUNK - rest : @_m[i]
      end

      # Whether a visit of a site would be recorded.
      def visible?(i)
        @_m[i] < 0 || (@_depth == @_floor && (i < @_from || i > @_to))
      end

      # The three ways of a probe that is not called often.
      def around(i)
        if @_open
          put(yield)
        elsif (@_n[i] -= 1) > 0
          nil
        elsif (how = seldom(i)) == AGAIN
          @_open ? put(yield) : around(i) { yield }
        elsif how == KEEP
          keep(i, yield, @_depth, nil, nil)
        end
        nil
      end

      # A visit within a gap that is recorded still.
      def keep(i, record, depth, form, head)
        mark(i, form, head)
        raw("\x0d".b << Tracing.varint(depth))
        put(record)
        nil
      end

      # How the last visit that is left out can be told: by a record that never changes, by a head
      # and the last value, by the arm.
      def mark(i, form, head)
        @_touched << i if @_m[i] == -1
        @_form[i] = form
        @_head[i] = head
        @_last[i] = NOTHING
      end

      # Events that a loop may record before it has had its share.
      def share
        quarter = @_left >> 2
        quarter < 64 ? 64 : quarter
      end

      # Whether a loop, or a block that its method calls again and again, has had its share.
      def beyond?(i, depth)
        top = @_top
        unless top[0] == i && top[1] == depth
          drop_loops(i, depth)
          top = @_top
          @_loops << (@_top = top = [i, depth, 0, @_left - share]) unless top[0] == i && top[1] == depth
        end
        (top[2] += 1) > 2 && @_left < top[3]
      end

      # Forgets loops of frames that are gone, and those of this frame that do not enclose a site.
      def drop_loops(i, depth)
        while (top = @_loops.last) && top[1] >= depth
          site = top[0]
          break if top[1] == depth && site <= i && i <= (INNER[site] || site)
          @_loops.pop
        end
        @_top = top || NO_LOOP
      end

      def mute_loop(i, depth)
        @_open = false
        @_floor = depth
        @_from = i
        @_to = INNER[i] || i
        @_home = HOME[i]
      end

      # A call was entered, not for the first time.
      def entered(i)
        return unless @_open
        if INNER[i] && beyond?(i, @_depth - 1)
          mute_loop(i, @_depth - 1)
        elsif @_left * 4 < @_total
          @_open = false
          @_floor = @_depth
          @_from = 0
          @_to = 1 << 40
          @_home = nil
        end
      end

      # Ends a muted stretch: says what was left out, and goes on recording.
      def unmute(depth)
        return if @_spent
        @_open = true
        @_floor = -1
        touched = @_touched.sort
        @_touched.clear
        touched.each do |i|
          count = left_out(i)
          @_n[i] = 0
          @_m[i] = -2
          next if count <= 0
          last = last_record(i)
          @_last[i] = NOTHING
          put("\x0c".b << Tracing.varint(i) << Tracing.varint(count) << Tracing.varint(last.bytesize) << last)
          @_memory.set_string(EMPTY_SLOT, @_channel.slots_at + i * @_channel.slot_size) if i < @_channel.slots
        end
        raw("\x0d".b << Tracing.varint(depth < 0 ? 0 : depth))
      end

      EMPTY_SLOT = ("\0" * 17).b.freeze

      # The record of a site's last visit that was left out, as far as it is known.
      def last_record(i)
        last = @_last[i]
        case @_form[i]
        when :step then @_step[i] || @_in[i] || ""
        when :value then fixed?(last) ? @_head[i] + capture(last) : ""
        when :arm
          if NOTHING.equal?(last)
            ""
          else
            last ? yes_record(i) : no_record(i)
          end
        else ""
        end
      end

      # Whether a value is the one it was.
      def fixed?(x)
        Integer === x || nil.equal?(x) || true.equal?(x) || false.equal?(x) || Float === x ||
          Symbol === x
      end

      # From here on everything is only counted.
      def exhaust(which)
        return if @_spent
        @_spent = true
        @_open = false
        @_floor = -1
        @_home = nil
        @_touched.each { |i| @_n[i] = CHUNK if @_m[i] > 0 && @_n[i] <= 0 }
        raw("\x0f".b << Tracing.varint(which))
      end

      # Brings the slots up to date, and lets go of objects.
      def refresh
        @_due = @_touched.length + 2
        @_touched.each do |i|
          count = left_out(i)
          next if count <= 0 || i >= @_channel.slots
          last = last_record(i)
          last = "" if last.bytesize > @_channel.slot_size - 17
          head = [count, last.empty? ? 0 : count, last.bytesize].pack("Q<Q<C")
          @_memory.set_string(head + last, @_channel.slots_at + i * @_channel.slot_size)
          @_last[i] = NOTHING unless fixed?(@_last[i])
        end
      end
    end

    # For programs that may ask which objects are still alive: none is held.
    module Aloof
      def v(i, x)
        super
        @_last[i] = Recorder::NOTHING unless Integer === x
        x
      end

      def wt(i, loop)
        w(i, loop, true)
      end

      def r(i, x)
        super
        @_last[i] = Recorder::NOTHING unless Integer === x
        x
      end
    end
  end
end
