; Captures name hooks (see `HOOKS` in lib.rs); `@opaque` is never edited inside.

(class_specifier body: (_)) @class
(struct_specifier body: (_)) @class
(union_specifier body: (_)) @class
(namespace_definition body: (_)) @class
(enum_specifier body: (_)) @enumeration

(function_definition body: (_) @function)
(lambda_expression body: (_) @function)
(return_statement) @return
(throw_statement) @throw
[(co_yield_statement) (co_await_expression) (co_return_statement)] @wait
(catch_clause) @catch

[
  (expression_statement)
  (declaration)
  (if_statement)
  (switch_statement)
  (while_statement)
  (do_statement)
  (for_statement)
  (for_range_loop)
  (return_statement)
  (co_return_statement)
  (co_yield_statement)
  (throw_statement)
  (break_statement)
  (continue_statement)
  (goto_statement)
] @step

(if_statement) @if
(switch_statement) @switch
(case_statement) @case
[(while_statement) (do_statement) (for_statement) (for_range_loop)] @loop
(labeled_statement) @label
(conditional_expression) @ternary
(binary_expression operator: ["&&" "||" "and" "or"]) @logical

(expression_statement) @output @input
(declaration) @declared
[(assignment_expression) (update_expression)] @write
(call_expression) @call

[
  (preproc_def)
  (preproc_function_def)
  (preproc_call)
  (preproc_include)
  (sizeof_expression)
  (alignof_expression)
  (offsetof_expression)
  (generic_expression)
  (gnu_asm_expression)
  (attribute_specifier)
  (attribute_declaration)
  (alignas_qualifier)
  (enumerator_list)
  (bitfield_clause)
  (static_assert_declaration)
  (template_argument_list)
  (template_parameter_list)
  (decltype)
  (noexcept)
  (requires_clause)
  (requires_expression)
  (concept_definition)
  (trailing_return_type)
  (throw_specifier)
  (explicit_function_specifier)
] @opaque
(preproc_if condition: (_) @opaque)
(preproc_elif condition: (_) @opaque)
(case_statement value: (_) @opaque)
