; What a file includes; see `tracer_instrument::Imports` for the names of captures.

(preproc_include path: (system_lib_string) @import)
(preproc_include path: (string_literal) @import.quoted)
(preproc_include path: [(identifier) (call_expression)] @import.dynamic)

(preproc_if) @conditional
; Not the guard around a header.
(preproc_ifdef "#ifdef") @conditional
(preproc_else) @conditional
