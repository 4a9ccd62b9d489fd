; Captures name hooks (see `HOOKS` in lib.rs); `@opaque` is never edited inside.

[
  (class_declaration) (interface_declaration) (enum_declaration) (record_declaration)
  (object_creation_expression) (enum_constant)
] @class

[
  (method_declaration) (constructor_declaration) (compact_constructor_declaration)
  (lambda_expression)
] @function

(class_body [(static_initializer) (block)] @initialiser)
(enum_body_declarations [(static_initializer) (block)] @initialiser)

[
  (expression_statement) (local_variable_declaration) (if_statement) (while_statement)
  (do_statement) (for_statement) (enhanced_for_statement) (return_statement) (break_statement)
  (continue_statement) (throw_statement) (try_statement) (try_with_resources_statement)
  (switch_expression) (synchronized_statement) (assert_statement) (yield_statement)
  (labeled_statement)
] @step

(if_statement) @if
(switch_expression) @switch
[(while_statement) (do_statement) (for_statement) (enhanced_for_statement)] @loop
(ternary_expression) @ternary
(binary_expression operator: ["&&" "||"]) @logical

(return_statement) @return
(throw_statement) @throw
[(try_statement) (try_with_resources_statement)] @try

(field_declaration) @field
(expression_statement (method_invocation)) @mutation
(local_variable_declaration) @declared
(assignment_expression) @assignment
(update_expression) @update

[
  (annotation) (marker_annotation) (annotation_type_declaration) (modifiers)
  (package_declaration) (import_declaration) (module_declaration) (constant_declaration)
  (template_expression) (string_literal) (switch_label) (assert_statement)
] @opaque
