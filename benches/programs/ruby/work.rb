# A mixture of everyday work, repeated as often as the argument says.
class Account
  attr_reader :balance

  def initialize(owner, balance)
    @owner = owner
    @balance = balance
    @history = []
  end

  def deposit(amount)
    raise ArgumentError, "nothing to deposit" if amount <= 0

    @balance += amount
    @history.push(amount)
    @balance
  end
end

def insertion_sort(values)
  (1...values.length).each do |index|
    value = values[index]
    place = index
    while place > 0 && values[place - 1] > value
      values[place] = values[place - 1]
      place -= 1
    end
    values[place] = value
  end
  values
end

def count_words(text)
  counts = {}
  text.split.each do |word|
    key = word.delete(".,").downcase
    counts[key] = counts.fetch(key, 0) + 1
  end
  counts
end

def fibonacci(n)
  return n if n < 2

  fibonacci(n - 1) + fibonacci(n - 2)
end

def sieve(limit)
  prime = Array.new(limit, true)
  found = 0
  (2...limit).each do |number|
    next unless prime[number]

    found += 1
    multiple = number * number
    while multiple < limit
      prime[multiple] = false
      multiple += number
    end
  end
  found
end

def one_round(seed)
  state = seed
  values = []
  40.times do
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    values << state % 1000
  end
  ordered = insertion_sort(values)
  counts = count_words("The cat saw the dog. The dog, seeing the cat, ran off.")
  account = Account.new("Ada", 100)
  [5, 20, -1, 7].each do |amount|
    account.deposit(amount)
  rescue ArgumentError => e
    counts[e.message] = amount
  end
  ordered[0] + counts["the"] + account.balance + fibonacci(8) + sieve(120)
end

rounds = (ARGV[0] || 3).to_i
total = 0
rounds.times { |seed| total += one_round(seed) }
puts "total #{total}"
