; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(package_clause (package_identifier) @package)
(function_declaration name: (identifier) @name) @function
(function_declaration name: (identifier) @name result: (_) @result) @function
(function_declaration type_parameters: (type_parameter_list (type_parameter_declaration name: (identifier) @generic)))
(method_declaration receiver: (_) @mark)
(type_spec name: (type_identifier) @name type: (struct_type)) @class
(type_spec type_parameters: (type_parameter_list (type_parameter_declaration name: (identifier) @generic)))

(function_declaration parameters: (parameter_list (parameter_declaration name: (identifier) @parameter @name type: (_) @annotation)))
(function_declaration parameters: (parameter_list (variadic_parameter_declaration name: (identifier) @name type: (_) @annotation) @parameter @rest))
(function_declaration parameters: (parameter_list (parameter_declaration !name type: (_) @annotation) @parameter))

(function_declaration name: (identifier) @entry (#eq? @entry "main"))
