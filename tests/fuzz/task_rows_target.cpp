// Fuzz target: rows of tasks as SQuAD and n-best JSON, CoNLL columns, objects, and known formats.
// Not here: labelled rows by file name (rows_target.cpp).
#include <array>
#include <cmath>

#include "data/object_rows.h"
#include "data/span_rows.h"
#include "data/tagged_rows.h"
#include "data/task.h"
#include "target.h"

namespace tenfold::fuzz {
namespace {

constexpr data::ReadingRules kSkip{.skip_bad = true, .encoding = data::TextEncoding::latin1};

void read_all_spans(const std::filesystem::path& path, const data::ReadingRules& rules,
                    data::Labels labels) {
  for (const data::SpanRow& row : data::read_spans(path, rules, labels).rows) {
    promise(!row.id.empty() && !row.question.empty(), "a question has an id and a text");
    promise(!row.is_impossible || row.answers.empty(), "an impossible question has no answer");
    for (const data::SpanAnswer& answer : row.answers) {
      promise(row.context->substr(answer.begin, answer.text.size()) == answer.text,
              "an answer stands in its context");
    }
  }
}

void read_all_tags(const std::filesystem::path& path, const data::TagColumns& columns,
                   data::Labels labels) {
  for (const data::TaggedRow& row : data::read_tagged(path, columns, labels).rows) {
    promise(!row.words.empty(), "a sentence has words");
    promise(row.tags.empty() || row.tags.size() == row.words.size(), "a tag for each word");
    std::string before = "O";
    for (const std::string& tag : row.tags) {
      if (columns.scheme == data::TagScheme::bio && tag.starts_with("I-"))
        promise(before != "O" && before.substr(2) == tag.substr(2), "I- continues its entity");
      before = tag;
    }
  }
}

/// One format, another one for each length: cut-off seeds meet them all.
void read_format(const std::filesystem::path& path, size_t length) {
  data::TaskColumns columns;
  columns.format = data::task_formats()[length % data::task_formats().size()];
  allows({ErrorKind::data}, [&] { data::read_task(path, columns, data::Labels::required); });
  columns.skip_bad = true;
  columns.encoding = data::TextEncoding::latin1;
  for (const auto kind : {data::LabelKind::score, data::LabelKind::several}) {
    columns.label_kind = kind;
    allows({ErrorKind::data}, [&] {
      for (const data::TaskRow& row : data::read_task(path, columns, data::Labels::optional).rows)
        promise(!row.score || std::isfinite(*row.score), "a score is finite");
    });
  }
}

void read_tags(const std::filesystem::path& path, size_t length) {
  using data::TagScheme;
  const auto scheme = std::array{TagScheme::automatic, TagScheme::bio, TagScheme::iob1,
                                 TagScheme::bioes}[length % 4];
  const data::TagColumns strict{.scheme = scheme};
  const data::TagColumns lenient{.word_prefix = "en:",
                                 .scheme = scheme,
                                 .repair = true,
                                 .skip_bad = true,
                                 .encoding = data::TextEncoding::latin1};
  allows({ErrorKind::data}, [&] { read_all_tags(path, strict, data::Labels::required); });
  allows({ErrorKind::data}, [&] { read_all_tags(path, lenient, data::Labels::required); });
  allows({ErrorKind::data}, [&] { read_all_tags(path, lenient, data::Labels::optional); });
}

}  // namespace

const char* const kFormat = "task_rows";

void read(std::string_view bytes) {
  const auto path = put_file("s1.rows", bytes);
  put_file("s2.rows", bytes);
  put_file("labels.rows", bytes);
  read_format(path, bytes.size());
  read_tags(path, bytes.size());
  const auto labels = bytes.size() % 2 == 0 ? data::Labels::optional : data::Labels::required;
  allows({ErrorKind::data}, [&] { read_all_spans(path, kSkip, labels); });
  allows({ErrorKind::data}, [&] { data::read_nbest(path, kSkip, labels); });
  const auto objects =
      put_file(std::array{"objects.jsonl", "objects.tsv", "objects.csv"}[bytes.size() % 3], bytes);
  allows({ErrorKind::data}, [&] { data::read_choices(objects, kSkip, labels); });
  allows({ErrorKind::data}, [&] { data::read_contrastive(objects, kSkip); });
  allows({ErrorKind::data}, [&] { data::read_minimal_pairs(objects, {}); });
  data::read_spans(path, kSkip, data::Labels::optional);
}

}  // namespace tenfold::fuzz
