; What reports. Each capture names a hook of `src/lib.rs`; the hooks look at the context.

(program) @program

; Looking up a probe's name here would ask the object, which can be a proxy.
(with_statement body: (_) @opaque)

[
  (expression_statement) (variable_declaration) (lexical_declaration) (using_declaration)
  (if_statement) (switch_statement) (for_statement) (for_in_statement) (while_statement)
  (do_statement) (try_statement) (with_statement) (break_statement) (continue_statement)
  (return_statement) (throw_statement) (labeled_statement) (class_declaration)
  (debugger_statement) (export_statement) (statement_block) (empty_statement)
] @step

[
  (function_declaration) (function_expression) (generator_function_declaration)
  (generator_function) (arrow_function) (method_definition) (class_static_block)
] @function

[(class_declaration) (class)] @class

(return_statement) @return

(variable_declarator) @declarator
(assignment_expression) @assignment
(augmented_assignment_expression) @compound
(update_expression) @update
(unary_expression operator: "delete") @delete
(field_definition) @field

[(if_statement) (while_statement) (do_statement) (for_statement) (ternary_expression)] @condition
(binary_expression operator: ["&&" "||" "??"]) @shortcut
(switch_statement) @switch

[(for_statement) (for_in_statement) (while_statement) (do_statement)] @loop

(throw_statement) @throw
(catch_clause) @catch
(finally_clause) @finally

[(await_expression) (yield_expression)] @suspension
[(break_statement) (continue_statement)] @jump

(call_expression function: (member_expression)) @change
[(call_expression) (new_expression)] @call
