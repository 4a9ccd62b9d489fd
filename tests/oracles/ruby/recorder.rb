# The oracle: records a program with TracePoint, knowing nothing of tracer.
#
# usage: recorder.rb OUT PROGRAM [ARGS...]
#
# Writes one line per event to OUT, tab-separated, for code of PROGRAM's own file only:
#   line    function  line             a statement is about to run
#   call    function                   a method, block or class body is entered
#   return  function  value            it is left; the value if it is plain
#   raise   line      class            an error comes up
#   set     function  name    value    a local variable has a new plain value
# Plain are integers, floats, short strings, true, false and nil.

OUT_PATH, PROGRAM = ARGV.shift(2)
EVENTS = []
NAMES = Hash.new { |names, depth| names[depth] = {} }
STACK = [:top]

def plain(value)
  case value
  when Integer then value.bit_length < 2000 ? value.to_s : nil
  when Float, true, false then value.to_s
  when nil then "nil"
  when String
    value.instance_of?(String) && value.length <= 60 && value.ascii_only? && value !~ /[^ -~]/ ? value : nil
  end
end

def label(place)
  place.label.sub("<top (required)>", "<main>")
end

def look(point, function)
  known = STACK.last
  known = STACK[-1] = {} unless Hash === known
  scope = point.binding
  scope.local_variables.each do |name|
    next if name.start_with?("_")
    text = plain(scope.local_variable_get(name))
    next if known[name] == text
    # A variable that is not assigned yet reads as nil.
    fresh = !known.key?(name) && text == "nil"
    known[name] = text
    EVENTS << ["set", function, name, text] if text && !fresh
  end
end

ENTERS = %i[call b_call class].freeze
LEAVES = %i[return b_return end].freeze
TRACE = TracePoint.new(:line, :raise, *ENTERS, *LEAVES) do |point|
  next unless point.path == PROGRAM
  place = caller_locations(1, 1).first
  # A handler is a frame of its own to the interpreter, but not to the reader.
  function = label(place).sub(/\A(?:(?:rescue|ensure) in )+/, "")
  # The body of a method made by define_method is called as a block too.
  next if %i[call return].include?(point.event) && function.start_with?("block")
  case point.event
  when :line
    look(point, function)
    EVENTS << ["line", function, point.lineno]
  when :raise
    EVENTS << ["raise", point.lineno, point.raised_exception.class]
  when *ENTERS
    EVENTS << ["call", function]
    STACK.push({})
    look(point, function)
  else
    look(point, function)
    value = point.event == :end ? nil : plain(point.return_value)
    EVENTS << ["return", function, value]
    STACK.pop if STACK.length > 1
  end
end

at_exit do
  TRACE.disable
  File.write(OUT_PATH, EVENTS.map { |event| event.join("\t") }.join("\n") + "\n")
end
$0 = PROGRAM
TRACE.enable
begin
  load PROGRAM
ensure
  TRACE.disable
end
