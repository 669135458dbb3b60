// Fuzz target: config.json of a model directory.
// Not here: weights.
#include "model/checkpoint.h"
#include "target.h"

namespace tenfold::fuzz {

const char* const kFormat = "config_json";

void read(std::string_view bytes) {
  put_file("config.json", bytes);
  const model::ModelDescription first = model::read_description(scratch_folder());
  const std::string written = model::description_json(first);
  put_file("config.json", written);
  const model::ModelDescription second = model::read_description(scratch_folder());
  promise(model::description_json(second) == written, "what was accepted reads back the same");
}

}  // namespace tenfold::fuzz
