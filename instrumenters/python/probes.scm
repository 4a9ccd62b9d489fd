; Captures name hooks of this crate; the order of hooks at one node is that of `SPEC.hooks`.

(module) @module

[
  (assert_statement) (break_statement) (continue_statement) (delete_statement)
  (expression_statement) (import_from_statement) (import_statement) (pass_statement)
  (raise_statement) (return_statement) (type_alias_statement)
  (class_definition) (decorated_definition) (for_statement) (function_definition)
  (if_statement) (match_statement) (try_statement) (while_statement) (with_statement)
] @statement

(function_definition) @function
(class_definition) @class
(lambda) @lambda

(expression_statement [(assignment) (augmented_assignment)] @assignment)
(named_expression) @walrus
(delete_statement) @delete
[(import_statement) (import_from_statement)] @import
(type_alias_statement) @type_alias

(if_statement) @if
(elif_clause) @elif
(while_statement) @while
(for_statement) @for
(match_statement) @match
(assert_statement) @assert
(conditional_expression) @ternary
[(list_comprehension) (set_comprehension) (dictionary_comprehension)
 (generator_expression)] @comprehension

(with_statement) @with
(return_statement) @return
(raise_statement) @raise
(except_clause) @except
(finally_clause) @finally
(yield) @yield
(await) @await
(expression_statement (call) @mutation)

; Calls into libraries.
(call) @call

; Values on their way, at the highest detail only.
[(call) (binary_operator) (subscript) (attribute) (boolean_operator)] @expression

; Source text that the program can see again: `f"{x=}"`, annotations kept as strings.
(interpolation) @opaque
(type) @opaque
