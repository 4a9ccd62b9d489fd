# frozen_string_literal: true

# Makes the interpreter parse instrumented text under the original's name.
#
# Before it parses a file, the interpreter calls `set_encoding` on the open `File`, and again when
# it is done. The first call is where the file is exchanged for the instrumented one, the second
# where it is put back, since it may become `DATA`. Where the system cannot exchange descriptors, the
# object is given another one. Messages of the parser are those for the
# original: it is compiled first, and the instrumented text is parsed in silence. The method stands
# there only while one of the program's files is about to be parsed.
class RubyVM
  module Tracing
    # An instrumented file: where it is, its text, and what was inserted where. There may be a
    # second text with fewer insertions, for when the first is not understood.
    class Source
      def path
        @_path
      end

      def text
        @_text
      end

      def inner
        @_inner
      end

      # Whether the interpreter runs this text.
      def taken?
        @_fit
      end

      def homes
        @_homes
      end

      def moved
        @_moved
      end

      def initialize(given)
        @_path = given[:path]
        @_inner = given[:inner]
        @_homes = given[:homes]
        @_texts = given[:texts]
        @_fit = nil
        take
      end

      # Goes over to the next text. False if there is none.
      def take
        name, moved = @_texts.shift
        return false unless name
        @_text = "#{FOLDER}/#{name}"
        @_moved = moved.each_slice(2).to_a
        true
      end

      # Whether the text compiles. Warnings about the original are given as ever.
      def fit?(file)
        return @_fit unless @_fit.nil?
        verbose = $VERBOSE
        said = []
        begin
          original = File.binread(@_path)
          $VERBOSE = nil
          understood(file)
          $VERBOSE = verbose
          Loader.listening(said) { compile(original, file) } unless verbose.nil?
          @_fit = true
        rescue SyntaxError, SystemCallError
          @_fit = false
        ensure
          $VERBOSE = verbose
        end
        # The interpreter says the others itself, when it has parsed the file.
        said.each { |text| warn(text) unless text.start_with?("<tracer>") } if @_fit
        @_fit
      end

      def understood(file)
        compile(File.binread(@_text), file)
      rescue SyntaxError
        take ? retry : raise
      end

      def compile(text, file)
        text = text.force_encoding(Encoding::UTF_8)
        InstructionSequence.compile(text, file.path, @_path, 1)
      end

      # Bytes inserted up to an offset of the instrumented text.
      def inserted_before(offset)
        total = 0
        @_moved.each do |at, length|
          break if at + total >= offset
          total += [length, offset - at - total].min
        end
        total
      end

      def original_offset(offset)
        offset - inserted_before(offset)
      end
    end

    module Loader
      FILES = {}
      SILENT = [nil]

      class << self
        # The file that is about to be opened, if it is one of the program's.
        def expect(source)
          @_expected = source
          loader = self
          silenced = nil
          keep = RubyVM.respond_to?(:keep_script_lines=)
          File.class_eval do
            define_method(:set_encoding) do |*xs|
              if xs.length == 2 && loader.fits?(self)
                loader.spare(path)
                lines = lineno
                loader.become(self, source.text, path)
                silenced = [$VERBOSE, keep && RubyVM.keep_script_lines]
                $VERBOSE = nil
                RubyVM.keep_script_lines = true if keep
                super(*xs)
              elsif xs.length == 1 && silenced && equal?(loader.reading)
                loader.done
                $VERBOSE = silenced[0]
                RubyVM.keep_script_lines = silenced[1] if keep
                lines, place = lineno, pos
                loader.become(self, loader.name, path)
                seek(source.original_offset(place))
                self.lineno = lines
                super(*xs)
              else
                super(*xs)
              end
            end
          end
        end

        def reading
          @_reading
        end

        # A module has no room for garbage collection as deep as the compiler goes (see
        # `emitter.rb`): there is none until the file's first line runs.
        def spare(path)
          return if @_exchanges || GC.disable
          TracePoint.new(:line) do |point|
            next unless point.path == path
            point.disable
            GC.enable
          end.enable
        end

        # Whether the system exchanges descriptors.
        def exchanges=(whether)
          @_exchanges = whether
        end

        # An open file is another one from now on; what it calls itself stays.
        def become(file, name, path)
          return file.reopen(name, "rb") if @_exchanges
          lines = file.lineno
          IO.instance_method(:initialize).bind_call(file, IO.sysopen(name), "rb", path: path)
          file.lineno = lines
        end

        def name
          @_name
        end

        def fits?(file)
          name = file.path
          return false unless @_expected && File.identical?(name, @_expected.path)
          unless @_expected.fit?(file)
            done
            return false
          end
          @_name = name
          @_reading = file
          true
        end

        def done
          @_expected = @_reading = nil
          File.send(:remove_method, :set_encoding) if File.method_defined?(:set_encoding, false)
        end

        # Collects what the parser says.
        def listening(said)
          Warning.singleton_class.send(:define_method, :warn) { |text, **| said << text }
          yield
        ensure
          Warning.singleton_class.send(:remove_method, :warn)
        end
      end
    end

    # Arms the loader for files that are loaded later on.
    def self.watch_loads
      files = Loader::FILES
      loader = Loader
      InstructionSequence.singleton_class.send(:define_method, :load_iseq) do |path|
        loader.done
        source = files[path]
        loader.expect(source) if source
        nil
      end
    end
  end
end
