; What a file imports; see `tracer_instrument::Imports` for the names of captures.

(import_statement name: (dotted_name) @import)
(import_statement name: (aliased_import name: (dotted_name) @import))
(import_from_statement module_name: (dotted_name) @import)
(import_from_statement module_name: (relative_import) @import.relative)
; `__future__` is a statement of its own in the grammar, and part of the language.

((call
  function: [(identifier) (attribute)] @_function
  arguments: (argument_list . (_) @import.dynamic))
  (#any-of? @_function "__import__" "importlib.import_module" "import_module" "pytest.importorskip"))

; An import that may fail: the `try` catches.
(try_statement body: (block) @optional (except_clause))
(except_clause) @optional
(if_statement) @conditional
(function_definition) @conditional
