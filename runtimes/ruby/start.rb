# frozen_string_literal: true

# Starts the emitter. The interpreter then parses the instrumented text under the original's name
# (see `loader.rb`): there is no frame of ours below the program's. Where anything goes wrong here,
# the original runs untraced.
#
# All of it lives in a module that is taken out of sight again; `RubyVM::T`, `N` and `L` stay, which
# the inserted text names.
class RubyVM
  module Tracing
    # Found from within even when it is out of sight.
    Tracing = self
    FOLDER = File.dirname(caller_locations(0, 1)[0].path + "/.")
    begin
      ENV.delete("RUBY_THREAD_VM_STACK_SIZE")
      ENV.delete("RUBY_FIBER_VM_STACK_SIZE")
      ENV.delete("TRACER_CHANNEL")
      %w[channel values objects recorder probes calls frames muting errors tasks loader surface].each do |name|
        text = File.read("#{FOLDER}/#{name}.rb", encoding: "UTF-8")
        InstructionSequence.compile(text, "<tracer>", nil, 1).eval
      end
      plan = eval(File.read("#{FOLDER}/plan.rb", encoding: "UTF-8"), TOPLEVEL_BINDING.dup, "<tracer>")
      begin_tracing(plan)
    rescue Exception
      # Nothing of ours may reach the program: it runs as it is.
      nil
    end
  end
  send(:remove_const, :Tracing)
end
