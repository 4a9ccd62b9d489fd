# frozen_string_literal: true

# Errors: where they came up, who caught them, what they say. Runs no `message` of the subject's.
class RubyVM
  module Tracing
    LOCATIONS = Exception.instance_method(:backtrace_locations)
    TEXT = Exception.instance_method(:to_s)
    RECEIVER = NameError.instance_method(:receiver)
    # Paths of instrumented files.
    PATHS = {}
    FRAMES = 64
    # Calls that fit the interpreter's usual stack, and the depth at which to begin to count them.
    MOST_FRAMES = 10_080
    FIRST_LOOK = 2000

    # What an error says, where that runs nothing of the subject's: a `NameError` inspects the
    # receiver when it is asked.
    def self.message_of(error)
      if NameError === error
        receiver = begin
          RECEIVER.bind_call(error)
        rescue ArgumentError
          nil
        end
        kind = KIND.bind_call(receiver)
        plain = kind.equal?(NilClass) || kind.equal?(TrueClass) || kind.equal?(FalseClass) ||
                kind.equal?(Integer) || kind.equal?(Float) || kind.equal?(Symbol) ||
                kind.equal?(String) || receiver.equal?(MAIN)
        return nil unless plain
      end
      TEXT.bind_call(error)
    rescue StandardError
      nil
    end

    MAIN = TOPLEVEL_BINDING.receiver

    class Recorder
      # The line of the program's own that an error came up in.
      def line_of(locations)
        found = locations&.find { |location| PATHS[location.path] }
        found ? found.lineno : 0
      end

      def describe(error)
        name = @_values.class_name(KIND.bind_call(error))
        "".b << @_values.container(name) << capture(Tracing.message_of(error))
      end

      # Tells of an error that nothing has told of yet, before the frames that it leaves.
      def raised(site, error)
        number = @_values.identity(error)
        return if @_told == number
        @_told = number
        line = line_of(LOCATIONS.bind_call(error))
        put("\x07".b << Tracing.varint(site) << 0 << describe(error) << Tracing.varint(line) << 0)
      end

      # A frame was left without a value: by an error, a `throw`, a `break` or a `return` further in.
      def unwound(i, depth)
        if @_through && @_through[0] == i
          record = "\x04".b << Tracing.varint(i) << 1 << @_through[1]
          @_through = nil
          leave(i, depth, record)
          return
        end
        error = $!
        raised(i + 1, error) if error && @_open
        leave(i, depth, "\x04".b << Tracing.varint(i) << (error ? 2 : 0))
      end

      def leave(i, depth, record)
        if @_open
          put(record)
        elsif (@_n[i] -= 1) <= 0 && early(i) == KEEP
          keep(i, record, depth, nil, nil)
        end
      end

      # The interpreter has more stack than usual, since probes need some. Raises as it would have
      # when it had called the function that now begins; the depth is that of short frames.
      def check_depth
        places = caller_locations(2).drop_while { |place| place.path == "<tracer>" }
        rest = MOST_FRAMES + 1 - places.length
        if rest < 0 && Thread.current == Thread.main
          @_depth -= 1
          raise SystemStackError, "stack level too deep", places.drop(1).map(&:to_s)
        end
        @_near = @_depth + [rest / 3, 1].max
      end

      # A `rescue` begins.
      def c(i)
        error = $!
        @_near = FIRST_LOOK
        @_through = nil
        return nil unless error
        around(i) { handled(i, error, 1) }
        @_told = @_values.identity(error)
        nil
      end

      # An `ensure` begins, perhaps with an error on its way.
      def f(i)
        error = $!
        return nil unless error && @_open
        number = @_values.identity(error)
        return nil if @_told == number && @_handled == number
        put(handled(i, error, 2))
        @_told = number
        nil
      end

      def handled(i, error, phase)
        raised(i + 1, error) if @_open
        @_handled = @_values.identity(error) if phase == 1
        locations = LOCATIONS.bind_call(error)
        frames = locations ? left_frames(locations) : []
        ids = frames.map { |frame| intern(frame.label || "?") }
        record = "\x07".b << Tracing.varint(i) << phase << describe(error) <<
                 Tracing.varint(line_of(locations)) << Tracing.varint(frames.length)
        frames.each_with_index do |frame, index|
          record << Tracing.varint(ids[index]) << Tracing.varint(frame.lineno || 0)
        end
        record
      end

      # The frames between where an error was raised and the frame that handles it, inclusive.
      def left_frames(locations)
        here = caller_locations(1).drop_while { |location| location.path == "<tracer>" }
        inside = here.take_while { |location| /\A(rescue|ensure) in /.match?(location.label) }.length
        count = locations.length - (here.length - inside) + 1
        locations.first([[count, 0].max, FRAMES].min)
      end

      # The program is about to end, perhaps by an error.
      def finish(error)
        refresh
        return if error.nil? || SystemExit === error || SignalException === error
        locations = (LOCATIONS.bind_call(error) || []).first(FRAMES)
        ids = locations.map { |frame| intern(frame.label || "?") }
        record = "\x07".b << 0 << 3 << describe(error) << Tracing.varint(line_of(locations)) <<
                 Tracing.varint(ids.length)
        locations.each_with_index do |frame, index|
          record << Tracing.varint(ids[index]) << Tracing.varint(frame.lineno || 0)
        end
        put(record)
      end
    end
  end
end
