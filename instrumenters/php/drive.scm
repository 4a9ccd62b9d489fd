; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(function_definition name: (name) @name) @function
(method_declaration name: (name) @name) @function
(class_declaration body: (declaration_list (method_declaration name: (name) @name (#eq? @name "__construct")) @function @constructor))
(method_declaration (static_modifier) @mark)
(method_declaration (visibility_modifier) @mark)
(method_declaration (abstract_modifier) @mark)
(class_declaration name: (name) @name) @class
(class_declaration (abstract_modifier) @mark)
(interface_declaration name: (name) @name) @class
(interface_declaration "interface" @mark)
(trait_declaration name: (name) @name) @class
(trait_declaration "trait" @mark)
[(anonymous_function) (arrow_function)] @function

(formal_parameters (simple_parameter name: (variable_name) @name) @parameter)
(formal_parameters (simple_parameter type: (_) @annotation name: (variable_name) @name) @parameter)
(formal_parameters (simple_parameter name: (variable_name) @name default_value: (_) @default) @parameter)
(formal_parameters (variadic_parameter name: (variable_name) @name) @parameter @rest)
(formal_parameters (property_promotion_parameter name: (variable_name) @name) @parameter)
(formal_parameters (property_promotion_parameter type: (_) @annotation name: (variable_name) @name) @parameter)
(formal_parameters (property_promotion_parameter name: (variable_name) @name default_value: (_) @default) @parameter)

(program [(echo_statement) (for_statement) (foreach_statement) (while_statement) (do_statement) (switch_statement)] @runs)
(program (expression_statement [(function_call_expression function: (_) @_name) (member_call_expression name: (_) @_name) (scoped_call_expression name: (_) @_name) (print_intrinsic) @_name] (#not-any-of? @_name "define" "error_reporting" "ini_set" "set_time_limit" "spl_autoload_register")) @runs)
(program (expression_statement (assignment_expression)) @calls)
(program (if_statement) @calls)
