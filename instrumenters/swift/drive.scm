; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(source_file (function_declaration name: (simple_identifier) @name) @function)
(source_file (function_declaration name: (simple_identifier) @name name: (_) @result) @function)
(function_declaration (type_parameters (type_parameter (type_identifier) @generic)))
(function_declaration (parameter !external_name (simple_identifier) @name @label . (_) @annotation) @parameter)
(function_declaration (parameter external_name: (simple_identifier) @label . (simple_identifier) @name . (_) @annotation) @parameter)
(function_declaration (modifiers) @mark)

(source_file [(call_expression) (for_statement) (while_statement) (if_statement) (do_statement) (switch_statement) (guard_statement)] @runs)
(source_file (assignment) @runs)
(source_file (property_declaration) @calls)
