// Rows back into text, group by group.
// Not here: the files (split_files.h).
#include "data/split.h"

#include <array>
#include <nlohmann/json.hpp>

#include "support/checksum.h"
#include "support/fail.h"
#include "support/rng.h"
#include "text/utf8.h"

namespace tenfold::data {
namespace {

using Row = nlohmann::ordered_json;

/// Looks at the parts before a file is touched.
SplitCounts commit(SplitFiles& files, const SplitPlan& plan) {
  const std::array<double, 3> wanted = {1 - plan.dev - plan.test, plan.dev, plan.test};
  for (size_t i = 0; i < wanted.size(); ++i) {
    require(wanted[i] <= 0 || files.counts()[i] > 0, ErrorKind::data, "split",
            "no row fell to {}: too few for a share of {:.3g}", kSplitNames[i], wanted[i]);
  }
  files.commit();
  return files.counts();
}

Row row_of(const TaskRow& row) {
  Row out;
  if (row.pair) {
    out = {{"text_a", row.text}, {"text_b", *row.pair}};
  } else {
    out = {{"text", row.text}};
  }
  if (row.label) {
    out["label"] = *row.label;
  } else if (row.score) {
    out["score"] = *row.score;
  } else {
    out["labels"] = row.labels;
  }
  return out;
}

/// A question as SQuAD has it, places in code points.
Row row_of(const SpanRow& row) {
  Row answers = Row::array();
  for (const SpanAnswer& answer : row.answers) {
    const auto before = std::string_view(*row.context).substr(0, answer.begin);
    answers.push_back(
        Row{{"text", answer.text}, {"answer_start", text::count_code_points(before)}});
  }
  return Row{{"id", row.id},
             {"question", row.question},
             {"answers", std::move(answers)},
             {"is_impossible", row.is_impossible}};
}

}  // namespace

Split SplitPlan::part_of(std::string_view group) const {
  const Digest128 digest = xxh3_128(group);
  const double u = RandomStream(seed, "split", digest.high, digest.low).uniform();
  if (u < dev) return Split::dev;
  return u < dev + test ? Split::test : Split::train;
}

SplitCounts write_split(std::span<const TaskRow> rows, const SplitPlan& plan) {
  SplitFiles files(plan.out, "jsonl");
  for (const TaskRow& row : rows) files.add(plan.part_of(row.text), row_of(row).dump());
  return commit(files, plan);
}

SplitCounts write_split(std::span<const TaggedRow> rows, const SplitPlan& plan) {
  SplitFiles files(plan.out, "conll");
  for (const TaggedRow& row : rows) {
    std::string lines, sentence;
    for (size_t i = 0; i < row.words.size(); ++i) {
      lines += fmt::format("{}\t{}\n", row.words[i], row.tags[i]);
      sentence += row.words[i] + " ";
    }
    files.add(plan.part_of(sentence), lines);
  }
  return commit(files, plan);
}

SplitCounts write_split(std::span<const SpanRow> rows, const SplitPlan& plan) {
  SplitFiles files(plan.out, "json");
  Row paragraphs = Row::array();
  for (size_t i = 0; i < rows.size(); ++i) {
    const SpanRow& row = rows[i];
    const bool same_passage = i > 0 && rows[i - 1].context == row.context && !paragraphs.empty();
    if (!same_passage) paragraphs.push_back(Row{{"context", *row.context}, {"qas", Row::array()}});
    paragraphs.back()["qas"].push_back(row_of(row));
    const bool last = i + 1 == rows.size() || rows[i + 1].title != row.title ||
                      (row.title.empty() && rows[i + 1].context != row.context);
    if (!last) continue;
    const Split part = plan.part_of(row.title.empty() ? *row.context : row.title);
    files.add(part, Row{{"title", row.title}, {"paragraphs", std::move(paragraphs)}}.dump());
    paragraphs = Row::array();
  }
  files.enclose("2.0");
  return commit(files, plan);
}

SplitCounts write_split(std::span<const ChoiceRow> rows, const SplitPlan& plan) {
  SplitFiles files(plan.out, "jsonl");
  for (const ChoiceRow& row : rows) {
    const Row out{{"context", row.context},
                  {"question", row.question},
                  {"choices", row.choices},
                  {"label", row.label.value()}};
    files.add(plan.part_of(row.context.empty() ? row.question : row.context), out.dump());
  }
  return commit(files, plan);
}

SplitCounts write_split(std::span<const ContrastiveRow> rows, const SplitPlan& plan) {
  SplitFiles files(plan.out, "jsonl");
  for (const ContrastiveRow& row : rows) {
    Row out{{"anchor", row.anchor}, {"positive", row.positive}};
    if (!row.negatives.empty()) out["negatives"] = row.negatives;
    files.add(plan.part_of(row.anchor), out.dump());
  }
  return commit(files, plan);
}

}  // namespace tenfold::data
