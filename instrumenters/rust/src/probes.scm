; Captures name hooks (see `HOOKS` in lib.rs); `@opaque` is never edited inside.

(inner_attribute_item) @crate
(struct_item) @type
(enum_item) @type

(function_item) @function
(closure_expression) @closure
(async_block) @future
(closure_expression body: (_) @result)
(block (_) @statement @result)
(return_expression) @return

(if_expression) @if
(let_declaration alternative: (block) @else)
(match_arm) @arm
(binary_expression operator: ["&&" "||"]) @logical
(try_expression) @try
(await_expression) @await
(call_expression) @spawn

[(while_expression) (for_expression) (loop_expression)] @loop
(break_expression) @break

(let_declaration) @let
[(assignment_expression) (compound_assignment_expr)] @write
(expression_statement (call_expression) @change)

[
  (const_item)
  (static_item)
  (const_block)
  (array_type)
  (type_arguments)
  (type_parameters)
  (attribute_item)
  (macro_definition)
  (foreign_mod_item)
  (gen_block)
  (try_block)
  (range_pattern)
] @opaque
(array_expression length: (_) @opaque)
(enum_variant value: (_) @opaque)
