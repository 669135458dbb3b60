// `tenfold vocab`: a vocabulary from text, of one of three kinds.
// Not here: the training itself (text/wordpiece_trainer.h, bpe_trainer.h, unigram_trainer.h).
#include <thread>

#include "command.h"
#include "corpus.h"
#include "support/fail.h"
#include "support/strings.h"
#include "tenfold/tokenizer.h"
#include "text/bpe_trainer.h"
#include "text/unigram_trainer.h"
#include "text/wordpiece_trainer.h"

namespace tenfold::app {
namespace {

struct VocabArguments {
  CorpusArguments corpus;
  std::filesystem::path out;
  std::string kind = "wordpiece";
  size_t size = 30522;
  uint64_t min_frequency = 2;
  bool cased = false;
};

constexpr size_t kBatch = 4096;  // documents counted at a time

/// The tokenizer, and how many words it was made from.
struct Trained {
  Tokenizer tokenizer;
  uint64_t num_words = 0;
};

Trained train_wordpiece_kind(const VocabArguments& arguments, data::DocumentReader& reader) {
  WordPieceOptions options;
  options.lowercase = !arguments.cased;
  text::WordCounter counter(options);
  while (const auto document = reader.next()) counter.add(*document);
  auto tokens = text::train_wordpiece(
      counter.counts(), {.size = arguments.size, .min_frequency = arguments.min_frequency});
  return {Tokenizer::wordpiece(std::move(tokens), options), counter.num_words()};
}

Trained train_bpe_kind(const VocabArguments& arguments, data::DocumentReader& reader) {
  text::ByteWordCounter counter(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::string> batch;
  while (auto document = reader.next()) {
    batch.push_back(std::move(*document));
    if (batch.size() < kBatch) continue;
    counter.add(batch);
    batch.clear();
  }
  counter.add(batch);
  auto trained = text::train_byte_bpe(
      counter.counts(), {.size = arguments.size, .min_frequency = arguments.min_frequency});
  return {Tokenizer::byte_bpe(std::move(trained.tokens), trained.merges), counter.num_words()};
}

Trained train_unigram_kind(const VocabArguments& arguments, data::DocumentReader& reader) {
  uint64_t words = 0;
  const auto next = [&]() -> std::optional<std::string> {
    auto document = reader.next();
    if (!document) return std::nullopt;
    bool inside = false;
    for (const char c : *document) {
      const bool blank = c == ' ' || c == '\n' || c == '\t';
      words += !blank && !inside;
      inside = !blank;
    }
    return std::move(*document);
  };
  std::string model =
      text::train_unigram(next, {.size = arguments.size, .lowercase = !arguments.cased});
  return {Tokenizer::sentencepiece(std::move(model)), words};
}

int make_vocabulary(const VocabArguments& arguments, Program& program) {
  check_corpus(arguments.corpus, {kTextTask});
  data::DocumentReader reader = open_corpus(arguments.corpus, arguments.out / "corpus");
  const Trained trained = arguments.kind == "bpe"       ? train_bpe_kind(arguments, reader)
                          : arguments.kind == "unigram" ? train_unigram_kind(arguments, reader)
                                                        : train_wordpiece_kind(arguments, reader);
  trained.tokenizer.save(arguments.out);
  program.terminal.info("{} documents, {} words, {} tokens in {}", reader.documents(),
                        human_count(static_cast<double>(trained.num_words)),
                        trained.tokenizer.size(), arguments.out.string());
  if (reader.bad_rows() > 0)
    program.terminal.warn("{} bad rows skipped: {}", reader.bad_rows(), reader.first_bad());
  return 0;
}

}  // namespace

void add_vocab(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<VocabArguments>();
  CLI::App* command = app.add_subcommand(
      "vocab", "train a vocabulary from text: WordPiece, byte-level BPE or unigram");
  add_corpus_arguments(*command, arguments->corpus, "text made from WordNet instead: wordnet-text");
  command
      ->add_option("--kind", arguments->kind,
                   "wordpiece (BERT), bpe (byte-level, as RoBERTa) or unigram (SentencePiece)")
      ->check(CLI::IsMember({"wordpiece", "bpe", "unigram"}))
      ->capture_default_str();
  command->add_option("--size", arguments->size, "tokens to make")
      ->check(whole_number(1))
      ->capture_default_str();
  command
      ->add_option("--min-frequency", arguments->min_frequency,
                   "pairs seen less often are not merged (wordpiece, bpe)")
      ->check(whole_number(1))
      ->capture_default_str();
  command->add_flag("--cased", arguments->cased,
                    "keep upper case, and for wordpiece accents (bpe always does)");
  command->add_option("--out", arguments->out, "folder for vocab.txt, tokenizer.json and their kin")
      ->required();
  command->footer("Example:\n  tenfold vocab --input text.txt.zst --size 16000 --out vocab");
  command->callback([=, &program] {
    program.action = [=, &program] { return make_vocabulary(*arguments, program); };
  });
}

}  // namespace tenfold::app
