; What a file imports; see `tracer_instrument::Imports` for the names of captures.

(import_declaration (scoped_identifier) @import)
(import_declaration "static" (scoped_identifier) @import.member)
(package_declaration [(scoped_identifier) (identifier)] @own)
((method_invocation
  object: (identifier) @_class
  name: (identifier) @_function
  arguments: (argument_list . (string_literal) @import.dynamic))
  (#eq? @_class "Class")
  (#eq? @_function "forName"))
