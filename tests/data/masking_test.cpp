// Masks: how many, which, replaced by what; against reference counts and by their statistics.
// Not here: the loss.
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "corpus_folder.h"
#include "data/classification_collator.h"
#include "data/mask_sampler.h"
#include "data/mlm_collator.h"
#include "golden.h"

namespace tenfold::data {
namespace {

/// [CLS] then words of one to three pieces, [SEP].
Example wordy_row(uint64_t id, int words) {
  Example row;
  row.id = id;
  auto& ids = row.sequences["tokens"];
  ids.push_back(2);
  for (int w = 0; w < words; ++w) {
    ids.push_back(5 + w % 40);
    for (int p = 0; p < w % 3; ++p) ids.push_back(45 + p);
  }
  ids.push_back(3);
  return row;
}

struct RowPlaces {
  std::vector<int64_t> candidates;
  std::vector<uint8_t> continues;
};

RowPlaces places_in(const Example& row) {
  RowPlaces places;
  const auto& ids = row.sequences.at("tokens");
  for (size_t i = 0; i < ids.size(); ++i) {
    places.continues.push_back(ids[i] >= 45 ? 1 : 0);
    if (ids[i] >= 5) places.candidates.push_back(static_cast<int64_t>(i));
  }
  return places;
}

std::vector<int64_t> numbers(const Tensor& tensor) {
  return {tensor.data_ptr<int64_t>(), tensor.data_ptr<int64_t>() + tensor.numel()};
}

TEST(Masking, CountsEqualTheReference) {
  TENFOLD_COMPARES_GOLDENS();
  std::ifstream file(testing::shared_path("goldens/objectives/mask-counts.json"));
  const auto golden = nlohmann::json::parse(file);
  const auto &bert = golden.at("bert").at("rows"), &electra = golden.at("electra").at("rows");
  ASSERT_GT(bert.size(), 100u);
  for (const auto& row : bert) {
    EXPECT_EQ(masked_count(row[2].get<int64_t>(), row[0].get<double>(), row[1].get<int64_t>()),
              row[3].get<int64_t>())
        << row.dump();
  }
  for (const auto& row : electra) {  // the same rule, with the most that fits the longest row
    EXPECT_EQ(masked_count(row[2].get<int64_t>(), row[0].get<double>(), row[3].get<int64_t>()),
              row[4].get<int64_t>())
        << row.dump();
  }
  testing::compared_goldens(bert.size() + electra.size());
}

TEST(Masking, UniformAndSpanSamplersGiveTheExactCountOfDistinctCandidates) {
  const RowPlaces places = places_in(wordy_row(0, 30));
  for (const char* kind : {"uniform", "span"}) {
    const auto sampler = mask_sampler_table().make(std::string(kind) == "span"
                                                       ? config::Choice::of(kind, SpanOptions{})
                                                       : config::Choice{kind, {}});
    for (uint64_t draw = 0; draw < 500; ++draw) {
      const int64_t count = 1 + static_cast<int64_t>(draw % places.candidates.size());
      RandomStream stream(7, "test", draw);
      const auto chosen = sampler->sample({places.candidates, places.continues}, count, stream);
      ASSERT_EQ(static_cast<int64_t>(chosen.size()), count) << kind;
      const std::set<int64_t> distinct(chosen.begin(), chosen.end());
      EXPECT_EQ(distinct.size(), chosen.size());
      EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
      for (const int64_t place : chosen) {
        EXPECT_TRUE(std::binary_search(places.candidates.begin(), places.candidates.end(), place));
      }
    }
  }
}

TEST(Masking, UniformSamplerTreatsCandidatesAlike) {
  const RowPlaces places = places_in(wordy_row(0, 20));
  const auto sampler = mask_sampler_table().make({});
  std::map<int64_t, int> times;
  constexpr int kDraws = 20000;
  for (uint64_t draw = 0; draw < kDraws; ++draw) {
    RandomStream stream(8, "test", draw);
    for (const int64_t place : sampler->sample({places.candidates, places.continues}, 5, stream))
      ++times[place];
  }
  const double p = 5.0 / static_cast<double>(places.candidates.size());
  for (const int64_t place : places.candidates) {
    EXPECT_NEAR(times[place], kDraws * p, 4.5 * std::sqrt(kDraws * p * (1 - p)));
  }
}

TEST(Masking, WholeWordsStayWhole) {
  const RowPlaces places = places_in(wordy_row(0, 30));
  const auto sampler = mask_sampler_table().make(config::Choice{"whole_word", {}});
  for (uint64_t draw = 0; draw < 500; ++draw) {
    RandomStream stream(9, "test", draw);
    const auto chosen = sampler->sample({places.candidates, places.continues}, 9, stream);
    const std::set<int64_t> taken(chosen.begin(), chosen.end());
    EXPECT_LE(chosen.size(), 9u);
    EXPECT_GE(chosen.size(), 7u);
    for (const int64_t place : places.candidates) {
      if (places.continues[static_cast<size_t>(place)] != 0) {
        EXPECT_EQ(taken.count(place), taken.count(place - 1)) << place;
      }
    }
  }
}

TEST(Masking, SpanLengthsFollowTheClippedGeometricLaw) {
  Example row;  // one piece a word: positions are words
  row.sequences["tokens"].assign(4000, 6);
  const RowPlaces places = places_in(row);
  const auto sampler = mask_sampler_table().make(config::Choice::of("span", SpanOptions{}));
  double spans = 0, tokens = 0;
  for (uint64_t draw = 0; draw < 600; ++draw) {
    RandomStream stream(10, "test", draw);
    const auto chosen = sampler->sample({places.candidates, places.continues}, 40, stream);
    for (size_t i = 0; i < chosen.size(); ++i) {
      if (i == 0 || chosen[i] != chosen[i - 1] + 1) ++spans;
    }
    tokens += static_cast<double>(chosen.size());
  }
  // The mean of min(geometric(0.2), 10) is (1 - 0.8^10) / 0.2 = 4.46; the last span of a row is cut
  // short.
  EXPECT_NEAR(tokens / spans, 4.46, 0.35);
}

TEST(Masking, UnknownSamplersNameTheNearest) {
  EXPECT_NE(message_of([] {
              mask_sampler_table().make(config::Choice{"spam", {}});
            }).find("'span'"),
            std::string::npos);
}

TEST(MlmCollator, ReplacesEightyTenTenAndNeverWithSpecials) {
  const Tokenizer tokenizer = counting_tokenizer();
  const MlmCollator collator(tokenizer, {});
  double masked = 0, kept = 0, other = 0;
  for (uint64_t id = 0; id < 2000; ++id) {
    const std::vector<Example> rows{wordy_row(id, 60)};
    const Batch batch = collator.collate(rows, {.seed = 3, .epoch = 0});
    const auto ids = numbers(batch.input("tokens").ids_T),
               labels = numbers(batch.field("label_ids")),
               places = numbers(batch.field("predicted_T"));
    ASSERT_EQ(labels.size(), static_cast<size_t>(batch.denominators.at("mlm")));
    ASSERT_EQ(static_cast<int64_t>(labels.size()),
              masked_count(static_cast<int64_t>(ids.size()), 0.15, 4096));
    const std::set<int64_t> predicted(places.begin(), places.end());
    const auto& original = rows[0].sequences.at("tokens");
    for (size_t i = 0; i < ids.size(); ++i) {
      if (!predicted.count(static_cast<int64_t>(i))) {
        EXPECT_EQ(ids[i], original[i]);
      }
    }
    for (size_t i = 0; i < labels.size(); ++i) {
      const int64_t now = ids[static_cast<size_t>(places[i])];
      EXPECT_EQ(labels[i], original[static_cast<size_t>(places[i])]);
      EXPECT_GE(labels[i], 5);
      EXPECT_TRUE(now == 4 || now >= 5);
      (now == 4 ? masked : now == labels[i] ? kept : other) += 1;
    }
  }
  const double n = masked + kept + other;
  const double again = 0.1 / 50;  // a random token may be the old one
  EXPECT_NEAR(masked / n, 0.8, 4 * std::sqrt(0.16 / n));
  EXPECT_NEAR(other / n, 0.1 - again, 4 * std::sqrt(0.09 / n));
  EXPECT_NEAR(kept / n, 0.1 + again, 4 * std::sqrt(0.09 / n));
}

TEST(MlmCollator, DrawsByExampleAndEpochNotByCompany) {
  const MlmCollator collator(counting_tokenizer(), {});
  const std::vector<Example> both{wordy_row(11, 25), wordy_row(12, 31)}, second{wordy_row(12, 31)};
  const auto together =
      numbers(collator.collate(both, {.seed = 1, .epoch = 4}).input("tokens").ids_T);
  const auto alone =
      numbers(collator.collate(second, {.seed = 1, .epoch = 4}).input("tokens").ids_T);
  EXPECT_TRUE(std::equal(alone.rbegin(), alone.rend(), together.rbegin()));
  EXPECT_NE(alone,
            numbers(collator.collate(second, {.seed = 1, .epoch = 5}).input("tokens").ids_T));
  EXPECT_NE(alone,
            numbers(collator.collate(second, {.seed = 2, .epoch = 4}).input("tokens").ids_T));
}

TEST(MlmCollator, RefusesIdsOutsideTheVocabularyAndBadShares) {
  const MlmCollator collator(counting_tokenizer(), {});
  std::vector<Example> rows(1);
  rows[0].sequences["tokens"] = {2, 55, 3};
  EXPECT_NE(message_of([&] { collator.collate(rows, {}); }).find("55"), std::string::npos);
  MlmOptions options;
  options.mask_share = 0.95;
  EXPECT_NE(message_of([&] { options.validate("data.masking"); }).find("more than 1"),
            std::string::npos);
}

TEST(ClassificationCollator, GivesLabelsSegmentsAndTheSumOfWeights) {
  std::vector<Example> rows(2);
  rows[0].sequences["tokens"] = {2, 5, 3};
  rows[0].labels = {1};
  rows[1].sequences["tokens"] = {2, 6, 3, 7, 3};
  rows[1].sequences["segments"] = {0, 0, 0, 1, 1};
  rows[1].labels = {0};
  rows[1].weight = 0.5;
  const Batch batch = ClassificationCollator().collate(rows, {});
  EXPECT_EQ(numbers(batch.field("labels")), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(numbers(batch.input("tokens").segments_T),
            (std::vector<int64_t>{0, 0, 0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(batch.denominators.at("classification"), 1.5);
  EXPECT_EQ(batch.real_tokens(), 8);
}

}  // namespace
}  // namespace tenfold::data
