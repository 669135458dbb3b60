// Tagged sentences, questions with spans and rows with named parts, from rows written by hand and
// from the real files. Not here: labelled texts (task_test.cpp, glue_test.cpp).
#include <algorithm>
#include <numeric>

#include "corpus_folder.h"
#include "data/object_rows.h"
#include "data/span_rows.h"
#include "data/tagged_rows.h"
#include "golden.h"

namespace tenfold::data {
namespace {

using Texts = std::vector<std::string>;

bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

class Tagged : public CorpusFolder {
 protected:
  RowFile<TaggedRow> read(const std::string& bytes, const TagColumns& columns = {},
                          Labels labels = Labels::required) const {
    return read_tagged(write("a.conll", bytes), columns, labels);
  }
  /// The tags of one sentence after reading in a scheme; words are of no matter.
  Texts tags(const std::string& given, TagScheme scheme, bool repair = false) const {
    std::string text;
    for (const char c : given) text += c == ' ' ? std::string("\n") : std::string(1, c);
    std::string lines;
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      lines += "w\t" + text.substr(begin, end - begin) + "\n";
      begin = end + 1;
    }
    TagColumns columns;
    columns.scheme = scheme;
    columns.repair = repair;
    return read(lines, columns).rows.at(0).tags;
  }
};

TEST_F(Tagged, SentencesEndAtBlankLines) {
  const auto file =
      read("-DOCSTART- -X- O O\n\n# text = a comment\nEU NNP B-ORG\nrejects VB O\n\n\n#\tB-X\n \n");
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[0].words, (Texts{"EU", "rejects"}));
  EXPECT_EQ(file.rows[0].tags, (Texts{"B-ORG", "O"}));
  EXPECT_EQ(file.rows[0].line, 4);
  EXPECT_EQ(file.rows[1].words, Texts{"#"});
  EXPECT_EQ(file.rows[1].id, "1");
}

TEST_F(Tagged, AnyColumnMayBeTheTagAndAPrefixComesOff) {
  TagColumns columns;
  columns.tag = 1;
  columns.word_prefix = "en:";
  const auto file = read("en:The\tDT\tO\nen::\tSYM\tO\n", columns);
  EXPECT_EQ(file.rows[0].words, (Texts{"The", ":"}));
  EXPECT_EQ(file.rows[0].tags, (Texts{"DT", "SYM"}));
}

TEST_F(Tagged, EverySchemeComesOutInBio) {
  const Texts expected{"O", "B-A", "I-A", "B-A", "B-B"};
  EXPECT_EQ(tags("O B-A I-A B-A B-B", TagScheme::automatic), expected);
  EXPECT_EQ(tags("O I-A I-A B-A I-B", TagScheme::iob1), expected);
  EXPECT_EQ(tags("O B-A E-A S-A S-B", TagScheme::automatic), expected);
  EXPECT_EQ(tags("O B-A L-A U-A U-B", TagScheme::automatic), expected);
  EXPECT_EQ(tags("NN VB", TagScheme::automatic), (Texts{"NN", "VB"}));
}

TEST_F(Tagged, TagsThatContinueNothingAreRefusedOrMended) {
  const auto refusal = [&](const std::string& text, TagScheme scheme = TagScheme::automatic) {
    return message_of([&] { tags(text, scheme); });
  };
  EXPECT_TRUE(says(refusal("B-A I-B"),
                   "a.conll:2: the tag 'I-B' continues no entity of its type (before it: 'B-A')"));
  EXPECT_TRUE(says(refusal("I-A"), "a.conll:1: the tag 'I-A' continues no entity"));
  EXPECT_TRUE(says(refusal("B-A PER"), "a.conll:2: the tag 'PER' is none of O, B-, I-"));
  EXPECT_TRUE(says(refusal("B-A O E-A"), "a.conll:2: no E-A before 'O'"));
  EXPECT_TRUE(says(refusal("S-A B-A"), "a.conll:2: no E-A before the sentence's end"));
  EXPECT_TRUE(says(refusal("B-A S-B", TagScheme::bio), "'S-B' is none of"));
  EXPECT_EQ(tags("B-A I-B O I-A", TagScheme::bio, true), (Texts{"B-A", "B-B", "O", "B-A"}));
  TagColumns columns;
  columns.repair = true;
  EXPECT_EQ(read("a\tB-A\nb\tI-B\n\nc\tI-A\n", columns).repaired, 2);
  columns = {};
  columns.skip_bad = true;
  const auto file = read("a\tI-A\n\nc\tB-A\n\nonly\n\nd\t\n", columns);
  EXPECT_EQ(file.rows.size(), 1u);
  EXPECT_EQ(file.rows[0].id, "1");
  EXPECT_EQ(file.bad_rows, 3);
}

TEST_F(Tagged, WordsWithoutTagsAreRowsToPredict) {
  const auto file = read("a\nb\n\nc\n", {}, Labels::optional);
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_TRUE(file.rows[0].tags.empty());
  EXPECT_TRUE(says(message_of([&] { read("a\nb\n"); }), "a.conll:1: expected a word and a tag"));
  EXPECT_TRUE(says(message_of([&] { read("\n\n"); }), "a.conll holds no sentences"));
  EXPECT_TRUE(
      says(message_of([&] { read("a\tO\n\xE9\tO\n"); }), "a.conll:2: byte 1 is not UTF-8 (0xE9)"));
}

class Spans : public CorpusFolder {
 protected:
  RowFile<SpanRow> read(const std::string& paragraphs, const ReadingRules& rules = {},
                        Labels labels = Labels::required) const {
    return read_spans(write("a.json", "{\"data\": [{\"paragraphs\": [" + paragraphs +
                                          "], \"title\": \"T\"}], \"version\": \"1.1\"}"),
                      rules, labels);
  }
  std::string refusal(const std::string& paragraphs) const {
    return message_of([&] { read(paragraphs); });
  }
};

TEST_F(Spans, OffsetsInCodePointsBecomeBytes) {
  // 'é' and '𝄞' are one code point, two and four bytes; SQuAD 2.0 has the context last.
  const auto file = read(
      R"({"qas": [{"question": "q", "id": "1", "answers": [{"answer_start": 3, "text": "b\u00e9"},
      {"text": "\u00e9 ", "answer_start": 0}]},
      {"question": "r", "id": "2", "answers": [], "is_impossible": true}],
      "context": "\u00e9 \ud834\udd1eb\u00e9 c"})");
  ASSERT_EQ(file.rows.size(), 2u);
  const SpanRow& row = file.rows[0];
  EXPECT_EQ(row.answers[0].begin, 7u);
  EXPECT_EQ(row.answers[1].begin, 0u);
  for (const SpanAnswer& answer : row.answers)
    EXPECT_EQ(row.context->substr(answer.begin, answer.text.size()), answer.text);
  EXPECT_EQ(row.title, "T");
  EXPECT_TRUE(file.rows[1].is_impossible);
  EXPECT_EQ(file.rows[1].context, row.context);
}

TEST_F(Spans, AnswersThatAreNotThereAreNamed) {
  const auto question = [](const std::string& rest) {
    return R"({"context": "abc def", "qas": [{"id": "x7", "question": "q", )" + rest + "}]}";
  };
  EXPECT_TRUE(says(refusal(question(R"("answers": [{"text": "def", "answer_start": 3}])")),
                   "a.json:1: question 'x7': the answer 'def' does not stand at answer_start 3; "
                   "the context has ' def' there"));
  for (const char* start : {"7", "8", "9000000000000000000"}) {
    EXPECT_TRUE(says(refusal(question(R"("answers": [{"text": "f", "answer_start": )" +
                                      std::string(start) + "}]")),
                     "does not stand at"));
  }
  EXPECT_TRUE(says(refusal(question(R"("answers": [{"text": "f", "answer_start": -1}])")),
                   "an answer without answer_start"));
  EXPECT_TRUE(says(refusal(question(R"("answers": [])")), "question 'x7': no answer"));
  EXPECT_TRUE(says(
      refusal(question(R"("is_impossible": true, "answers": [{"text": "d", "answer_start": 4}])")),
      "is_impossible, but has answers"));
  EXPECT_TRUE(says(refusal(R"({"qas": [{"id": "y", "question": "q", "answers": []}]})"),
                   "a paragraph without a context"));
}

TEST_F(Spans, AnIdMayStandOnce) {
  const std::string twice =
      R"({"context": "a", "qas": [{"id": "1", "question": "q", "answers": [{"text": "a", "answer_start": 0}]},
      {"id": "1", "question": "q", "answers": [{"text": "a", "answer_start": 0}]}]})";
  EXPECT_TRUE(says(refusal(twice), "a.json:2: question '1': the id came before"));
  const auto file = read(twice, {.skip_bad = true});
  EXPECT_EQ(file.rows.size(), 1u);
  EXPECT_EQ(file.bad_rows, 1);
}

TEST_F(Spans, TestFilesAndOtherJson) {
  const auto file =
      read(R"({"context": "a", "qas": [{"id": "1", "question": "q"}]})", {}, Labels::optional);
  EXPECT_TRUE(file.rows.at(0).answers.empty());
  EXPECT_FALSE(file.rows[0].is_impossible);
  for (const char* text : {"{}", "[]", "{\"data\": 5}", "{\"data\": [[1]]}"}) {
    EXPECT_TRUE(says(message_of([&] { read_spans(write("b.json", text), {}, Labels::optional); }),
                     "b.json holds no questions"))
        << text;
  }
  EXPECT_TRUE(
      says(message_of([&] { read_spans(write("c.json", "{\"data\": ["), {}, Labels::optional); }),
           "c.json is not JSON (cut off or damaged) at byte"));
}

class Objects : public CorpusFolder {};

TEST_F(Objects, ChoicesHaveAListAndAnIndexOrALetter) {
  const auto file = read_choices(
      write("a.jsonl", R"({"context": "c", "question": "q", "choices": ["a", "b"], "label": 1})"
                       "\n"
                       R"({"ctx": "c", "endings": ["a", "b", "c"], "label": "0"})"
                       "\n"
                       R"({"question": "q", "choices": ["a", "b"], "answer": "B"})"
                       "\n"),
      {}, Labels::required);
  ASSERT_EQ(file.rows.size(), 3u);
  EXPECT_EQ(file.rows[0].label, 1);
  EXPECT_EQ(file.rows[1].context, "c");
  EXPECT_EQ(file.rows[1].choices.size(), 3u);
  EXPECT_EQ(file.rows[2].label, 1);
  const auto columns =
      read_choices(write("a.csv", "sent1,sent2,ending0,ending1,label\n\"x, y\",z,one,two,1\n"), {},
                   Labels::required);
  EXPECT_EQ(columns.rows[0].context, "x, y");
  EXPECT_EQ(columns.rows[0].question, "z");
  EXPECT_EQ(columns.rows[0].choices, (Texts{"one", "two"}));
  const auto refusal = [&](const std::string& row) {
    return message_of([&] { read_choices(write("b.jsonl", row + "\n"), {}, Labels::required); });
  };
  EXPECT_TRUE(says(refusal(R"({"choices": ["a", "b"], "label": 2})"),
                   "b.jsonl:1: the label '2' is no choice of 2"));
  EXPECT_TRUE(says(refusal(R"({"choices": ["a"], "label": 0})"), "1 choices"));
  EXPECT_TRUE(says(refusal(R"({"choices": ["a", "b"]})"), "no label"));
}

TEST_F(Objects, ContrastiveRowsHaveAnyNumberOfNegatives) {
  const auto file = read_contrastive(
      write("a.jsonl",
            R"({"anchor": "a", "positive": "p"})"
            "\n"
            R"({"query": "a", "positive": "p", "negative": "n", "negatives": ["m", "o"]})"
            "\n"
            R"({"anchor": "a", "positive": "p", "negative_1": "n", "negative_2": null})"
            "\n"),
      {});
  EXPECT_TRUE(file.rows.at(0).negatives.empty());
  EXPECT_EQ(file.rows[1].negatives, (Texts{"n", "m", "o"}));
  EXPECT_EQ(file.rows[2].negatives, Texts{"n"});
  EXPECT_TRUE(says(message_of([&] {
                     read_contrastive(write("b.jsonl", "{\"anchor\": \"a\", \"positive\": \" \"}"),
                                      {});
                   }),
                   "b.jsonl:1: positive is empty"));
}

TEST_F(Objects, NBestListsKeepTheirOrderAndFiniteScores) {
  const auto file = read_nbest(
      write("a.json", R"({"u1": {"hyp_10": {"score": -3, "text": "c"}, "hyp_2": {"score": -2.5,
          "text": "b"}, "hyp_1": {"score": -1, "text": ""}, "ref": "r"}, "u2": {"hyp_1": {"score": 0,
          "text": "x"}, "ref": "y"}})"),
      {}, Labels::required);
  ASSERT_EQ(file.rows.size(), 2u);
  ASSERT_EQ(file.rows[0].hypotheses.size(), 3u);
  EXPECT_EQ(file.rows[0].hypotheses[1].text, "b");
  EXPECT_EQ(file.rows[0].hypotheses[2].score, -3);
  EXPECT_EQ(file.rows[1].reference, "y");
  const auto refusal = [&](const std::string& text) {
    return message_of([&] { read_nbest(write("b.json", text), {}, Labels::required); });
  };
  EXPECT_TRUE(says(refusal(R"({"u": {"hyp_1": {"score": "NaN", "text": "a"}, "ref": "r"}})"),
                   "utterance 'u': hyp_1 has no score, a finite number"));
  EXPECT_TRUE(says(refusal(R"({"u": {"hyp_1": {"score": 1, "text": "a"}, "ref": "r"},
      "u": {"hyp_1": {"score": 1, "text": "a"}, "ref": "r"}})"),
                   "b.json:2: utterance 'u': came before"));
  EXPECT_TRUE(says(refusal(R"({"u": {"ref": "r"}})"), "no hypothesis"));
  EXPECT_TRUE(says(refusal(R"({"u": 5})"), "is no object"));
  EXPECT_TRUE(says(refusal(R"({"u": {"hyp_1": {"score": 1, "text": "a"}}})"), "no ref"));
}

// The counts below are those of ../shared/data/README.md.

TEST(RealRows, TaggedFilesGiveTheirSentences) {
  TENFOLD_NEEDS_SHARED();
  const auto count = [](const char* name, const TagColumns& columns = {}) {
    return read_tagged(testing::shared_path(std::string("data/") + name), columns, Labels::required)
        .rows.size();
  };
  EXPECT_EQ(count("wnut17/train.conll"), 3394u);
  EXPECT_EQ(count("wnut17/dev.conll"), 1009u);
  EXPECT_EQ(count("wnut17/test.conll"), 1287u);
  TagColumns english;
  english.word_prefix = "en:";
  EXPECT_EQ(count("wikiann-en/train.zst", english), 20000u);
  EXPECT_EQ(count("wikiann-en/dev.zst", english), 10000u);
}

TEST(RealRows, SquadshiftsGivesItsQuestionsWithBytesThatMatch) {
  TENFOLD_NEEDS_SHARED();
  const auto file = read_spans(testing::shared_path("data/squadshifts/new_wiki_v1.0.json.zst"), {},
                               Labels::required);
  EXPECT_EQ(file.rows.size(), 7938u);
  std::vector<std::string> titles;
  size_t answers = 0, after_wide_characters = 0;
  for (const SpanRow& row : file.rows) {
    if (titles.empty() || titles.back() != row.title) titles.push_back(row.title);
    answers += row.answers.size();
    for (const SpanAnswer& answer : row.answers) {
      ASSERT_EQ(row.context->substr(answer.begin, answer.text.size()), answer.text);
      const auto before = row.context->substr(0, answer.begin);
      after_wide_characters +=
          std::any_of(before.begin(), before.end(), [](char c) { return (c & 0x80) != 0; });
    }
  }
  EXPECT_EQ(titles.size(), 48u);
  EXPECT_EQ(answers, 22794u);               // counted with another JSON reader
  EXPECT_EQ(after_wide_characters, 3183u);  // the same
}

TEST(RealRows, BlimpAndNBestListsGiveTheirCounts) {
  TENFOLD_NEEDS_SHARED();
  size_t pairs = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(testing::shared_path("data/blimp"))) {
    const auto file = read_minimal_pairs(entry.path(), {});
    pairs += file.rows.size();
    EXPECT_EQ(entry.path().filename().string(), file.rows[0].uid + ".jsonl.zst");
  }
  EXPECT_EQ(pairs, 34000u);
  for (const auto& [name, utterances] : {std::pair("dev-clean", 2703u), {"dev-other", 2864u}}) {
    const auto file = read_nbest(
        testing::shared_path("data/nbest-librispeech") / (std::string(name) + ".am.json.zst"), {},
        Labels::required);
    EXPECT_EQ(file.rows.size(), utterances);
    for (const NBestRow& row : file.rows) ASSERT_EQ(row.hypotheses.size(), 10u);
  }
}

}  // namespace
}  // namespace tenfold::data
