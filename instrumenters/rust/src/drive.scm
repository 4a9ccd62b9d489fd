; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(source_file (function_item name: (identifier) @name) @function)
(source_file (function_item name: (identifier) @name return_type: (_) @result) @function)
(source_file (impl_item !trait type: (_) @name) @class)
(source_file (impl_item !trait body: (declaration_list (function_item name: (identifier) @name) @function)))
(source_file (impl_item !trait body: (declaration_list (function_item name: (identifier) @name return_type: (_) @result) @function)))
(source_file (impl_item !trait body: (declaration_list (function_item name: (identifier) @name (#eq? @name "new") return_type: (_) @result) @function @constructor)))
(function_item parameters: (parameters (self_parameter) @mark))
(function_item (function_modifiers) @mark)
(function_item type_parameters: (type_parameters (type_parameter name: (_) @generic)))
(impl_item type_parameters: (type_parameters (type_parameter name: (_) @generic)))

(function_item parameters: (parameters (parameter pattern: (_) @name type: (_) @annotation) @parameter))

(source_file (function_item name: (identifier) @entry (#eq? @entry "main")))
