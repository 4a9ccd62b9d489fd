; Captures name hooks (see `HOOKS` in lib.rs); `@opaque` is never edited inside.

(class_declaration) @type

[
  (function_declaration)
  (init_declaration)
  (deinit_declaration)
  (computed_property)
  (computed_getter)
  (computed_setter)
  (willset_clause)
  (didset_clause)
  (lambda_literal)
] @function

(statements (_) @statement)
(source_file (_) @statement)

(control_transfer_statement) @transfer
(if_statement) @if
(guard_statement) @guard
(switch_statement) @switch
(ternary_expression) @ternary
[(conjunction_expression) (disjunction_expression)] @logical
[(for_statement) (while_statement) (repeat_while_statement)] @loop
(do_statement) @do
(catch_block) @catch
(property_declaration) @declared
[(assignment) (infix_expression)] @write
(call_expression) @call

[
  (attribute)
  (macro_declaration)
  (operator_declaration)
  (precedence_group_declaration)
  (protocol_declaration)
  (computed_modify)
] @opaque
