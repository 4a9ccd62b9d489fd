; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(function_definition name: (identifier) @name) @function
(class_definition body: (block (function_definition name: (identifier) @name (#eq? @name "__init__")) @function @constructor))
(class_definition body: (block (decorated_definition definition: (function_definition name: (identifier) @name (#eq? @name "__init__")) @function @constructor)))
(class_definition name: (identifier) @name) @class
(class_definition superclasses: (argument_list (identifier) @mark))
(class_definition superclasses: (argument_list (attribute) @mark))

(parameters (identifier) @parameter @name)
(parameters (typed_parameter . (identifier) @name type: (type) @annotation) @parameter)
(parameters (default_parameter name: (identifier) @name value: (_) @default) @parameter)
(parameters (typed_default_parameter name: (identifier) @name type: (type) @annotation value: (_) @default) @parameter)
(parameters (list_splat_pattern) @parameter @name @rest)
(parameters (dictionary_splat_pattern) @parameter @name @rest)
(parameters (typed_parameter . (list_splat_pattern) @name) @parameter @rest)
(parameters (typed_parameter . (dictionary_splat_pattern) @name) @parameter @rest)
(parameters (keyword_separator) @parameter @name @rest)
((parameters . (identifier) @receiver) (#any-of? @receiver "self" "cls"))

(function_definition return_type: (type) @result) @function
(function_definition "async" @mark)

(module [(for_statement) (while_statement) (with_statement) (raise_statement) (match_statement) (delete_statement)] @runs)
(module (expression_statement [(call) (await) (list_comprehension) (yield)] @runs))
(module (expression_statement (assignment) @calls))
(module [(assert_statement) (try_statement)] @calls)
(module (if_statement condition: (_) @_condition (#not-match? @_condition "TYPE_CHECKING|version|platform|^sys")) @runs)
(module (if_statement) @calls)
