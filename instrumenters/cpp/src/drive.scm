; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(function_definition type: (_) @result declarator: (function_declarator declarator: (identifier) @name)) @function
(function_definition type: (_) @result declarator: (reference_declarator (function_declarator declarator: (identifier) @name))) @function
(function_definition type: (_) @result declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))) @function
(function_definition type: (_) @result declarator: (function_declarator declarator: (field_identifier) @name)) @function
(function_definition type: (_) @result declarator: (reference_declarator (function_declarator declarator: (field_identifier) @name))) @function
(function_definition type: (_) @result declarator: (pointer_declarator declarator: (function_declarator declarator: (field_identifier) @name))) @function
(function_definition !type declarator: (function_declarator declarator: (identifier) @name)) @function @constructor
(function_definition declarator: (pointer_declarator) @mark)
(function_definition (storage_class_specifier) @mark)
(class_specifier name: (type_identifier) @name body: (_)) @class
(struct_specifier name: (type_identifier) @name body: (_)) @class
(class_specifier "class" @mark)
(namespace_definition name: (_) @name) @class
(namespace_definition "namespace" @mark)
(namespace_definition !name) @class
(template_declaration parameters: (template_parameter_list (type_parameter_declaration (type_identifier) @generic)) (function_definition) @of)
(template_declaration parameters: (template_parameter_list (type_parameter_declaration (type_identifier) @generic)) [(class_specifier) (struct_specifier)] @of)

(function_definition declarator: (function_declarator parameters: (parameter_list (parameter_declaration declarator: (_) @name) @parameter @annotation)))
(function_definition declarator: (function_declarator parameters: (parameter_list (parameter_declaration !declarator) @parameter @annotation @name)))
(function_definition declarator: (function_declarator parameters: (parameter_list (optional_parameter_declaration declarator: (_) @name default_value: (_) @default) @parameter)))
(function_definition declarator: (_ (function_declarator parameters: (parameter_list (parameter_declaration declarator: (_) @name) @parameter @annotation))))
(function_definition declarator: (function_declarator parameters: (parameter_list (variadic_parameter_declaration) @parameter @annotation @rest)))

(function_definition declarator: (function_declarator declarator: (identifier) @entry (#eq? @entry "main")))
