// Three small JSON files.
// Not here: what pooling computes.
#include "sentence_files.h"

#include "json_text.h"
#include "support/files.h"

namespace tenfold::app {

void write_sentence_files(const std::filesystem::path& folder, model::Pooling pooling,
                          int64_t width, int64_t max_length) {
  using Json = nlohmann::ordered_json;
  const auto write = [](const std::filesystem::path& path, const Json& value) {
    write_file_atomically(path, json_text(value, 2) + "\n");
  };
  const auto module = [](int index, const char* path, const char* type) {
    return Json{{"idx", index},
                {"name", std::to_string(index)},
                {"path", path},
                {"type", std::string("sentence_transformers.models.") + type}};
  };
  write(folder / "modules.json",
        Json::array({module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")}));
  tenfold::create_directories(folder / "1_Pooling");
  write(folder / "1_Pooling" / "config.json",
        {{"word_embedding_dimension", width},
         {"pooling_mode_cls_token", pooling == model::Pooling::cls},
         {"pooling_mode_mean_tokens", pooling == model::Pooling::mean},
         {"pooling_mode_max_tokens", pooling == model::Pooling::max},
         {"pooling_mode_mean_sqrt_len_tokens", false}});
  write(folder / "sentence_bert_config.json",
        {{"max_seq_length", max_length}, {"do_lower_case", false}});
}

}  // namespace tenfold::app
