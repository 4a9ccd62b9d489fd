; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)] @function)
[(arrow_function) (function_expression)] @function
(class_body (method_definition name: (property_identifier) @name) @function)
(class_body (method_definition name: (property_identifier) @name (#eq? @name "constructor")) @function @constructor)
(method_definition "static" @mark)
(method_definition ["get" "set"] @mark)
(method_definition (accessibility_modifier) @mark)
(class_declaration name: (_) @name) @class
(abstract_class_declaration name: (_) @name) @class
(abstract_class_declaration "abstract" @mark)

(formal_parameters (required_parameter pattern: (identifier) @name) @parameter)
(formal_parameters (required_parameter pattern: (identifier) @name type: (type_annotation (_) @annotation)) @parameter)
(formal_parameters (required_parameter pattern: (_) @name value: (_) @default) @parameter)
(formal_parameters (required_parameter pattern: (rest_pattern) @name) @parameter @rest)
(formal_parameters (optional_parameter pattern: (identifier) @name "?" @default) @parameter)
(formal_parameters (optional_parameter pattern: (identifier) @name type: (type_annotation (_) @annotation)) @parameter)
(formal_parameters (required_parameter pattern: [(object_pattern) (array_pattern)] @name) @parameter)
(arrow_function parameter: (identifier) @parameter @name)

(program [(for_statement) (for_in_statement) (while_statement) (do_statement) (throw_statement) (switch_statement) (labeled_statement)] @runs)
(program (expression_statement [(call_expression) (await_expression) (new_expression) (update_expression)] @runs))
(program [(expression_statement (assignment_expression)) (lexical_declaration) (variable_declaration) (export_statement)] @calls)
(program [(if_statement) (try_statement) (statement_block)] @calls)
