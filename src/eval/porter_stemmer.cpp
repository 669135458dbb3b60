// The paper's steps 1a to 5b. A word is [C](VC)^m[V] with C and V runs of consonants and vowels;
// m is its measure. Not here: which words are stemmed (rouge.cpp).
#include "eval/porter_stemmer.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace tenfold::eval {
namespace {

/// Of a letter whose neighbour before it is a consonant or not: y is one at the beginning and
/// after a vowel.
bool is_consonant(char letter, bool first, bool after_consonant) {
  switch (letter) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u': return false;
    case 'y': return first || !after_consonant;
    default: return true;
  }
}

bool consonant_at(std::string_view word, size_t i) {
  size_t begin = i;  // of the run of y that decides
  while (begin > 0 && word[begin] == 'y') --begin;
  bool consonant = true;
  for (size_t k = begin; k <= i; ++k) consonant = is_consonant(word[k], k == 0, consonant);
  return consonant;
}

int measure_of(std::string_view word) {
  int measure = 0;
  bool consonant = true;
  for (size_t i = 0; i < word.size(); ++i) {
    const bool before = consonant;
    consonant = is_consonant(word[i], i == 0, before);
    measure += i > 0 && consonant && !before ? 1 : 0;
  }
  return measure;
}

bool has_vowel(std::string_view word) {
  bool consonant = true;
  for (size_t i = 0; i < word.size(); ++i) {
    consonant = is_consonant(word[i], i == 0, consonant);
    if (!consonant) return true;
  }
  return false;
}

/// *o of the paper, and (the later change) two letters that are vowel and consonant.
bool ends_short(std::string_view word) {
  const size_t n = word.size();
  if (n == 2) return !consonant_at(word, 0) && consonant_at(word, 1);
  return n >= 3 && consonant_at(word, n - 3) && !consonant_at(word, n - 2) &&
         consonant_at(word, n - 1) && word[n - 1] != 'w' && word[n - 1] != 'x' &&
         word[n - 1] != 'y';
}

bool ends_double(std::string_view word) {
  const size_t n = word.size();
  return n >= 2 && word[n - 1] == word[n - 2] && consonant_at(word, n - 1);
}

std::string_view without(std::string_view word, std::string_view suffix) {
  return word.substr(0, word.size() - suffix.size());
}

std::string replaced(std::string_view word, std::string_view suffix, std::string_view by) {
  return std::string(without(word, suffix)) + std::string(by);
}

using SuffixRule = std::pair<std::string_view, std::string_view>;

/// The first rule whose suffix fits decides: applied where the measure before it is above
/// `measure`, else the word stays.
std::string by_first_rule(const std::string& word, int measure,
                          std::initializer_list<SuffixRule> rules) {
  for (const auto& [suffix, by] : rules) {
    if (!word.ends_with(suffix)) continue;
    return measure_of(without(word, suffix)) > measure ? replaced(word, suffix, by) : word;
  }
  return word;
}

std::string irregular_stem(std::string_view word) {
  static constexpr std::pair<std::string_view, std::string_view> kForms[] = {
      {"sky", "sky"},         {"skies", "sky"},        {"dying", "die"},
      {"lying", "lie"},       {"tying", "tie"},        {"news", "news"},
      {"innings", "inning"},  {"inning", "inning"},    {"outings", "outing"},
      {"outing", "outing"},   {"cannings", "canning"}, {"canning", "canning"},
      {"howe", "howe"},       {"proceed", "proceed"},  {"exceed", "exceed"},
      {"succeed", "succeed"},
  };
  for (const auto& [form, stem] : kForms) {
    if (form == word) return std::string(stem);
  }
  return "";
}

std::string step_1a(const std::string& word) {
  if (word.size() == 4 && word.ends_with("ies")) return replaced(word, "ies", "ie");
  for (const auto& [suffix, by] : {SuffixRule("sses", "ss"), SuffixRule("ies", "i"),
                                   SuffixRule("ss", "ss"), SuffixRule("s", "")}) {
    if (word.ends_with(suffix)) return replaced(word, suffix, by);
  }
  return word;
}

std::string step_1b(const std::string& word) {
  if (word.ends_with("ied")) return replaced(word, "ied", word.size() == 4 ? "ie" : "i");
  if (word.ends_with("eed")) {
    return measure_of(without(word, "eed")) > 0 ? replaced(word, "eed", "ee") : word;
  }
  std::string stem;
  for (std::string_view suffix : {"ed", "ing"}) {
    if (word.ends_with(suffix) && has_vowel(without(word, suffix))) {
      stem = without(word, suffix);
      break;
    }
  }
  if (stem.empty()) return word;
  if (stem.ends_with("at") || stem.ends_with("bl") || stem.ends_with("iz")) return stem + "e";
  if (ends_double(stem)) {
    const char last = stem.back();
    if (last != 'l' && last != 's' && last != 'z') stem.pop_back();
    return stem;
  }
  return measure_of(stem) == 1 && ends_short(stem) ? stem + "e" : stem;
}

/// The later change: i for y behind a consonant that is not the word's only letter.
std::string step_1c(const std::string& word) {
  const size_t n = word.size();
  if (!word.ends_with('y') || n < 3 || !consonant_at(word, n - 2)) return word;
  return replaced(word, "y", "i");
}

std::string step_2(const std::string& word) {
  if (word.ends_with("alli") && measure_of(without(word, "alli")) > 0)
    return step_2(replaced(word, "alli", "al"));
  static constexpr std::string_view kLogi = "logi";
  if (word.ends_with(kLogi)) {
    // The stem that counts here keeps its l.
    return measure_of(without(word, "ogi")) > 0 ? replaced(word, kLogi, "log") : word;
  }
  return by_first_rule(
      word, 0, {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},   {"anci", "ance"},
                {"izer", "ize"},    {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"},
                {"eli", "e"},       {"ousli", "ous"},   {"ization", "ize"}, {"ation", "ate"},
                {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"}, {"fulness", "ful"},
                {"ousness", "ous"}, {"aliti", "al"},    {"iviti", "ive"},   {"biliti", "ble"},
                {"fulli", "ful"}});
}

std::string step_3(const std::string& word) {
  return by_first_rule(word, 0,
                       {{"icate", "ic"},
                        {"ative", ""},
                        {"alize", "al"},
                        {"iciti", "ic"},
                        {"ical", "ic"},
                        {"ful", ""},
                        {"ness", ""}});
}

std::string step_4(const std::string& word) {
  for (std::string_view suffix :
       {"al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion",
        "ou", "ism", "ate", "iti", "ous", "ive", "ize"}) {
    if (!word.ends_with(suffix)) continue;
    const std::string_view stem = without(word, suffix);
    const bool fits = suffix != "ion" || stem.ends_with('s') || stem.ends_with('t');
    return fits && measure_of(stem) > 1 ? std::string(stem) : word;
  }
  return word;
}

std::string step_5(std::string word) {
  if (word.ends_with('e')) {
    const std::string_view stem = without(word, "e");
    const int measure = measure_of(stem);
    if (measure > 1 || (measure == 1 && !ends_short(stem))) word.pop_back();
  }
  if (word.ends_with("ll") && measure_of(without(word, "l")) > 1) word.pop_back();
  return word;
}

}  // namespace

std::string porter_stem(std::string_view word) {
  if (std::string known = irregular_stem(word); !known.empty()) return known;
  if (word.size() <= 2) return std::string(word);
  return step_5(step_4(step_3(step_2(step_1c(step_1b(step_1a(std::string(word))))))));
}

}  // namespace tenfold::eval
