# frozen_string_literal: true

# Values as bytes of the stream: everything that is no scalar, string, array or hash.
class RubyVM
  module Tracing
    MEMBERS = Struct.instance_method(:members)
    STRUCT_PARTS = Struct.instance_method(:to_a)
    RANGE_BEGIN = Range.instance_method(:begin)
    RANGE_END = Range.instance_method(:end)
    RANGE_OPEN = Range.instance_method(:exclude_end?)
    PROC_LAMBDA = Proc.instance_method(:lambda?)
    METHOD_NAME = Method.instance_method(:name)
    METHOD_OWNER = Method.instance_method(:owner)
    REGEX = Regexp.instance_method(:inspect)
    RATIONAL = Rational.instance_method(:to_s)
    COMPLEX = Complex.instance_method(:to_s)
    DATA_PARTS = defined?(Data) && Data.respond_to?(:define) ? Data.instance_method(:to_h) : nil
    DATA_CLASS = DATA_PARTS ? Data : nil

    class Values
      # Anything else, by its class.
      def object(x, d)
        kind = KIND.bind_call(x)
        handler = @_handlers[kind] || (@_handlers[kind] = classify(x))
        case handler
        when 1 then fields(x, kind, d)
        when 2 then structure(x, kind, d)
        when 3 then set(x, kind, d)
        when 4 then range(x, kind, d)
        when 5 then opaque("Class", NAME.bind_call(x) || "#<Class>")
        when 6 then @_out << 8 << Tracing.varint(type(PROC_LAMBDA.bind_call(x) ? "lambda" : "proc"))
        when 7 then method_object(x)
        when 8 then opaque("Regexp", REGEX.bind_call(x))
        when 9 then opaque("Rational", RATIONAL.bind_call(x))
        when 10 then opaque("Complex", COMPLEX.bind_call(x))
        when 11 then error(x, kind, d)
        when 12 then opaque("Module", NAME.bind_call(x) || "#<Module>")
        when 13 then record(x, kind, DATA_PARTS.bind_call(x), d)
        else fields(x, kind, d)
        end
      end

      def classify(x)
        if Class === x then 5
        elsif Module === x then 12
        elsif Struct === x then 2
        elsif Proc === x then 6
        elsif Method === x then 7
        elsif Range === x then 4
        elsif Regexp === x then 8
        elsif Rational === x then 9
        elsif Complex === x then 10
        elsif Exception === x then 11
        elsif DATA_CLASS && DATA_CLASS === x then 13
        elsif set?(x) then 3
        else 1
        end
      end

      # Sets are written in Ruby around a hash, before Ruby 3.5.
      def set?(x)
        return false unless Object.const_defined?(:Set, false) && !Object.autoload?(:Set)
        kind = Object.const_get(:Set)
        Class === kind && kind === x && Hash === FIELD.bind_call(x, :@hash)
      end

      def opaque(name, text)
        shown = SLICE.bind_call(text, 0, @_characters).b
        @_out << 0x16 << Tracing.varint(type(name)) << 0 << Tracing.varint(shown.bytesize) << shown
      end

      # An object and its instance variables; without any, only its class is told.
      def fields(x, kind, d)
        names = FIELDS.bind_call(x)
        if names.empty?
          @_out << 0x16 << Tracing.varint(type(class_name(kind))) << Tracing.varint(identity(x)) << 0
          return
        end
        n = names.length
        return unless open(0x14, class_name(kind), x, n, d)
        parts(n) do
          count = 0
          names.each do |name|
            break if count >= @_elements || full?
            @_out << Tracing.varint(type(SYMBOL.bind_call(name)))
            value(FIELD.bind_call(x, name), d - 1)
            count += 1
          end
          count
        end
      end

      # Named parts, with the instance variables behind them.
      def record(x, kind, named, d)
        FIELDS.bind_call(x).each { |name| named[name] = FIELD.bind_call(x, name) }
        n = named.length
        return unless open(0x14, class_name(kind), x, n, d)
        parts(n) do
          count = 0
          named.each_pair do |name, item|
            break if count >= @_elements || full?
            @_out << Tracing.varint(type(SYMBOL.bind_call(name)))
            value(item, d - 1)
            count += 1
          end
          count
        end
      end

      def structure(x, kind, d)
        named = {}
        items = STRUCT_PARTS.bind_call(x)
        MEMBERS.bind_call(x).each_with_index { |name, index| named[name] = items[index] }
        record(x, kind, named, d)
      end

      def set(x, kind, d)
        hash = FIELD.bind_call(x, :@hash)
        n = HASH_LENGTH.bind_call(hash)
        return unless open(0x13, class_name(kind), x, n, d)
        parts(n) do
          count = 0
          limit = @_elements
          HASH_EACH.bind_call(hash) do |item, _|
            break if count >= limit || full?
            value(item, d - 1)
            count += 1
          end
          count
        end
      end

      def range(x, kind, d)
        first, last = RANGE_BEGIN.bind_call(x), RANGE_END.bind_call(x)
        dots = RANGE_OPEN.bind_call(x) ? "..." : ".."
        plain = [first, last].all? { |end_| nil.equal?(end_) || Integer === end_ || Float === end_ }
        return opaque("Range", "#{first}#{dots}#{last}") if plain && kind.equal?(Range)
        return unless open(0x14, class_name(kind), x, 2, d)
        parts(2) do
          @_out << Tracing.varint(type("begin"))
          value(first, d - 1)
          @_out << Tracing.varint(type("end"))
          value(last, d - 1)
          2
        end
      end

      def method_object(x)
        owner = METHOD_OWNER.bind_call(x)
        name = "#{NAME.bind_call(owner) || '#<Class>'}##{METHOD_NAME.bind_call(x)}"
        @_out << 8 << Tracing.varint(type(name))
      end

      def error(x, kind, d)
        record(x, kind, { message: Tracing.message_of(x) }, d)
      end
    end
  end
end
