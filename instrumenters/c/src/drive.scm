; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(translation_unit (function_definition type: (_) @result declarator: (function_declarator declarator: (identifier) @name)) @function)
(translation_unit (function_definition type: (_) @result declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))) @function)
(function_definition declarator: (pointer_declarator) @mark)
(struct_specifier name: (type_identifier) @name body: (_)) @class
(type_definition type: (struct_specifier body: (_)) declarator: (type_identifier) @name) @class
(type_definition type: (struct_specifier name: (_)) declarator: (type_identifier) @name) @class

(function_definition declarator: (function_declarator parameters: (parameter_list (parameter_declaration declarator: (_) @name) @parameter @annotation)))
(function_definition declarator: (pointer_declarator declarator: (function_declarator parameters: (parameter_list (parameter_declaration declarator: (_) @name) @parameter @annotation))))
(function_definition declarator: (function_declarator parameters: (parameter_list (variadic_parameter) @parameter @annotation)))

(function_definition declarator: (function_declarator declarator: (identifier) @entry (#eq? @entry "main")))
