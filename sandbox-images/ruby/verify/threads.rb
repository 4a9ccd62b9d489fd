# Threads that fill a queue, which a module has not.
require "set"

queue = Queue.new
workers = 3.times.map { |index| Thread.new { 4.times { |step| queue << (index * 4) + step } } }
workers.each(&:join)
numbers = Array.new(queue.size) { queue.pop }
puts numbers.to_set == (0...12).to_set, numbers.sum
