// Porter's stemmer of English words (Porter, "An algorithm for suffix stripping", 1980), with the
// later changes that NLTK makes by default, since ROUGE is measured with those. Not here: other
// languages.
#pragma once

#include <string>
#include <string_view>

namespace tenfold::eval {

/// The stem of a word of a-z and 0-9 in lower case; words of one or two letters are their own.
std::string porter_stem(std::string_view word);

}  // namespace tenfold::eval
