# frozen_string_literal: true

# Loaded by `ruby -r`, before the program is parsed. Ruby keeps methods and constants in the order in
# which it met their names, and shows them so. The program's names are met first, as without us: this
# file uses none but Ruby's own.
class RubyVM
  value = $VERBOSE
  begin
    $VERBOSE = nil
    # As a module, the interpreter keeps too little room to look through a stack as deep as this one.
    state = GC.disable if RUBY_PLATFORM.start_with?("wasm")
    File.readlines(__dir__ + "/paths", chomp: true).each do |path|
      InstructionSequence.compile(File.binread(path).force_encoding("UTF-8"), path)
    rescue Exception
      nil
    end
    size = Symbol.all_symbols.size
    InstructionSequence.compile(File.read(__dir__ + "/start.rb", encoding: "UTF-8"), __dir__).eval
    # Names that come later keep their order too: tables are sized by powers of two.
    size = (size - Symbol.all_symbols.size) % 1024
    eval(Array.new(size) { |index| ":tracer_#{index}" }.join(";"))
  rescue Exception
    nil
  ensure
    $VERBOSE = value
    GC.enable if state == false
  end
end
