//! Counting tokens as a language model's tokenizer does.

use std::sync::LazyLock;

use tiktoken_rs::CoreBPE;

/// The tokenizer's name, for the dataset card.
pub(crate) const NAME: &str = "o200k_base";

/// The tokenizer. Its table is compiled in, and unpacked when it is first asked.
pub(crate) struct Tokens {
    encoder: LazyLock<CoreBPE>,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        Self {
            encoder: LazyLock::new(|| {
                tiktoken_rs::o200k_base().expect("the table that is compiled in is whole")
            }),
        }
    }

    pub(crate) fn count(&self, text: &str) -> usize {
        self.encoder.encode_ordinary(text).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_published_vocabulary() {
        let tokens = Tokens::new();
        assert_eq!(tokens.count(""), 0);
        assert_eq!(tokens.count("hello world"), 2);
        assert_eq!(tokens.count("tiktoken is great!"), 6);
    }
}
