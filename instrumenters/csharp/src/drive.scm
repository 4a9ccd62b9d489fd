; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(method_declaration returns: (_) @result name: (identifier) @name) @function
(constructor_declaration name: (identifier) @name) @function @constructor
(method_declaration (modifier) @mark)
(constructor_declaration (modifier) @mark)
(class_declaration name: (identifier) @name) @class
(class_declaration (modifier) @mark)
(struct_declaration name: (identifier) @name) @class
(interface_declaration name: (identifier) @name) @class
(interface_declaration "interface" @mark)
(enum_declaration name: (identifier) @name) @class
(enum_declaration "enum" @mark)
(method_declaration (type_parameter_list (type_parameter name: (identifier) @generic)))
(class_declaration (type_parameter_list (type_parameter name: (identifier) @generic)))
(namespace_declaration name: (_) @package)
(file_scoped_namespace_declaration name: (_) @package)

(method_declaration parameters: (parameter_list (parameter type: (_) @annotation name: (identifier) @name) @parameter))
(constructor_declaration parameters: (parameter_list (parameter type: (_) @annotation name: (identifier) @name) @parameter))

(method_declaration name: (identifier) @entry (#eq? @entry "Main"))
(compilation_unit (global_statement) @runs)
