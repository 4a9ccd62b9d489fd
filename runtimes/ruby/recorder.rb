# frozen_string_literal: true

# One thread's stream: segments, records, and its state. What probes mean is in `probes.rb`; when
# visits are only counted, in `muting.rb`.
class RubyVM
  module Tracing
    # Inner site ranges of loops and blocks, by site: filled in by the loader.
    INNER = []

    class Recorder
      NOTHING = Object.new.freeze

      # `began` says what began the stream: parent's number + 1, kind, site, ordinal.
      def initialize(channel, began = nil, share = 1)
        @_channel = channel
        @_memory = channel.memory
        @_stream = channel.new_stream
        @_began = began
        @_at = 0
        @_room = -1
        @_interned = {}
        @_values = Values.new(channel, self)
        sites = channel.slots
        @_total = channel.events
        @_left = @_total / share
        @_open = true
        @_spent = false
        @_depth = 0
        @_near = FIRST_LOOK
        @_floor = -1
        @_from = 0
        @_to = 0
        @_ret = []
        @_loops = []
        @_kept = []
        # Visits left out by site; the first two of a muted stretch are still kept.
        @_n = Array.new(sites, -2)
        @_visits = Array.new(sites, 0)
        @_last = Array.new(sites, NOTHING)
        @_head = Array.new(sites)
        @_form = Array.new(sites)
        @_step = Array.new(sites)
        @_var = Array.new(sites)
        @_in = Array.new(sites)
        @_out = Array.new(sites)
        @_yes = Array.new(sites)
        @_no = Array.new(sites)
        @_one = Array.new(sites)
        @_rounds = Array.new(sites)
        @_touched = []
        @_due = 512
        @_told = 0
        @_through = nil
        renew(0)
      end

      # Begins another segment with room for a record. False if there is none.
      def renew(size)
        place = size <= @_channel.segment_size - 32 ? @_channel.claim(@_stream, @_began) : nil
        @_began = nil
        unless place
          @_room = -1
          exhaust(2) unless @_spent
          return false
        end
        @_at = place
        @_room = @_channel.segment_size - 32 - size
        exhaust(1) if !@_spent && @_channel.claimed > @_channel.bytes
        true
      end

      # Writes a record that is no event.
      def raw(data)
        size = data.bytesize
        return false if (@_room -= size) < 0 && !renew(size)
        @_memory.set_string(data, @_at)
        @_at += size
        true
      end

      # Writes an event.
      def put(data)
        size = data.bytesize
        return false if (@_room -= size) < 0 && !renew(size)
        @_memory.set_string(data, @_at)
        @_at += size
        exhaust(0) if (@_left -= 1) <= 0 && @_open
        true
      end

      def intern(name)
        @_interned[name] ||= begin
          number = @_interned.length + 1
          text = name.b.byteslice(0, 1024)
          raw("\x0e".b << Tracing.varint(number) << Tracing.varint(text.bytesize) << text)
          number
        end
      end

      def capture(x)
        @_values.capture(x)
      end

      # Records that do not change, made when they are first wanted.

      def step_record(i)
        @_step[i] ||= ("\x01".b << Tracing.varint(i)).freeze
      end

      def var_head(i)
        @_var[i] ||= ("\x02".b << Tracing.varint(i) << 1).freeze
      end

      def in_record(i)
        @_in[i] ||= ("\x03".b << Tracing.varint(i) << 0).freeze
      end

      def out_head(i)
        @_out[i] ||= ("\x04".b << Tracing.varint(i) << 1).freeze
      end

      def yes_record(i)
        @_yes[i] ||= ("\x05".b << Tracing.varint(i) << 1 << 0).freeze
      end

      def no_record(i)
        @_no[i] ||= ("\x05".b << Tracing.varint(i) << 0 << 0).freeze
      end

      # A record of several values.
      def joined(head, items)
        parts = items.map { |item| capture(item) }
        head << Tracing.varint(parts.length)
        parts.each { |part| head << part }
        head
      end
    end
  end
end
