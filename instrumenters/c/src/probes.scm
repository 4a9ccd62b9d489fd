; Captures name hooks (see `HOOKS` in lib.rs); `@opaque` is never edited inside.

(struct_specifier body: (_)) @definition
(union_specifier body: (_)) @definition
(enum_specifier body: (_)) @definition

(function_definition body: (compound_statement) @function @frame)
; Definitions without a type: the parser cannot join head and body.
(translation_unit (compound_statement) @function @frame)
(preproc_ifdef (compound_statement) @function @frame)
(preproc_if (compound_statement) @function @frame)
(preproc_else (compound_statement) @function @frame)
(return_statement) @return

[
  (expression_statement)
  (declaration)
  (if_statement)
  (switch_statement)
  (while_statement)
  (do_statement)
  (for_statement)
  (return_statement)
  (break_statement)
  (continue_statement)
  (goto_statement)
] @step

(if_statement) @if
(switch_statement) @switch
(case_statement) @case
[(while_statement) (do_statement) (for_statement)] @loop
(labeled_statement) @label
(conditional_expression) @ternary
(binary_expression operator: ["&&" "||"]) @logical

(expression_statement) @output
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
  (macro_type_specifier)
  (enumerator_list)
  (field_declaration_list)
  (bitfield_clause)
] @opaque
(preproc_if condition: (_) @opaque)
(preproc_elif condition: (_) @opaque)
(case_statement value: (_) @opaque)
