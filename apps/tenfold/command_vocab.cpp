// `tenfold vocab`: a WordPiece vocabulary from text.
// Not here: the training itself (text/wordpiece_trainer.h).
#include "command.h"
#include "corpus.h"
#include "support/fail.h"
#include "support/strings.h"
#include "tenfold/tokenizer.h"
#include "text/wordpiece_trainer.h"

namespace tenfold::app {
namespace {

struct VocabArguments {
  CorpusArguments corpus;
  std::filesystem::path out;
  size_t size = 30522;
  uint64_t min_frequency = 2;
  bool cased = false;
};

int make_vocabulary(const VocabArguments& arguments, Program& program) {
  check_corpus(arguments.corpus, {kTextTask});
  data::DocumentReader reader = open_corpus(arguments.corpus, arguments.out / "corpus");
  WordPieceOptions options;
  options.lowercase = !arguments.cased;
  text::WordCounter counter(options);
  while (const auto document = reader.next()) counter.add(*document);
  require(reader.documents() > 0, ErrorKind::data, "vocab", "the corpus is empty");
  auto tokens = text::train_wordpiece(
      counter.counts(), {.size = arguments.size, .min_frequency = arguments.min_frequency});
  const Tokenizer tokenizer = Tokenizer::wordpiece(std::move(tokens), options);
  tokenizer.save(arguments.out);
  program.terminal.info("{} documents, {} words, {} tokens in {}", reader.documents(),
                        human_count(static_cast<double>(counter.num_words())), tokenizer.size(),
                        arguments.out.string());
  if (reader.bad_rows() > 0)
    program.terminal.warn("{} bad rows skipped: {}", reader.bad_rows(), reader.first_bad());
  return 0;
}

}  // namespace

void add_vocab(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<VocabArguments>();
  CLI::App* command = app.add_subcommand("vocab", "train a WordPiece vocabulary from text");
  add_corpus_arguments(*command, arguments->corpus, "text made from WordNet instead: wordnet-text");
  command->add_option("--size", arguments->size, "tokens to make")
      ->check(whole_number(1))
      ->capture_default_str();
  command
      ->add_option("--min-frequency", arguments->min_frequency,
                   "pairs seen less often are not merged")
      ->check(whole_number(1))
      ->capture_default_str();
  command->add_flag("--cased", arguments->cased, "keep upper case and accents");
  command->add_option("--out", arguments->out, "folder for vocab.txt, tokenizer.json and their kin")
      ->required();
  command->footer("Example:\n  tenfold vocab --input text.txt.zst --size 16000 --out vocab");
  command->callback([=, &program] {
    program.action = [=, &program] { return make_vocabulary(*arguments, program); };
  });
}

}  // namespace tenfold::app
