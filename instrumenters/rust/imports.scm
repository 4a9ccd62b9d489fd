; What a file uses; see `tracer_instrument::Imports` for the names of captures.

(use_declaration argument: (_) @import)
(use_declaration argument: (use_list (_) @import))
(extern_crate_declaration name: (identifier) @import)
; Modules and types are names that `use` may begin with.
(mod_item name: (identifier) @defined)
(enum_item name: (type_identifier) @defined)
(struct_item name: (type_identifier) @defined)
(trait_item name: (type_identifier) @defined)
(type_item name: (type_identifier) @defined)

((attribute_item (attribute (identifier) @_name)) . [(use_declaration) (extern_crate_declaration) (mod_item)] @conditional
  (#eq? @_name "cfg"))
