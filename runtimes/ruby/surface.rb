# frozen_string_literal: true

# Joins the emitter to what a process does besides computing: output, ends, forks, and the part of
# error messages that quotes source text.
class RubyVM
  module Tracing
    def self.begin_tracing(plan)
      sources = plan[:files].map { |given| Source.new(given) }
      main = sources.first
      texts = sources.map { |source| File.binread(source.text) }
      channel = Channel.new(plan[:channel])
      Loader.exchanges = !(String === plan[:channel])
      sources.each do |source|
        source.inner.each_slice(3) do |first, last, home|
          INNER[first] = last
          HOME[first] = home
        end
        source.homes.each_slice(3) do |home, first, count|
          FUNCTION.fill(home, first, count)
        end
        PATHS[source.path] = true
        Loader::FILES[source.path] = source
      end
      PATHS[plan[:given]] = true
      recorder = Recorder.new(channel)
      alive = texts.any? { |text| ALIVE.match?(text) }
      recorder.extend(Aloof) if alive
      channel.share if texts.any? { |text| FORKS.match?(text) }
      several = Fiber.respond_to?(:current) && texts.any? { |text| SEVERAL.match?(text) }
      front = several ? Front.new(channel, recorder) : recorder
      RubyVM.const_set(:T, front)
      # Where the text is not to count by itself, it never gets above zero.
      own = several || alive
      RubyVM.const_set(:N, own ? Array.new(channel.slots, 0) : recorder.counts)
      RubyVM.const_set(:L, own ? [] : recorder.lasts)
      output(STDOUT, 1, front)
      output(STDERR, 2, front)
      forks(front) if channel.shared?
      quotes(sources, plan[:given])
      watch_loads if sources.length > 1
      loaded = "#{FOLDER}/emitter.rb"
      at_exit { front.finish($!) }
      expect_main(main, loaded)
    end

    # The interpreter notes that it has loaded the emitter when that is over.
    def self.expect_main(main, own)
      Loader.expect(main)
      check = main.method(:fit?)
      main.define_singleton_method(:fit?) do |file|
        $LOADED_FEATURES.delete(own)
        check.call(file)
      end
    end

    # Tells of what is written, by a method of the stream's own.
    def self.output(io, number, front)
      io.singleton_class.class_eval do
        define_method(:write) do |*xs|
          size = super(*xs)
          xs.each { |text| front.output(number, text) if String === text }
          size
        end
      end
    rescue FrozenError
      nil
    end

    # `fork` in all its forms goes through this, from Ruby 3.1 on.
    def self.forks(front)
      return unless Process.respond_to?(:_fork)
      children = 0
      Process.singleton_class.prepend(Module.new do
        define_method(:_fork) do
          children += 1
          front.task(0, "process", 0) if front.respond_to?(:task)
          child = super()
          front.forked(children) if child == 0
          child
        end
      end)
    end

    # `error_highlight` quotes the line it finds in the instrumented text: it is given the original's.
    def self.quotes(sources, given)
      return unless defined?(::ErrorHighlight) && ::ErrorHighlight.respond_to?(:spot)
      ::ErrorHighlight.singleton_class.prepend(Module.new do
        define_method(:spot) do |about, **named|
          node = Tracing.place_of(about, named, sources, given)
          found = node ? super(node, **Tracing.kind_of_place(about, named)) : super(about, **named)
          found && Tracing.quote(sources, found)
        end
      end)
    end

    # From Ruby 3.2 on a place in the program is a number, which `error_highlight` looks up in the
    # file: here it is looked up in the text that was parsed.
    def self.place_of(about, named, sources, given)
      verbose = $VERBOSE
      trees = ::RubyVM::AbstractSyntaxTree
      return unless Exception === about && trees.respond_to?(:node_id_for_backtrace_location)
      location = named[:backtrace_location] || LOCATIONS.bind_call(about)&.first
      return unless Thread::Backtrace::Location === location
      path = location.absolute_path
      source = path && sources.find { |each| each.path == path }
      source ||= sources.first if location.path == given
      return unless source && source.taken?
      $VERBOSE = nil
      number = trees.node_id_for_backtrace_location(location)
      text = File.read(source.text, encoding: "UTF-8")
      open = [trees.parse(text, keep_script_lines: true)]
      while (node = open.pop)
        if node.node_id == number
          # A file that loads itself is run as it is, the second time.
          return (node.first_lineno..node.last_lineno).cover?(location.lineno) ? node : nil
        end
        open.concat(node.children.grep(trees::Node))
      end
    rescue StandardError, SyntaxError
      nil
    ensure
      $VERBOSE = verbose
    end

    # What `error_highlight` makes of the error itself, once it has a place.
    def self.kind_of_place(about, named)
      kind = { point_type: named.fetch(:point_type, :name) }
      return kind if named[:backtrace_location]
      kind[:point_type] = :args if TypeError === about || ArgumentError === about
      kind[:name] = about.name if NameError === about
      kind
    end

    def self.quote(sources, found)
      line = found[:first_lineno]
      source = sources.find do |each|
        each.lines[line - 1]&.delete_suffix("\n") == found[:snippet].delete_suffix("\n")
      end
      return found unless source
      start = source.lines.first(line - 1).sum(&:bytesize)
      original = File.read(source.path, encoding: "UTF-8").lines[line - 1]
      base = source.original_offset(start)
      first = source.original_offset(start + found[:first_column]) - base
      last = source.original_offset(start + found[:last_column]) - base
      found.merge(first_column: first, last_column: last, snippet: "#{original.delete_suffix("\n")}\n")
    end

    class Source
      def lines
        @_lines ||= File.read(text, encoding: "UTF-8").lines
      end
    end
  end
end
