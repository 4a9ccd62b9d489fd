; Behind JavaScript's.

(import_statement (import_require_clause source: (string) @import))
; Types only: nothing of it is there at run time.
((import_statement "type" source: (string)) @optional)
