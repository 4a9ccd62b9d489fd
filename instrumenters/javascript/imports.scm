; What a file imports; see `tracer_instrument::Imports` for the names of captures.

(import_statement source: (string) @import)
(export_statement source: (string) @import)
((call_expression
  function: (identifier) @_function
  arguments: (arguments . (string) @import))
  (#eq? @_function "require"))
((call_expression
  function: (member_expression) @_function
  arguments: (arguments . (string) @import))
  (#any-of? @_function "require.resolve" "module.require"))
((call_expression
  function: (identifier) @_function
  arguments: (arguments . [(identifier) (binary_expression) (template_string) (member_expression) (call_expression)] @import.dynamic))
  (#eq? @_function "require"))
(call_expression
  function: (import)
  arguments: (arguments . (_) @import.dynamic))

(try_statement body: (statement_block) @optional)
(if_statement) @conditional
(ternary_expression) @conditional
(function_declaration) @conditional
(arrow_function) @conditional
(function_expression) @conditional
(method_definition) @conditional
