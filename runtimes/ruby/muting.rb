# frozen_string_literal: true

# When visits are only counted, and what becomes of the counts. See "Budgets and muting" of the
# stream's format.
class RubyVM
  module Tracing
    class Recorder
      # The three ways of a probe that is not called often.
      def around(i)
        if @_open
          put(yield)
        elsif @_depth == @_floor && (i < @_from || i > @_to)
          unmute(@_depth)
          put(yield)
        elsif (@_n[i] += 1) <= 0
          record = yield
          record.empty? ? @_n[i] -= 1 : keep(i, record, @_depth, nil, nil)
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
      # and the last number, by the arm.
      def mark(i, form, head)
        @_touched << i if @_n[i] == -1
        @_form[i] = form
        @_head[i] = head
        @_last[i] = NOTHING
      end

      # Whether a loop, or a block that its method calls again and again, has had its share.
      def beyond?(i, depth)
        loop = @_loops.last
        unless loop && loop[0] == i && loop[1] == depth
          drop_loops(i)
          loop = @_loops.reverse_each.find { |known| known[0] == i && known[1] == depth }
          unless loop
            loop = [i, depth, 0, @_left, [64, @_left >> 2].max]
            @_loops << loop
          end
        end
        (loop[2] += 1) > 2 && loop[3] - @_left > loop[4]
      end

      # Forgets loops of frames that are gone.
      def drop_loops(_site)
        @_loops.pop while (loop = @_loops.last) && loop[1] > @_depth
      end

      def mute_loop(i, depth = @_depth)
        @_open = false
        @_floor = depth
        @_from = i
        @_to = INNER[i] || i
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
          count = @_n[i]
          @_n[i] = -2
          next if count <= 0
          last = last_record(i)
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
            last == 1 ? yes_record(i) : no_record(i)
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
        extend(Spent)
        raw("\x0f".b << Tracing.varint(which))
      end

      def tick
        refresh if !@_open && (@_due -= 1) < 0
        nil
      end

      # Brings the slots up to date.
      def refresh
        @_due = [512, @_touched.length * 32].max
        @_touched.each do |i|
          count = @_n[i]
          next if count <= 0 || i >= @_channel.slots
          last = last_record(i)
          last = "" if last.bytesize > @_channel.slot_size - 17
          head = [count, last.empty? ? 0 : count, last.bytesize].pack("Q<Q<C")
          @_memory.set_string(head + last, @_channel.slots_at + i * @_channel.slot_size)
        end
      end
    end
  end
end
