# A small template engine and a table of results: parsing, blocks, modules, structs, errors, fibers.
require "json"
require "set"
require "stringio"
require "time"

class TemplateError < StandardError
  attr_reader :line

  def initialize(message, line)
    super("line #{line}: #{message}")
    @line = line
  end
end

module Filters
  REGISTRY = {
    "upper" => :upcase.to_proc,
    "join" => ->(list) { list.join(", ") },
    "count" => :size.to_proc,
    "money" => ->(cents) { format("%.2f", cents / 100r) },
  }.freeze

  def filter(name, value, line)
    REGISTRY.fetch(name) { raise TemplateError.new("no filter #{name}", line) }.call(value)
  end
end

class Template
  include Filters

  Node = Struct.new(:kind, :argument, :children, :line, keyword_init: true)

  def initialize(source)
    @root = Node.new(kind: :root, children: [], line: 0)
    stack = [@root]
    source.each_line.with_index(1) do |text, line|
      text.split(/(\{\{.*?\}\}|\{%.*?%\}\n?)/).reject(&:empty?).each { |part| place(part, line, stack) }
    end
    raise TemplateError.new("#{stack.last.kind} is not closed", stack.last.line) if stack.size > 1
  end

  def render(scope, out = StringIO.new)
    walk(@root, scope, out)
    out.string
  end

  private

  def place(part, line, stack)
    node = case part
           when /\A\{\{(.*)\}\}\z/ then Node.new(kind: :value, argument: $1.strip, line: line)
           when /\A\{%\s*each (\w+)\s*%\}\n?\z/ then Node.new(kind: :each, argument: $1, children: [], line: line)
           when /\A\{%\s*if (\w+)\s*%\}\n?\z/ then Node.new(kind: :if, argument: $1, children: [], line: line)
           when /\A\{%\s*end\s*%\}\n?\z/
             raise TemplateError.new("nothing to end", line) if stack.size == 1
             return stack.pop
           else Node.new(kind: :text, argument: part, line: line)
           end
    stack.last.children << node
    stack << node if node.children
  end

  def walk(node, scope, out)
    case node
    in { kind: :text, argument: text } then out << text
    in { kind: :value } then out << evaluate(node, scope)
    in { kind: :each, argument: name, children: }
      scope.fetch(name.to_sym).each { |item| children.each { |child| walk(child, scope.merge(item), out) } }
    in { kind: :if, argument: name, children: }
      children.each { |child| walk(child, scope, out) } if scope[name.to_sym]
    in { kind: :root, children: } then children.each { |child| walk(child, scope, out) }
    end
  end

  def evaluate(node, scope)
    name, *filters = node.argument.split("|").map(&:strip)
    value = scope.fetch(name.to_sym) { raise TemplateError.new("no value #{name}", node.line) }
    filters.reduce(value) { |current, each| filter(each, current, node.line) }
  end
end

data = JSON.parse(<<~DATA, symbolize_names: true)
  {"title": "Invoice", "rows": [
    {"name": "lamp", "price": 1999, "tags": ["new", "blue"]},
    {"name": "desk", "price": 24900, "tags": [], "heavy": true}]}
DATA

puts Template.new(<<~TEXT).render(data)
  {{ title | upper }} ({{ rows | count }})
  {% each rows %}
  - {{ name }}: {{ price | money }} [{{ tags | join }}]
  {% if heavy %}
    needs two people
  {% end %}
  {% end %}
TEXT

["{{ nobody }}", "a\n{{ title | shout }}", "{% each rows %}\n", "x\n{% end %}\n"].each do |source|
  Template.new(source).render(data)
rescue TemplateError => error
  puts "#{error.class} at #{error.line}: #{error.message}"
ensure
  $stdout.flush
end

primes = Enumerator.new { |y| (2..).each { |n| y << n if (2..Integer.sqrt(n)).none? { |d| (n % d).zero? } } }
puts primes.lazy.select { |n| n % 4 == 1 }.first(6).inspect
queue = Queue.new
workers = 3.times.map { |index| Fiber.new { 4.times { |step| Fiber.yield(queue << (index * 4) + step) } } }
4.times { workers.each(&:resume) }
numbers = Array.new(queue.size) { queue.pop }
puts numbers.to_set == (0...12).to_set, numbers.sum, 3 ** 50, Time.iso8601("2024-02-29T12:00:00Z").yday
puts %w[pear fig apple].sort_by { |word| [-word.size, word] }.each_slice(2).to_h { |a, b| [a, b] }
