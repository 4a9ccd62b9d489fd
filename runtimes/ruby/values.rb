# frozen_string_literal: true

# Values as bytes of the stream: scalars and strings. Runs nothing of the subject's: what is not an
# exact core class is looked at through methods that were taken from Ruby's own classes beforehand.
class RubyVM
  module Tracing
    KIND = Kernel.instance_method(:class)
    FIELDS = Kernel.instance_method(:instance_variables)
    FIELD = Kernel.instance_method(:instance_variable_get)
    NAME = Module.instance_method(:name)
    LENGTH = String.instance_method(:length)
    ASCII = String.instance_method(:ascii_only?)
    SLICE = String.instance_method(:[])
    PLAIN = String.instance_method(:to_s)
    SYMBOL = Symbol.instance_method(:to_s)
    ARRAY_LENGTH = Array.instance_method(:length)
    ARRAY_FIRST = Array.instance_method(:first)
    HASH_LENGTH = Hash.instance_method(:length)
    HASH_EACH = Hash.instance_method(:each_pair)

    # What looking at a value may raise. Anything else comes from outside, as what the handler of a
    # signal raises or `Timeout` sends, and is the program's.
    UNTOLD = [NameError, TypeError, ArgumentError, EncodingError, RangeError, IndexError, FrozenError].freeze

    NULL = "\x00".b.freeze
    FALSE = "\x01".b.freeze
    TRUE = "\x02".b.freeze
    CUT = "\x01\0\0\0\0\0\0\0\0".b.freeze
    INT = "\x03".b.freeze
    # Numbers up to 14 bits, made when they are first wanted: all of it, and all but the last bytes.
    VARINTS = Array.new(1 << 14)
    PREFIXES = Array.new(1 << 14)
    BITS = 1 << 14
    # Heads of short strings by their length.
    TEXTS = []

    def self.varint(n)
      return VARINTS[n] ||= short(n) if n < 16384
      out = "".b
      while n > 16383
        out << (PREFIXES[n & 16383] ||= prefix(n & 16383))
        n >>= 14
      end
      out << (VARINTS[n] ||= short(n))
    end

    def self.short(n)
      (n < 128 ? [n].pack("C") : [n & 127 | 128, n >> 7].pack("CC")).freeze
    end

    def self.text_head(size)
      ("\x06".b << varint(size) << varint(size * 2)).freeze
    end

    def self.prefix(n)
      [n & 127 | 128, n >> 7 | 128].pack("CC").freeze
    end

    # Whole values that need no look, by identity.
    KNOWN = { nil => NULL, false => FALSE, true => TRUE }.compare_by_identity
    1024.times { |n| KNOWN[n] = ("\x03".b + varint(n << 1)).freeze }

    # Writes values into a string of its own. `recorder` interns names.
    class Values
      def initialize(channel, recorder)
        @_recorder = recorder
        @_depth = channel.depth
        @_elements = channel.elements
        @_characters = channel.characters
        @_size = channel.value_bytes
        @_identities = ObjectSpace::WeakMap.new
        @_identity = 0
        @_handlers = {}.compare_by_identity
        @_names = {}.compare_by_identity
        @_types = {}
        @_symbols = {}
        @_out = nil
        @_seen = []
      end

      # The bytes of one value.
      def capture(x)
        KNOWN[x] || (Integer === x ? integer(x) : String === x ? text(x) : container(x))
      end

      # Most strings need no look at their encoding, and no state here.
      def text(x)
        if KIND.bind_call(x).equal?(String) && (size = LENGTH.bind_call(x)) <= @_characters &&
           ASCII.bind_call(x)
          "#{TEXTS[size] ||= Tracing.text_head(size)}#{x}"
        else
          container(x)
        end
      end

      # Ids of names in this stream; a forked child goes on with its parent's.
      def type(name)
        @_types[name] ||= @_recorder.intern(name)
      end

      def container(x)
        before = @_out
        @_out = "".b
        @_end = @_size
        value(x, @_depth)
        @_out
      rescue *UNTOLD
        @_recorder.intern("?")
        "\x16".b << Tracing.varint(type("?")) << 0 << 0
      ensure
        @_out = before
        @_seen.clear unless @_seen.empty?
      end

      def integer(x)
        if x >= -0x4000000000000000 && x < 0x4000000000000000
          n = x < 0 ? ~(x << 1) : x << 1
          low = n & 16383
          return "#{INT}#{VARINTS[n] ||= Tracing.short(n)}" if n == low
          low = PREFIXES[low] ||= Tracing.prefix(low)
          n >>= 14
          "#{INT}#{low}#{n < 16384 ? VARINTS[n] ||= Tracing.short(n) : Tracing.varint(n)}"
        elsif x.bit_length > BITS
          # Decimal text costs quadratic time: only its size is told.
          text = "~#{x < 0 ? '-' : ''}2**#{x.bit_length - 1}"
          "\x16".b << Tracing.varint(type("Integer")) << 0 << Tracing.varint(text.bytesize) << text
        else
          text = x.to_s
          "\x04".b << Tracing.varint(text.bytesize) << text
        end
      end

      def value(x, d)
        if (known = KNOWN[x])
          @_out << known
        elsif Integer === x
          @_out << integer(x)
        elsif String === x
          KIND.bind_call(x).equal?(String) ? string(x) : derived_string(x)
        elsif Symbol === x
          symbol(x)
        elsif Float === x
          @_out << 5 << [x].pack("E")
        elsif Array === x
          sequence(x, d)
        elsif Hash === x
          mapping(x, d)
        else
          object(x, d)
        end
      end

      def symbol(x)
        @_symbols[x] ||= type(":#{SYMBOL.bind_call(x)}")
        @_out << 0x17 << Tracing.varint(type("Symbol")) << Tracing.varint(@_symbols[x]) << NULL
      end

      def derived_string(x)
        @_out << 0x10 << Tracing.varint(type(class_name(KIND.bind_call(x))))
        string(PLAIN.bind_call(x))
      end

      def string(x)
        unless x.ascii_only?
          encoding = x.encoding
          if Encoding::BINARY.equal?(encoding) || !x.valid_encoding?
            return bytes(x)
          elsif !Encoding::UTF_8.equal?(encoding)
            x = x.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
          end
        end
        n = LENGTH.bind_call(x)
        if n <= @_characters
          size = x.bytesize
          @_out << 6 << Tracing.varint(n) << Tracing.varint(size * 2) << x.b
        else
          shown = SLICE.bind_call(x, 0, @_characters).b
          @_out << 6 << Tracing.varint(n) << Tracing.varint(shown.bytesize * 2 + 1) << shown << digest(x)
        end
      end

      def bytes(x)
        n = x.bytesize
        shown = x.byteslice(0, @_characters).b
        cut = n > shown.bytesize
        @_out << 7 << Tracing.varint(n) << Tracing.varint(shown.bytesize * 2 + (cut ? 1 : 0)) << shown
        @_out << digest(x) if cut
      end

      # FNV-1a 64 where that is cheap.
      def digest(x)
        return "\0\0\0\0\0\0\0\0".b if x.bytesize > 512
        hash = 0xCBF29CE484222325
        x.each_byte { |byte| hash = (hash ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF }
        [hash].pack("Q<")
      end

      # A number for an object while it lives. Keeps none of them alive, and leaves `object_id` alone.
      def identity(x)
        @_identities[x] || (@_identities[x] = (@_identity += 1))
      end

      def class_name(kind)
        @_names[kind] ||= NAME.bind_call(kind) || "#<Class>"
      end

      # Head of a container. False if its parts are not to be shown: too deep, or shown already.
      def open(op, name, x, n, d)
        heap = identity(x)
        if @_seen.include?(heap)
          @_out << 0x15 << Tracing.varint(heap)
          return false
        end
        @_out << op << Tracing.varint(type(name)) << Tracing.varint(heap) << Tracing.varint(n)
        if d <= 0 || (n > 0 && @_out.bytesize > @_end)
          @_out << (n > 0 ? "\x01\0\0\0\0\0\0\0\0\0".b : "\0\0".b)
          return false
        end
        @_seen << heap
        true
      end

      # Writes flags and count in front of the parts, which `yield` writes and counts.
      def parts(n)
        head = @_out
        @_out = "".b
        @_end -= head.bytesize
        count = yield
        body = @_out
        @_end += head.bytesize
        @_out = head
        @_out << (count < n ? CUT : NULL) << Tracing.varint(count) << body
      end

      def full?
        @_out.bytesize > @_end
      end

      def sequence(x, d)
        kind = KIND.bind_call(x)
        n = ARRAY_LENGTH.bind_call(x)
        return unless open(0x11, kind.equal?(Array) ? "Array" : class_name(kind), x, n, d)
        items = ARRAY_FIRST.bind_call(x, @_elements)
        # As if all of them will fit.
        before = @_out.bytesize
        seen = ARRAY_LENGTH.bind_call(@_seen)
        last = n < @_elements ? n : @_elements
        @_out << (last < n ? CUT : NULL) << Tracing.varint(last)
        index = 0
        while index < last && @_out.bytesize <= @_end
          item = items[index]
          if (known = KNOWN[item])
            @_out << known
          else
            value(item, d - 1)
          end
          index += 1
        end
        return if index == last
        @_out = @_out.byteslice(0, before)
        @_seen = ARRAY_FIRST.bind_call(@_seen, seen)
        parts(n) do
          count = 0
          items.each do |item|
            break if full?
            value(item, d - 1)
            count += 1
          end
          count
        end
      end

      def mapping(x, d)
        kind = KIND.bind_call(x)
        n = HASH_LENGTH.bind_call(x)
        return unless open(0x12, kind.equal?(Hash) ? "Hash" : class_name(kind), x, n, d)
        parts(n) do
          count = 0
          limit = @_elements
          HASH_EACH.bind_call(x) do |key, item|
            break if count >= limit || full?
            value(key, d - 1)
            value(item, d - 1)
            count += 1
          end
          count
        end
      end
    end
  end
end
