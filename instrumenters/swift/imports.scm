; What a file imports; see `tracer_instrument::Imports` for the names of captures.

(import_declaration (identifier) @import)
