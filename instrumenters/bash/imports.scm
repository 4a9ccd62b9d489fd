; What a script reads in; see `tracer_instrument::Imports` for the names of captures.

((command name: (command_name (word) @_command) . argument: [(word) (string) (raw_string) (concatenation)] @import.relative)
  (#any-of? @_command "source" "."))
((command name: (command_name (word) @_command) . argument: [(simple_expansion) (expansion) (command_substitution)] @import.dynamic)
  (#any-of? @_command "source" "."))

(if_statement) @conditional
(list) @conditional
(function_definition) @conditional
