# frozen_string_literal: true

# One thread's stream: segments, records, and its state. What probes mean is in `probes.rb` and
# `frames.rb`; when visits are only counted, in `muting.rb`.
class RubyVM
  module Tracing
    # What the loader knows of loops and blocks, by their site: the last site inside, and the function
    # that they stand in. Then the function of each site; 0 for those that enter one.
    INNER = []
    HOME = []
    FUNCTION = []

    class Recorder
      NOTHING = Object.new.freeze
      # Every record that is written without a look at its size is shorter.
      SPARE = 128
      # As many records with a value are kept for when they come again.
      CACHED = 20_000
      UNKNOWN = {}.compare_by_identity.freeze
      NO_LOOP = [-1, -1, 0, 0].freeze

      # `began` says what began the stream: parent's number + 1, kind, site, ordinal.
      def initialize(channel, began = nil, share = 1)
        @_channel = channel
        @_memory = channel.memory
        @_stream = channel.new_stream
        @_began = began
        @_at = 0
        @_edge = -1
        @_end = 0
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
        @_home = nil
        @_ret = []
        @_loops = []
        @_top = NO_LOOP
        @_kept = []
        # Calls into libraries: those under way, and how many were told, by site.
        @_calls = []
        @_shares = Array.new(sites, 0)
        # By site: how many visits more are only counted before the probe is called; and how many
        # were left out before that. The first two of a muted stretch are still kept.
        @_n = Array.new(sites, 0)
        @_m = Array.new(sites, -2)
        @_visits = Array.new(sites, 0)
        @_last = Array.new(sites, NOTHING)
        @_head = Array.new(sites)
        @_form = Array.new(sites)
        # Records that do not change, and those of a site by value.
        @_step = Array.new(sites)
        @_in = Array.new(sites)
        @_yes = Array.new(sites)
        @_no = Array.new(sites)
        @_rounds = Array.new(sites)
        @_both = Array.new(sites)
        @_var = Array.new(sites, UNKNOWN)
        @_one = Array.new(sites, UNKNOWN)
        @_out = Array.new(sites, UNKNOWN)
        @_cached = 0
        @_touched = []
        @_due = 2
        @_told = 0
        @_through = nil
        renew(0)
      end

      # Begins another segment with room for a record. False if there is none.
      def renew(size)
        place = size <= @_channel.segment_size - 32 - SPARE ? @_channel.claim(@_stream, @_began) : nil
        @_began = nil
        unless place
          @_end = @_edge = -1
          exhaust(2) unless @_spent
          return false
        end
        @_at = place
        @_end = place + @_channel.segment_size - 32
        @_edge = @_end - SPARE
        exhaust(1) if !@_spent && @_channel.claimed > @_channel.bytes
        true
      end

      # Looks after the bounds, behind an event: there is always room for a small record.
      def turn
        renew(0) if @_at > @_edge
        exhaust(0) if @_left <= 0 && @_open
      end

      # Writes a record that is no event.
      def raw(data)
        size = data.bytesize
        return if @_at + size > @_end && !renew(size)
        @_memory.set_string(data, @_at)
        renew(0) if (@_at += size) > @_edge
      end

      # Writes an event.
      def put(data)
        size = data.bytesize
        return if @_at + size > @_end && !renew(size)
        @_memory.set_string(data, @_at)
        @_at += size
        turn if (@_left -= 1) <= 0 || @_at > @_edge
      end

      def intern(name)
        @_interned[name] ||= begin
          number = @_interned.length + 1
          text = name.b.byteslice(0, 1024)
          raw("\x0e".b << Tracing.varint(number) << Tracing.varint(text.bytesize) << text)
          number
        end
      end

      # What the inserted text counts in, and where it puts the last values.

      def counts
        @_n
      end

      def lasts
        @_last
      end

      def capture(x)
        @_values.capture(x)
      end

      # Records that do not change, made when they are first wanted.

      def step_record(i)
        @_step[i] ||= ("\x01".b << Tracing.varint(i)).freeze
      end

      def in_record(i)
        @_in[i] ||= ("\x03".b << Tracing.varint(i) << 0).freeze
      end

      def yes_record(i)
        @_yes[i] ||= ("\x05".b << Tracing.varint(i) << 1 << 0).freeze
      end

      def no_record(i)
        @_no[i] ||= ("\x05".b << Tracing.varint(i) << 0 << 0).freeze
      end

      def round_record(i)
        @_rounds[i] ||= ("\x06".b << Tracing.varint(i) << 1 << 0).freeze
      end

      # Records with one value. Those of small numbers, `nil`, `true` and `false` are kept by value,
      # with the head under a key of ours.

      def var_record(i, x)
        known = @_var[i]
        known = @_var[i] = fresh("\x02", i) if known.equal?(UNKNOWN)
        valued(known, x)
      end

      def one_record(i, x)
        known = @_one[i]
        known = @_one[i] = fresh("\x03", i) if known.equal?(UNKNOWN)
        valued(known, x)
      end

      def out_record(i, x)
        known = @_out[i]
        known = @_out[i] = fresh("\x04", i) if known.equal?(UNKNOWN)
        valued(known, x)
      end

      def fresh(op, i)
        known = {}.compare_by_identity
        known[NOTHING] = (op.b << Tracing.varint(i) << 1).freeze
        known[UNKNOWN] = (op.b << Tracing.varint(i) << 1 << 3).freeze
        known
      end

      def valued(known, x)
        if (small = KNOWN[x])
          record = "#{known[NOTHING]}#{small}"
          known[x] = record if (@_cached += 1) < CACHED
          record
        elsif Integer === x && x > 0 && x < 0x8000000
          n = x << 1
          low = n & 16383
          if n == low
            "#{known[UNKNOWN]}#{VARINTS[n] ||= Tracing.short(n)}"
          else
            n >>= 14
            "#{known[UNKNOWN]}#{PREFIXES[low] ||= Tracing.prefix(low)}#{VARINTS[n] ||= Tracing.short(n)}"
          end
        else
          "#{known[NOTHING]}#{@_values.capture(x)}"
        end
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
