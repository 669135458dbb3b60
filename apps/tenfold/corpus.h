// The text a command reads: files, or one of WordNet's tasks written to a scratch folder.
// Not here: cutting into documents (data/readers.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "data/readers.h"

namespace tenfold::app {

struct CorpusArguments {
  std::vector<std::filesystem::path> input;
  std::string task;
  std::filesystem::path wordnet;
  std::string layout = "auto";
  data::ReaderOptions reader;
};

/// The task that is text; the others are labelled rows.
inline constexpr const char* kTextTask = "wordnet-text";

/// --input, --task, --wordnet, --layout, --text-key, --skip-bad. `tasks`: help of --task.
void add_corpus_arguments(CLI::App& command, CorpusArguments& arguments, const std::string& tasks);

/// Names of every task made from WordNet.
std::vector<std::string> wordnet_tasks();

/// Error{usage} unless exactly one of --input and --task is given and the task is one of `tasks`.
void check_corpus(const CorpusArguments& arguments, const std::vector<std::string>& tasks);

/// The reader of the corpus; a wordnet-text task is written below `scratch` first.
data::DocumentReader open_corpus(CorpusArguments arguments, const std::filesystem::path& scratch);

}  // namespace tenfold::app
