# frozen_string_literal: true

# The shared region: its header, and who writes where. Knows framing, not what records mean.
class RubyVM
  module Tracing
    # What `IO::Buffer` does, by system calls, where there is none (before Ruby 3.1).
    class FileMemory
      def initialize(io)
        @_io = io
      end

      def set_string(text, at)
        @_io.pwrite(text, at)
      end

      def word(at)
        @_io.pread(4, at).unpack1("V")
      end
    end

    class MappedMemory
      def buffer
        @_buffer
      end

      def initialize(io)
        before = Warning[:experimental]
        Warning[:experimental] = false
        @_buffer = IO::Buffer.map(io)
      ensure
        Warning[:experimental] = before
      end

      def word(at)
        @_buffer.get_string(at, 4).unpack1("V")
      end
    end

    class Channel
      def memory
        @_memory
      end

      def slots_at
        @_slots_at
      end

      def slots
        @_slots
      end

      def slot_size
        @_slot_size
      end

      def segment_size
        @_segment_size
      end

      def events
        @_events
      end

      def bytes
        @_bytes
      end

      def depth
        @_depth
      end

      def detail
        @_detail
      end

      def elements
        @_elements
      end

      def characters
        @_characters
      end

      def value_bytes
        @_value_bytes
      end

      def shared?
        @_shared
      end

      # Other processes claim segments too.
      def share
        @_shared = true
      end

      def initialize(number)
        # Inside a machine it has a name instead of a number, and is not mapped but copied.
        named = String === number
        @_io = named ? File.open(number, "r+b") : File.for_fd(number, "r+b")
        @_io.autoclose = false
        @_io.close_on_exec = true unless named
        head = @_io.pread(72, 0)
        raise "not a trace channel" unless head.byteslice(0, 4) == "TRCS"
        @_nonce = head.byteslice(8, 8)
        @_slots_at, @_slots, @_slot_size, @_segments, @_first, @_segment_size, @_events, @_bytes =
          head.unpack("@24V8")
        @_depth, @_detail, @_elements, @_characters, @_value_bytes = head.unpack("@56CCvvv")
        @_events = 1 << 60 if @_events == 0
        @_bytes = 1 << 60 if @_bytes == 0
        mapped = !named && defined?(IO::Buffer) && IO::Buffer.respond_to?(:map) &&
                 IO::Buffer.method_defined?(:set_string)
        @_words = mapped ? MappedMemory.new(@_io) : FileMemory.new(@_io)
        @_memory = mapped ? @_words.buffer : @_words
        @_shared = false
      end

      # Takes the next number of a counter in the header; nil when there are `limit` already.
      def take(at, limit)
        lock(1) if @_shared
        number = @_words.word(at)
        return nil if number >= limit
        @_memory.set_string([number + 1].pack("V"), at)
        number
      ensure
        lock(2) if @_shared
      end

      # Begins a segment of a stream; gives its place, or nil if none is left.
      def claim(stream, began = nil)
        number = take(64, @_segments)
        return nil unless number
        at = @_first + number * @_segment_size
        parent, what, site, ordinal = began || [0, 0, 0, 0]
        head = [stream, parent, what].pack("V3") + @_nonce + [site, ordinal].pack("V2")
        @_memory.set_string(head, at + 4)
        @_memory.set_string("SEG1", at)
        at + 32
      end

      def new_stream
        take(68, 1 << 31)
      end

      # The part of the byte budget that segments taken so far may have used.
      def claimed
        @_words.word(64) * @_segment_size
      end

      private

      # struct flock of 64-bit Linux: type, whence, start, length, process.
      def lock(kind)
        @_io.fcntl(7, [kind, 0, 0, 0, 0].pack("s!s!x4q!q!i!x4"))
      rescue SystemCallError
        nil
      end
    end
  end
end
