; What a file uses and includes; see `tracer_instrument::Imports` for the names of captures.

(namespace_use_declaration . (namespace_use_clause [(name) (qualified_name)] @import))
(namespace_use_declaration (namespace_use_clause [(name) (qualified_name)] @import))
(namespace_use_declaration (namespace_name) @import body: (_))
(namespace_definition name: (_) @own)

(include_expression [(string) (encapsed_string)] @import.relative)
(include_once_expression [(string) (encapsed_string)] @import.relative)
(require_expression [(string) (encapsed_string)] @import.relative)
(require_once_expression [(string) (encapsed_string)] @import.relative)
; `__DIR__ . '/name.php'`
(include_expression (binary_expression right: (string) @import.relative))
(include_once_expression (binary_expression right: (string) @import.relative))
(require_expression (binary_expression right: (string) @import.relative))
(require_once_expression (binary_expression right: (string) @import.relative))
(include_expression (parenthesized_expression (_) @import.relative))
(include_once_expression (parenthesized_expression (_) @import.relative))
(require_expression (parenthesized_expression (_) @import.relative))
(require_once_expression (parenthesized_expression (_) @import.relative))
(include_expression [(variable_name) (function_call_expression)] @import.dynamic)
(require_expression [(variable_name) (function_call_expression)] @import.dynamic)
(require_once_expression [(variable_name) (function_call_expression)] @import.dynamic)

(try_statement) @optional
(if_statement) @conditional
(function_definition) @conditional
(method_declaration) @conditional
