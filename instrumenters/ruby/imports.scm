; What a file requires; see `tracer_instrument::Imports` for the names of captures.

((call !receiver method: (identifier) @_function arguments: (argument_list . (string) @import))
  (#any-of? @_function "require" "gem"))
((call !receiver method: (identifier) @_function arguments: (argument_list . (string) @import.relative))
  (#any-of? @_function "require_relative" "load"))
((call method: (identifier) @_function arguments: (argument_list (_) . (string) @import))
  (#eq? @_function "autoload"))
((call !receiver method: (identifier) @_function arguments: (argument_list . [(call) (identifier) (binary)] @import.dynamic))
  (#any-of? @_function "require" "require_relative" "load"))

(begin (rescue)) @optional
(if) @conditional
(unless) @conditional
(if_modifier) @conditional
(unless_modifier) @conditional
(rescue_modifier) @optional
(method) @conditional
