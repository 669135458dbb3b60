// Options of corpora.
// Not here: readers.
#include "corpus.h"

#include <algorithm>

#include "data/wordnet.h"
#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::app {

void add_corpus_arguments(CLI::App& command, CorpusArguments& arguments, const std::string& tasks) {
  arguments.wordnet = data::kWordNetFolder;
  command.add_option("--input", arguments.input,
                     "text or JSON lines, also .gz and .zst; - is standard input");
  command.add_option("--task", arguments.task, tasks);
  command.add_option("--wordnet", arguments.wordnet, "folder of WordNet's data files")
      ->capture_default_str();
  command.add_option("--layout", arguments.layout, "where documents end")
      ->check(CLI::IsMember({"auto", "line", "paragraph", "wikiextractor", "jsonl"}))
      ->capture_default_str();
  command.add_option("--text-key", arguments.reader.text_key, "key of the text in JSON lines")
      ->capture_default_str();
  command.add_flag("--skip-bad", arguments.reader.skip_bad,
                   "count bad rows instead of refusing them");
}

std::vector<std::string> wordnet_tasks() {
  std::vector<std::string> names;
  for (const std::string& kind : data::wordnet_task_kinds()) names.push_back("wordnet-" + kind);
  return names;
}

void check_corpus(const CorpusArguments& arguments, const std::vector<std::string>& tasks) {
  require(arguments.input.empty() != arguments.task.empty(), ErrorKind::usage, "corpus",
          "give either --input FILE... or --task {}", join(tasks, " | "));
  require(arguments.task.empty() ||
              std::find(tasks.begin(), tasks.end(), arguments.task) != tasks.end(),
          ErrorKind::usage, "corpus", "unknown task '{}': expected {}{}", arguments.task,
          join(tasks, ", "), did_you_mean(arguments.task, tasks));
}

data::DocumentReader open_corpus(CorpusArguments arguments, const std::filesystem::path& scratch) {
  using data::TextLayout;
  arguments.reader.layout = arguments.layout == "line"            ? TextLayout::line
                            : arguments.layout == "paragraph"     ? TextLayout::paragraph
                            : arguments.layout == "wikiextractor" ? TextLayout::wikiextractor
                            : arguments.layout == "jsonl"         ? TextLayout::jsonl
                                                                  : TextLayout::automatic;
  if (!arguments.task.empty()) {
    data::write_wordnet_task("text", arguments.wordnet, scratch);
    arguments.input = {scratch / "train.txt"};
  }
  return data::DocumentReader(arguments.input, arguments.reader);
}

}  // namespace tenfold::app
