//! Finding a bank by the words a person types.

/// The words of a text in the one form that is compared: small letters and digits without accents.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        fold(character, &mut folded);
    }
    folded.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// How well an entry's words answer the wanted ones: for each, 3 for a whole word, 2 for the beginning of
/// one, 1 for a part of one. `None` when one of them is not there, or none is wanted.
pub(super) fn score(wanted: &[String], words: &[String]) -> Option<u32> {
    let best = |wanted: &String| {
        words
            .iter()
            .filter_map(|word| match word {
                word if word == wanted => Some(3),
                word if word.starts_with(wanted.as_str()) => Some(2),
                word if word.contains(wanted.as_str()) => Some(1),
                _ => None,
            })
            .max()
    };
    if wanted.is_empty() { None } else { wanted.iter().map(best).sum() }
}

/// Appends the character's plain form: the letters of French (and their neighbours') without accents,
/// nothing for a combining accent, and a blank for what separates words. These few lines replace a Unicode
/// normalisation crate: the texts compared are the names of the directory.
fn fold(character: char, folded: &mut String) {
    let plain = match character {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
        'ç' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => "o",
        'ù' | 'ú' | 'û' | 'ü' => "u",
        'ý' | 'ÿ' => "y",
        'æ' => "ae",
        'œ' => "oe",
        '\u{300}'..='\u{36f}' => "",
        letter if letter.is_alphanumeric() => return folded.push(letter),
        _ => " ",
    };
    folded.push_str(plain);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn accents_case_and_punctuation_do_not_count() {
        assert_eq!(all("Caisse d'Épargne Île-de-France"), ["caisse", "d", "epargne", "ile", "de", "france"]);
        assert_eq!(all("E\u{301}PARGNE"), ["epargne"]);
        assert_eq!(all("Sœur, ŒUVRE"), ["soeur", "oeuvre"]);
        assert!(all(" -’ ").is_empty());
    }

    #[test]
    fn whole_words_count_most() {
        let entry = all("Banque Populaire du Nord");
        assert_eq!(score(&all("nord"), &entry), Some(3));
        assert_eq!(score(&all("pop nord"), &entry), Some(5));
        assert_eq!(score(&all("anque"), &entry), Some(1));
        assert_eq!(score(&all("nord sud"), &entry), None);
        assert_eq!(score(&[], &entry), None);
    }
}
