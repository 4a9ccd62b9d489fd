; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(package_declaration (_) @package)
(method_declaration type: (_) @result name: (identifier) @name) @function
(constructor_declaration name: (identifier) @name) @function @constructor
(method_declaration (modifiers ["public" "private" "protected" "static" "abstract"] @mark))
(constructor_declaration (modifiers ["private"] @mark))
(class_declaration name: (identifier) @name) @class
(interface_declaration name: (identifier) @name) @class
(enum_declaration name: (identifier) @name) @class
(record_declaration name: (identifier) @name) @class
(class_declaration (modifiers ["abstract"] @mark))
(interface_declaration "interface" @mark)
(enum_declaration "enum" @mark)
(record_declaration "record" @mark)
(type_parameters (type_parameter . (_) @generic))

(method_declaration parameters: (formal_parameters (formal_parameter type: (_) @annotation name: (identifier) @name) @parameter))
(constructor_declaration parameters: (formal_parameters (formal_parameter type: (_) @annotation name: (identifier) @name) @parameter))
(method_declaration parameters: (formal_parameters (spread_parameter) @parameter @rest @name))

(method_declaration name: (identifier) @entry (#eq? @entry "main"))
