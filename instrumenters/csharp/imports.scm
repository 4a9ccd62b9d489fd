; What a file uses; see `tracer_instrument::Imports` for the names of captures.

(using_directive !name [(qualified_name) (identifier)] @import)
(using_directive name: (_) (qualified_name) @import.member)
(using_directive "static" [(qualified_name) (identifier)] @import.member)
(namespace_declaration name: (_) @own)
(file_scoped_namespace_declaration name: (_) @own)
