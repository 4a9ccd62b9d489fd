//! A mixture of everyday work, repeated as often as the argument says.

struct Account {
    owner: String,
    balance: i64,
    deposits: u32,
}

impl Account {
    fn deposit(&mut self, amount: i64) -> Result<i64, String> {
        if amount <= 0 {
            return Err(format!("{} gave nothing", self.owner));
        }
        self.balance += amount;
        self.deposits += 1;
        Ok(self.balance)
    }
}

fn insertion_sort(values: &mut [u32]) {
    for index in 1..values.len() {
        let value = values[index];
        let mut place = index;
        while place > 0 && values[place - 1] > value {
            values[place] = values[place - 1];
            place -= 1;
        }
        values[place] = value;
    }
}

fn count_words(text: &str) -> usize {
    let mut words = 0;
    let mut inside = false;
    for byte in text.bytes() {
        if byte == b' ' {
            inside = false;
        } else if !inside {
            inside = true;
            words += 1;
        }
    }
    words
}

fn fibonacci(n: u32) -> u32 {
    if n < 2 {
        return n;
    }
    fibonacci(n - 1) + fibonacci(n - 2)
}

fn sieve(limit: usize) -> usize {
    let mut prime = [true; 128];
    let mut found = 0;
    for number in 2..limit {
        if !prime[number] {
            continue;
        }
        found += 1;
        let mut multiple = number * number;
        while multiple < limit {
            prime[multiple] = false;
            multiple += number;
        }
    }
    found
}

fn one_round(seed: u32) -> i64 {
    let mut state = seed;
    let mut values = [0; 40];
    for value in &mut values {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12345) % 2_147_483_648;
        *value = state % 1000;
    }
    insertion_sort(&mut values);
    let mut account = Account { owner: "Ada".into(), balance: 100, deposits: 0 };
    let mut refused = 0;
    for amount in [5, 20, -1, 7] {
        if account.deposit(amount).is_err() {
            refused += 1;
        }
    }
    let words = count_words("The cat saw the dog. The dog, seeing the cat, ran off.");
    let rest = refused + i64::from(account.deposits) + i64::from(fibonacci(8));
    i64::from(values[0]) + account.balance + rest + (sieve(120) + words) as i64
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut total = 0;
    for seed in 0..rounds {
        total += one_round(seed);
    }
    println!("total {total}");
}
