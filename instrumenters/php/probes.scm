; What reports. Each capture names a hook of `src/lib.rs`; the hooks look at the context.

(program) @program

; Text with variables in it, and expressions that PHP works out when it compiles.
[(encapsed_string) (heredoc) (shell_command_expression)] @opaque
[(const_declaration) (enum_case) (attribute_list) (declare_directive)] @opaque
(property_element default_value: (_) @opaque)
(static_variable_declaration value: (_) @opaque)
(simple_parameter default_value: (_) @opaque)
(property_promotion_parameter default_value: (_) @opaque)

[
  (expression_statement) (echo_statement) (if_statement) (switch_statement) (for_statement)
  (foreach_statement) (while_statement) (do_statement) (try_statement) (return_statement)
  (break_statement) (continue_statement) (goto_statement) (unset_statement) (global_declaration)
  (function_static_declaration) (exit_statement) (empty_statement)
] @step

[
  (function_definition) (method_declaration) (anonymous_function) (arrow_function) (property_hook)
] @function

[
  (class_declaration) (interface_declaration) (trait_declaration) (enum_declaration)
  (anonymous_class)
] @class

(return_statement) @return

[(for_statement) (foreach_statement) (while_statement) (do_statement)] @loop
(switch_statement) @switch
(match_expression) @match
[
  (if_statement) (else_if_clause) (while_statement) (do_statement) (for_statement)
  (conditional_expression)
] @condition

(assignment_expression) @assignment
(reference_assignment_expression) @reference
(augmented_assignment_expression) @compound
(update_expression) @update
(unset_statement) @unset
(function_static_declaration) @static

(binary_expression operator: ["&&" "||" "and" "or" "??"]) @shortcut

[
  (function_call_expression) (member_call_expression) (scoped_call_expression) (binary_expression)
] @value

(throw_expression) @throw
(catch_clause) @catch
(finally_clause) @finally
(yield_expression) @yield

(function_call_expression) @call
[(member_call_expression) (scoped_call_expression)] @method
[(function_call_expression) (scoped_call_expression) (object_creation_expression)] @library
(name) @name
(echo_statement) @echo
(expression_statement) @tag
(print_intrinsic) @print
(exit_statement) @exit
(text_interpolation) @html
[
  (include_expression) (include_once_expression) (require_expression) (require_once_expression)
] @include
