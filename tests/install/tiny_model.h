// Writes the smallest BERT directory: one layer of width 4, all weights a small number.
// Not here: a model that knows anything.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

/// config.json and model.safetensors for a vocabulary of `words` tokens, into an existing folder.
inline void write_tiny_bert(const std::filesystem::path& folder, int words) {
  std::ofstream(folder / "config.json")
      << R"({"architectures": ["BertModel"], "model_type": "bert", "vocab_size": )" << words
      << R"(, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 8, "max_position_embeddings": 16, "type_vocab_size": 2})";
  using Shape = std::vector<int>;
  std::vector<std::pair<std::string, Shape>> tensors = {
      {"embeddings.word_embeddings.weight", {words, 4}},
      {"embeddings.position_embeddings.weight", {16, 4}},
      {"embeddings.token_type_embeddings.weight", {2, 4}},
      {"embeddings.LayerNorm.weight", {4}},
      {"embeddings.LayerNorm.bias", {4}},
      {"pooler.dense.weight", {4, 4}},
      {"pooler.dense.bias", {4}}};
  const std::string layer = "encoder.layer.0.";
  for (const auto& [name, out, in] :
       std::vector<std::tuple<std::string, int, int>>{{"attention.self.query", 4, 4},
                                                      {"attention.self.key", 4, 4},
                                                      {"attention.self.value", 4, 4},
                                                      {"attention.output.dense", 4, 4},
                                                      {"intermediate.dense", 8, 4},
                                                      {"output.dense", 4, 8}}) {
    tensors.push_back({layer + name + ".weight", {out, in}});
    tensors.push_back({layer + name + ".bias", {out}});
  }
  for (const char* name : {"attention.output.LayerNorm", "output.LayerNorm"}) {
    tensors.push_back({layer + name + ".weight", {4}});
    tensors.push_back({layer + name + ".bias", {4}});
  }
  std::string header = "{";
  std::vector<float> values;
  for (const auto& [name, shape] : tensors) {
    const size_t begin = values.size();
    size_t count = 1;
    std::string sizes;
    for (int size : shape) {
      count *= static_cast<size_t>(size);
      sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    }
    for (size_t i = 0; i < count; ++i) values.push_back(0.01f * static_cast<float>(i % 7) - 0.02f);
    header += (begin ? ",\"" : "\"") + name + R"(":{"dtype":"F32","shape":[)" + sizes +
              R"(],"data_offsets":[)" + std::to_string(4 * begin) + "," +
              std::to_string(4 * values.size()) + "]}";
  }
  header += "}";
  const uint64_t length = header.size();
  std::ofstream file(folder / "model.safetensors", std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), 8);
  file << header;
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(4 * values.size()));
}
