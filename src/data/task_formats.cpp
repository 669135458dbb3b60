// The table of known formats. GLUE's columns are named, not numbered: test files, which lack the
// label and shift the rest, are then read by the same entry. Not here: reading (task_reading.cpp).
#include "data/task_formats.h"

#include <algorithm>

#include "data/text_lines.h"
#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

using Words = std::vector<std::string_view>;

TaskFormat glue_format(std::string_view name, const TaskPlaces& places, Words words) {
  return {.name = name,
          .container = TaskContainer::columns,
          .headed = places,
          .bare = {},
          .kind = words.empty() ? LabelKind::score : LabelKind::one,
          .words = std::move(words)};
}

std::vector<TaskFormat> make_formats() {
  using enum TaskContainer;
  const Words binary = {"0", "1"}, two_way = {"entailment", "not_entailment"},
              three_way = {"contradiction", "entailment", "neutral"};
  std::vector<TaskFormat> formats;
  for (const auto& [name, container] :
       {std::pair("tsv", columns), std::pair("csv", commas), std::pair("jsonl", objects)})
    formats.push_back({.name = name, .container = container, .headed = {}});
  formats.push_back({.name = "glue-cola",
                     .container = columns,
                     .headed = {"sentence", "", "label"},  // the test file's; it has no labels
                     .bare = {"3", "", "1"},
                     .words = binary});
  formats.push_back(glue_format("glue-sst-2", {"sentence", "", "label"}, binary));
  formats.push_back(glue_format("glue-mrpc", {"#1 String", "#2 String", "Quality"}, binary));
  formats.push_back(glue_format("glue-sts-b", {"sentence1", "sentence2", "score"}, {}));
  formats.push_back(glue_format("glue-qqp", {"question1", "question2", "is_duplicate"}, binary));
  formats.push_back(glue_format("glue-mnli", {"sentence1", "sentence2", "gold_label"}, three_way));
  formats.push_back(glue_format("glue-qnli", {"question", "sentence", "label"}, two_way));
  formats.push_back(glue_format("glue-rte", {"sentence1", "sentence2", "label"}, two_way));
  formats.push_back(glue_format("glue-wnli", {"sentence1", "sentence2", "label"}, binary));
  formats.push_back(glue_format("glue-ax", {"sentence1", "sentence2", "label"}, three_way));
  formats.push_back({.name = "sts",
                     .container = columns,
                     .headed = {},
                     .bare = {"1", "2", "0"},
                     .kind = LabelKind::score});
  formats.push_back({.name = "sts-benchmark",
                     .container = columns,
                     .headed = {},
                     .bare = {"5", "6", "4"},
                     .kind = LabelKind::score});
  formats.push_back({.name = "sick",
                     .container = columns,
                     .headed = {"sentence_A", "sentence_B", "relatedness_score"},
                     .kind = LabelKind::score});
  formats.push_back({.name = "sick-entailment",
                     .container = columns,
                     .headed = {"sentence_A", "sentence_B", "entailment_judgment"},
                     .words = {"CONTRADICTION", "ENTAILMENT", "NEUTRAL"}});
  formats.push_back({.name = "trec", .container = prefix, .headed = {}});
  formats.push_back({.name = "trec-coarse", .container = prefix, .headed = {}});
  formats.push_back({.name = "snli", .container = aligned, .headed = {}, .words = three_way});
  return formats;
}

/// The formats with a name, in the order they are shown.
const std::vector<TaskFormat>& known_task_formats() {
  static const std::vector<TaskFormat> formats = make_formats();
  return formats;
}

}  // namespace

const std::vector<std::string>& task_formats() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (const TaskFormat& format : known_task_formats()) made.emplace_back(format.name);
    return made;
  }();
  return names;
}

TaskFormat task_format(const std::string& name, const std::filesystem::path& path) {
  if (name != "auto") {
    const auto& formats = known_task_formats();
    const auto found = std::find_if(formats.begin(), formats.end(),
                                    [&](const TaskFormat& f) { return f.name == name; });
    require(found != formats.end(), ErrorKind::config, "task", "unknown format '{}': expected {}{}",
            name, join(task_formats(), ", "), did_you_mean(name, task_formats()));
    return *found;
  }
  const std::string kind = plain_name(path).extension().string();
  const TaskContainer container = kind == ".jsonl" || kind == ".json" ? TaskContainer::objects
                                  : kind == ".tsv"                    ? TaskContainer::columns
                                  : kind == ".csv"                    ? TaskContainer::commas
                                                                      : TaskContainer::plain;
  return {.name = {}, .container = container, .headed = {}};
}

}  // namespace tenfold::data
