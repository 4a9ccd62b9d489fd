# Runs a program under TracePoint: each line with the locals that changed, calls, returns.
#
# Arguments: where to write, the program, its rounds, and `lines` to leave the locals out. Text is
# only made for what changed, and is written in large pieces.
OUT, PROGRAM, ROUNDS = ARGV.shift(3)
VALUES = !ARGV.include?("lines")
WRITTEN = []
FILE = File.open(OUT, "w")
KNOWN = [{}]

def flush
  FILE.write(WRITTEN.join)
  WRITTEN.clear
end

def changes(scope, known)
  scope.local_variables.each do |name|
    value = scope.local_variable_get(name)
    text = value.inspect[0, 100]
    next if known[name] == text
    known[name] = text
    WRITTEN << " #{name}=#{text}"
  end
end

trace = TracePoint.new(:line, :call, :b_call, :return, :b_return) do |point|
  next unless point.path == PROGRAM
  case point.event
  when :line
    WRITTEN << "\n#{point.lineno}"
    changes(point.binding, KNOWN.last) if VALUES
  when :call, :b_call
    KNOWN.push({})
    WRITTEN << "\n> #{point.method_id}"
    changes(point.binding, KNOWN.last) if VALUES
  else
    KNOWN.pop if KNOWN.length > 1
    WRITTEN << (VALUES ? "\n< #{point.return_value.inspect[0, 100]}" : "\n<")
  end
  flush if WRITTEN.length > 100_000
end
ARGV.replace([ROUNDS])
trace.enable
load PROGRAM
trace.disable
flush
