//! How many tokens a text is at most, without the model's own dictionary.

/// An estimate from above: tokenizers take words and punctuation several bytes at a time, but digits often one by one, and
/// evidence is full of numbers.
pub(crate) fn tokens(text: &str) -> u64 {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits + (text.len() - digits).div_ceil(3)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_count_one_by_one() {
        assert_eq!(tokens(""), 0);
        assert_eq!(tokens("abc"), 1);
        assert_eq!(tokens("12345678"), 8);
    }
}
