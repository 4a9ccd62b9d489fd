; Captures name hooks (see `HOOKS` in lib.rs); `@opaque` is never edited inside.

(package_clause) @package
(function_declaration body: (block)) @function
(method_declaration body: (block)) @function
(func_literal body: (block)) @function

[
  (expression_statement)
  (send_statement)
  (inc_statement)
  (dec_statement)
  (assignment_statement)
  (short_var_declaration)
  (var_declaration)
  (return_statement)
  (go_statement)
  (defer_statement)
  (if_statement)
  (for_statement)
  (expression_switch_statement)
  (type_switch_statement)
  (select_statement)
  (fallthrough_statement)
  (break_statement)
  (continue_statement)
  (goto_statement)
] @step

(if_statement) @if
(expression_switch_statement) @switch
(type_switch_statement) @switch
(select_statement) @select
(fallthrough_statement) @fallthrough
(for_statement) @loop
(binary_expression operator: ["&&" "||"]) @logical
(go_statement) @go
(call_expression) @library @call
(var_declaration) @declared
(short_var_declaration) @write
(assignment_statement) @write
(inc_statement) @count
(dec_statement) @count

[
  (const_declaration)
  (type_declaration)
] @opaque
(array_type length: (_) @opaque)
