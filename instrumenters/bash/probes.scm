; Captures name hooks of this crate; the order of hooks at one node is that of `SPEC.hooks`.

(program) @script

(function_definition) @function
(if_statement) @if
(elif_clause) @elif
(while_statement) @while
[(for_statement) (c_style_for_statement)] @for
(case_statement) @case
(list) @list

[
  (command) (declaration_command) (unset_command) (test_command)
  (variable_assignment) (variable_assignments)
  (pipeline) (list) (redirected_statement) (negated_command)
  (if_statement) (while_statement) (for_statement) (c_style_for_statement) (case_statement)
  (compound_statement) (subshell)
] @statement

; Quoting has rules of its own inside a here-document.
(heredoc_body) @opaque
