; Captures name hooks (see `HOOKS` in lib.rs); `@opaque` is never edited inside.

(compilation_unit) @top

[
  (class_declaration) (struct_declaration) (interface_declaration) (record_declaration)
] @type

[
  (method_declaration) (constructor_declaration) (destructor_declaration)
  (operator_declaration) (conversion_operator_declaration) (local_function_statement)
  (accessor_declaration) (property_declaration) (indexer_declaration)
  (lambda_expression) (anonymous_method_expression)
] @function

[
  (expression_statement) (local_declaration_statement) (if_statement) (switch_statement)
  (while_statement) (do_statement) (for_statement) (foreach_statement) (return_statement)
  (break_statement) (continue_statement) (goto_statement) (throw_statement) (try_statement)
  (using_statement) (lock_statement) (fixed_statement) (yield_statement) (checked_statement)
] @step

[(using_statement) (lock_statement) (fixed_statement)] @embedded

(expression_statement) @output
(return_statement) @return
(yield_statement) @yield

(if_statement) @if
(switch_statement) @switch
(switch_section) @section
[(while_statement) (do_statement) (for_statement) (foreach_statement)] @loop
(conditional_expression) @ternary
(binary_expression operator: ["&&" "||"]) @logical

(local_declaration_statement) @declared
(for_statement) @header
(assignment_expression) @assignment
[(prefix_unary_expression) (postfix_unary_expression)] @update

[(throw_statement) (throw_expression)] @throw
(catch_clause) @catch
(await_expression) @await
(object_creation_expression) @creation

[
  (attribute_list) (enum_member_declaration_list) (global_attribute) (base_list)
  (parameter) (preproc_define) (preproc_undef) (preproc_pragma) (preproc_region)
  (preproc_endregion) (preproc_line) (preproc_error) (preproc_warning)
  (constant_pattern) (attribute) (type_parameter_constraints_clause) (sizeof_expression)
  (typeof_expression) (default_expression) (query_expression)
] @opaque
(preproc_if condition: (_) @opaque)
(preproc_elif condition: (_) @opaque)
